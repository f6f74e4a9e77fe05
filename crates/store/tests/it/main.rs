//! The SQLite back end: the contract that every back end passes, and what is SQLite's own.

mod contract;
mod disk;
mod kill;
mod opening;
mod processes;
mod scratch;
mod sweeping;
mod transfer;
mod upgrading;
mod vault;
