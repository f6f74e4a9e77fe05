//! The stand-ins through their own HTTP routes.

mod caller;
mod catalogue;
mod rotating;
