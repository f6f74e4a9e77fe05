//! The Google stand-in.

mod answers;
mod control;
mod faults;
mod flow;
mod limits;
mod pages;
mod python;
mod refusals;
mod revoke;
mod support;
