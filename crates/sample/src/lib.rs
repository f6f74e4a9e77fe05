//! The sample client backend, "Fieldnotes": what an application developer would write to sign people
//! in with an OpenID Connect provider, keep their tokens fresh and call a protected API.
//!
//! It knows the provider by its URL only. Tokens stay on this side, sealed at rest; the browser holds
//! an opaque cookie. [`serve`] runs it inside any tokio runtime, the binary is a thin shell around it.

mod app;
mod browser;
mod calendar;
mod config;
mod flow;
mod http;
mod pages;
mod problem;
mod provider;
mod refresh;
mod routes;
mod sessions;
mod television;
mod tokens;
mod vault;

pub use crate::app::serve;
pub use crate::config::{Calendar, Config, Secret, StartError};
