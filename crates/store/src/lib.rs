//! Where Grantor keeps things: back ends behind the store port of `grantor_core::store`.
//!
//! Every back end passes the same suite, `contract` (feature `contract`).

#[cfg(feature = "contract")]
pub mod contract;
pub mod sqlite;
pub mod transfer;

pub use sqlite::Sqlite;
