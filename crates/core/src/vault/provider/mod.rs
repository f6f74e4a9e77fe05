//! A provider: how it is spoken to, as data. Built in or from an operator's file.
//!
//! The descriptions are TOML, one block for each HTTP call; see `docs/vault.md`.

mod calls;

pub use calls::{AuthorizeUrl, Callback, Context};

/// How a provider is spoken to.
#[derive(Debug)]
pub struct Provider {
    /// Its name: `google`.
    pub name: String,
    /// What people read: `Google`.
    pub label: String,
}
