//! Settings of what is fetched from others, and of whose word is taken.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Algorithm;

/// What is fetched from others.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Outbound {
    /// Whether addresses may be asked that are not public: loopback, private networks, link-local.
    pub(crate) allow_private: bool,
    /// Names or IP addresses of hosts that may be anywhere, and without TLS.
    pub(crate) allowed_hosts: Vec<String>,
    /// The URL of the proxy that all these requests go through. It then resolves names, and has to
    /// keep requests away from private addresses itself. What the environment says is not used.
    pub(crate) proxy: Option<String>,
}

/// An issuer whose assertions are grants (RFC 7523 §2.1): its signed word that somebody is there is
/// enough for a client that is registered for `urn:ietf:params:oauth:grant-type:jwt-bearer`. Its
/// keys are in one of `jwks`, `jwks_file` and `jwks_uri`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrustedIssuer {
    /// The `iss` claim of its assertions.
    pub(crate) issuer: String,
    /// Its public keys: a JWK set as JSON text.
    pub(crate) jwks: Option<String>,
    /// A file with its public keys, a JWK set.
    pub(crate) jwks_file: Option<PathBuf>,
    /// Where its public keys are.
    pub(crate) jwks_uri: Option<String>,
    /// What it may sign with.
    #[serde(default = "all")]
    pub(crate) algorithms: Vec<Algorithm>,
    /// What the `sub` claim names.
    #[serde(default)]
    pub(crate) subject: Subject,
}

/// What the `sub` claim of an assertion names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// The id of an account, as this server's own `sub`.
    #[default]
    Id,
    /// The username of an account.
    Username,
    /// The address of an account.
    Email,
}

impl TrustedIssuer {
    /// The keys that are in the settings or in a file.
    pub(crate) fn set(&self) -> Result<Option<Value>, String> {
        let text = match (&self.jwks, &self.jwks_file, &self.jwks_uri) {
            (Some(text), None, None) => text.clone(),
            (None, Some(file), None) => std::fs::read_to_string(file)
                .map_err(|error| format!("cannot read {}: {error}", file.display()))?,
            (None, None, Some(_)) => return Ok(None),
            _ => return Err("set exactly one of jwks, jwks_file and jwks_uri".to_owned()),
        };
        let set: Value = serde_json::from_str(&text)
            .map_err(|error| format!("the key set is not valid JSON: {error}"))?;
        let usable = grantor_core::jose::JwkSet::parse(&set).map_err(|error| error.to_string())?;
        if usable.keys.is_empty() {
            return Err("the key set has no public key for RS256, PS256, ES256 or EdDSA".to_owned());
        }
        Ok(Some(set))
    }
}

fn all() -> Vec<Algorithm> {
    vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256]
}
