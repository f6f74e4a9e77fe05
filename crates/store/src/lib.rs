//! Where Grantor keeps things: back ends behind the store port of `grantor_core::store`.
//!
//! Every back end passes the same suite, `contract` (feature `contract`).

mod cache;
#[cfg(feature = "contract")]
pub mod contract;
pub mod redis;
pub mod sqlite;

pub use redis::Redis;
pub use sqlite::Sqlite;
