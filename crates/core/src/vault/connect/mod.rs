//! Connecting an account: the flow at the provider, from the making of a link to the stored grant.
//!
//! The steps, in their order; each is a file:
//!
//! 1. [`begin`]: who asks may ask, and a connect session is made: a link.

mod begin;

pub use begin::{Asked, Link, begin};
