//! The stand-ins over real HTTP.

mod caller;
mod catalogue;
mod google;
mod program;
mod rotating;
