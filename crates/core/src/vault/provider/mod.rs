//! A provider: how it is spoken to, as data. Built in or from an operator's file.
//!
//! The descriptions are TOML, one block for each HTTP call; see `docs/vault.md`.

mod calls;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use calls::{AuthorizeUrl, Callback, Context};

/// How a provider is spoken to.
#[derive(Debug)]
pub struct Provider {
    /// Its name: `google`.
    pub name: String,
    /// What people read: `Google`.
    pub label: String,
}

/// A description that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the name of a built-in description.
    pub file: String,
    /// The key in it; empty for the file as a whole.
    pub path: String,
    /// What is wrong, and what to do.
    pub text: String,
}

/// The built-in providers and those of the operator's files (name of the file, its text), which may
/// extend or replace them.
#[expect(clippy::needless_pass_by_value, reason = "skeleton")]
pub fn load(
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<String, Arc<Provider>>, Vec<Problem>> {
    let _ = files;
    Ok(BTreeMap::new())
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}: {}", self.file, self.text),
            path => write!(f, "{}: {path}: {}", self.file, self.text),
        }
    }
}
