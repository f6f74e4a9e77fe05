//! Two nodes behind nginx, and what fails: nothing that was acknowledged is lost.

mod crash;
mod flows;
mod ledger;
mod load;
mod nginx;
mod nodes;
mod postgres;
mod redis;
