//! The back ends: the contract that each passes, what is SQLite's own, and in `redis` what is that
//! one's.

mod contract;
mod disk;
mod kill;
mod opening;
mod processes;
mod redis;
mod scratch;
mod sweeping;
mod upgrading;
mod vault;
