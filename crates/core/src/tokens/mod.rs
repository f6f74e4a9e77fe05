//! What is issued: opaque access tokens, refresh tokens and ID tokens.

mod access;
mod hint;
mod id_token;
mod refresh;

pub use access::read_access;
pub use hint::{Hint, read_hint};

pub(crate) use access::mint_access;
pub(crate) use id_token::mint_id_token;
pub(crate) use refresh::{mint_refresh, successor};

use serde::Serialize;

use crate::model::Scope;
use crate::time::Seconds;

/// A successful answer of the token endpoint: RFC 6749 §5.1.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How it is used: RFC 6750.
    pub token_type: &'static str,
    /// How long it lives.
    pub expires_in: Seconds,
    /// The refresh token, if the client may refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What the access token opens; always there, also when it is what was asked for.
    pub scope: Scope,
    /// The ID token, if the scope has `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
