//! What is issued: access tokens, refresh tokens and ID tokens.

mod access;
mod hint;
mod id_token;
mod issue;
mod jwt;
mod refresh;

pub use access::{ActiveToken, read_access};
pub use hint::{Hint, read_hint};

pub(crate) use access::{Access, MintedAccess, mint_access, subject_active};
pub(crate) use id_token::{IdToken, mint_id_token};
pub(crate) use issue::{Granted, issue};
pub(crate) use refresh::successor;

use std::borrow::Cow;

use serde::Serialize;

use crate::model::{Refresh, Scope};
use crate::time::{Seconds, Timestamp};

/// A successful answer of the token endpoint: RFC 6749 §5.1.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// What kind of token that is, after a token exchange: RFC 8693 §2.2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// How it is used: RFC 6750.
    pub token_type: Cow<'static, str>,
    /// How long it lives; nothing for a provider's token that never expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Seconds>,
    /// The refresh token, if the client may refresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What the access token opens; always there, also when it is what was asked for.
    pub scope: Scope,
    /// The ID token, if the scope has `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl TokenResponse {
    /// An access token alone.
    pub(crate) const fn bearer(access_token: String, expires_in: Seconds, scope: Scope) -> Self {
        Self {
            access_token,
            issued_token_type: None,
            token_type: Cow::Borrowed("Bearer"),
            expires_in: Some(expires_in),
            refresh_token: None,
            scope,
            id_token: None,
        }
    }
}

/// When nothing of a family can be alive any more.
pub(crate) fn no_expiry_before(access: Timestamp, refresh: Option<&Refresh>) -> Timestamp {
    refresh.map_or(access, |refresh| access.max(refresh.expires_at))
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
