//! A provider: how it is spoken to, as data. Built in or from an operator's file.
//!
//! The descriptions are TOML, one block for each HTTP call; see `docs/vault.md`.

mod account;
mod answers;
mod built_in;
mod calls;
mod client_auth;
mod description;
mod discovery;
mod failures;
mod gaps;
mod lint;
mod load;
mod observe;
mod requests;
mod rules;
mod samples;
mod schema;
mod sound;
mod template;
mod text;
mod variable;

use std::fmt;

pub use calls::{AuthorizeUrl, Callback, Context};
pub use discovery::Discovered;
pub use lint::{Finding, Severity, lint};
pub use load::{Problem, catalogue, load};
pub use rules::{IdTokenRules, Need, ProxyRules};
pub use schema::schema;

use description::Description;

/// How a provider is spoken to.
pub struct Provider {
    /// Its name: `google`.
    pub name: String,
    /// The name of the description that its own is built on in the end; its own if it is on none.
    root: String,
    /// What people read: `Google`.
    pub label: String,
    description: Description,
    discovered: Discovered,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.name)
    }
}

#[cfg(test)]
mod tests;
