//! Settings of the protocol: grants, resources, registration, origins of scripts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Algorithm;

/// Grants that need a decision.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Grants {
    /// Whether clients that are registered for it may send a person's name and password to `/token`
    /// (RFC 6749 §4.3). Best current practice forbids it (RFC 9700 §2.4): for clients that cannot
    /// change.
    pub(crate) password: bool,
}

/// Who may register clients over HTTP (RFC 7591), at `/register` and `/create-client`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Registration {
    /// Who may.
    pub(crate) policy: RegistrationPolicy,
    /// Whether a client may bring a `client_id` and `client_secret` of its own choice.
    pub(crate) chosen_credentials: bool,
    /// The scopes that a client may register for by itself; by default all that exist. No person is
    /// asked about a client that acts for itself, so leave out what such a client must not have.
    pub(crate) scopes: Option<Vec<String>>,
}

/// Who may register clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RegistrationPolicy {
    /// Nobody; clients are made on the command line.
    Closed,
    /// Whoever shows an initial access token: `grantor registration-token add`.
    #[default]
    Token,
    /// Everybody who reaches the server.
    Open,
}

/// An API that tokens can be asked for by name (RFC 8707).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Resource {
    /// The scopes that mean something to it; by default all.
    pub(crate) scopes: Option<Vec<String>>,
    /// What its access tokens look like; by default what the client has.
    pub(crate) access_token_format: Option<TokenFormat>,
    /// What its JWT access tokens are signed with; by default what the client has.
    pub(crate) signing_alg: Option<Algorithm>,
}

/// What an access token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenFormat {
    /// Random; the API asks at `/introspect`.
    Opaque,
    /// Signed (RFC 9068); the API reads it itself with the keys of `/jwks.json`.
    Jwt,
}

/// Which web pages may call the server from a browser (CORS): the token endpoint, the metadata and
/// the keys, nothing else.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cors {
    /// Origins such as `https://app.example.com`; none by default.
    pub(crate) origins: Vec<String>,
}
