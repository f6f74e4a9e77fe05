//! The stand-ins through their own HTTP routes.

mod caller;
mod rotating;
//! The stand-ins over real HTTP.

mod google;
mod catalogue;
mod rotating;
