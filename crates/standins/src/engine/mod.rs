//! The engine behind every provider but Google: a table describes one, this plays it.
//!
//! Everything here is synchronous and under one lock for each provider, so that what is single-use
//! is used once.

pub(crate) mod answer;
pub(crate) mod api;
mod authorize;
mod control;
pub(crate) mod id_token;
pub(crate) mod ledger;
pub(crate) mod lives;
mod page;
pub(crate) mod people;
pub(crate) mod provider;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod serve;
pub(crate) mod token;

use std::fmt;

/// The client that a provider knows.
#[derive(Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where people may be sent back to, compared as text; anywhere where this is empty.
    pub redirect_uris: Vec<String>,
}

impl Client {
    /// Whether these are its credentials.
    pub(crate) fn is(&self, id: &str, secret: &str) -> bool {
        self.id == id && self.secret == secret
    }

    /// Whether people may be sent back here.
    pub(crate) fn may_return_to(&self, uri: &str) -> bool {
        self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} {:?}, secret not shown)", self.id, self.redirect_uris)
    }
}

impl Default for Client {
    /// Back to anywhere.
    fn default() -> Self {
        Self {
            id: "standin-client".to_owned(),
            secret: "standin-secret".to_owned(),
            redirect_uris: Vec::new(),
        }
    }
}
