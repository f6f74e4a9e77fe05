//! Servers of other programs, each started for the tests of one process and ended with it.

mod kept;
mod postgres;
mod proxy;
mod redis;

pub use kept::{Kept, free_port, free_ports};
pub use postgres::PostgresServer;
pub use proxy::Proxy;
pub use redis::{RedisCluster, RedisSentinel, RedisServer};
