//! The stand-ins through their own HTTP routes.

mod caller;
mod rotating;
