//! The stand-ins over real HTTP.

mod google;
mod program;
