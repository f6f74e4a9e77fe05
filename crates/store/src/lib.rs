//! Where Grantor keeps things: back ends behind the store port of `grantor_core::store`.
//!
//! Every back end passes the same suite, `contract` (feature `contract`).

mod cache;
mod columns;
#[cfg(feature = "contract")]
pub mod contract;
mod migrations;
pub mod postgres;
mod records;
pub mod redis;
pub mod sqlite;
mod sweep;
pub mod transfer;

pub use postgres::Postgres;
pub use redis::Redis;
pub use sqlite::Sqlite;
