//! The back ends: the contract that each passes, and what is its own.

mod contract;
mod disk;
mod kill;
mod opening;
mod postgres;
mod processes;
mod redis;
mod scratch;
mod sweeping;
mod time;
mod transfer;
mod upgrading;
mod vault;
