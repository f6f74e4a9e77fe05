//! Servers of other programs, each started for the tests of one process and ended with it.

mod postgres;
mod proxy;

pub use postgres::PostgresServer;
pub use proxy::Proxy;
