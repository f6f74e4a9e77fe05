//! What a provider's token endpoint has answered, in one form for all providers: RFC 6749 §5.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::model::Scope;
use crate::time::{Seconds, Timestamp};

/// Tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// The refresh token; an empty one counts as none.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The ID token.
    pub id_token: Option<Zeroizing<String>>,
    /// The scopes that are granted, by their canonical names; `None` when the provider does not say.
    pub scope: Option<Scope>,
    /// When the access token expires, counted from the start of the request; `None` when it never does.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token expires, if the provider says.
    pub refresh_expires_at: Option<Timestamp>,
    /// What later calls need: `instance_url`, a data centre.
    pub variables: BTreeMap<String, String>,
    /// The whole answer as JSON, for providers that name the account in it.
    pub raw: serde_json::Value,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenAnswer({:?}, expires {:?})", self.scope, self.expires_at)
    }
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class:?}: {detail}")]
pub struct ProviderFailure {
    /// What to do about it.
    pub class: FailureClass,
    /// The provider's error code.
    pub error: Option<String>,
    /// The provider's finer code (`invalid_rapt`).
    pub error_subtype: Option<String>,
    /// What it said, for the operator; up to 300 printable characters, never a token.
    pub detail: String,
    /// How long it wants to be left alone.
    pub retry_after: Option<Seconds>,
}

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The grant is over: `invalid_grant`, and what the provider calls so.
    GrantDead,
    /// The provider refuses our client: `invalid_client`, `unauthorized_client`, 401.
    ClientBroken,
    /// It refuses the request: `invalid_scope`, `invalid_request`, `unsupported_grant_type`.
    BadRequest,
    /// It wants us to slow down: 429, rate codes.
    Throttled,
    /// It could not: no connection, 5xx, 408, an HTML page. It has not done what was asked.
    Transient,
    /// It may have done what was asked: a time-out after sending, a 200 that does not parse.
    UnknownOutcome,
}

impl FailureClass {
    /// Whether a provider that answers so has taken our client for what it is.
    pub const fn takes_our_client(self) -> bool {
        match self {
            Self::GrantDead | Self::BadRequest => true,
            Self::ClientBroken | Self::Throttled | Self::Transient | Self::UnknownOutcome => false,
        }
    }

    /// Its name in metrics, records and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GrantDead => "grant_dead",
            Self::ClientBroken => "client_broken",
            Self::BadRequest => "bad_request",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::UnknownOutcome => "unknown_outcome",
        }
    }
}
