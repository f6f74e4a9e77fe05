//! The sample through its own HTTP routes, against a small stand-in provider on loopback.

mod browser;
mod calendar;
mod devices;
mod leaving;
mod programs;
mod provider;
mod refreshing;
mod signing_in;
mod television;
mod vault;
