//! The back ends: the contract that each passes, what is SQLite's own, and in `postgres` what is
//! that one's.

mod contract;
mod disk;
mod kill;
mod opening;
mod postgres;
mod processes;
mod scratch;
mod sweeping;
mod upgrading;
mod vault;
