//! The form of a description: what an operator writes, key by key.
//!
//! The comments here are the reference that people read (`grantor provider format`), and the types
//! are the schema that a file is held to.

mod answers;
mod requests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use answers::{Errors, Expiry, Format, Identity, IdentityFrom, Response, Unit};
pub(crate) use requests::{
    Authorize, Body, Call, CallAuth, ClientAuth, ClientCredentials, Encoding, Pkce, Refresh,
    Revoke, RevokeBody, Rotation, Shared, Which,
};

use super::template::{Template, UrlTemplate};
use super::variable::Variable;
use crate::jose::Algorithm;

/// How a provider is spoken to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// What people read: `Google`.
    pub(crate) label: String,
    /// The description that this one starts from: its keys hold unless they are given here, too.
    /// Tables are merged, everything else replaces; `false` takes a key of the other away.
    #[serde(default)]
    pub(crate) extends: Option<String>,
    /// The pages of the provider that this was written after.
    #[serde(default)]
    pub(crate) documentation: Vec<String>,
    /// What may stand in `{…}` in URLs and values, by name.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Variable>,
    /// The names of scopes.
    #[serde(default)]
    pub(crate) scopes: Scopes,
    /// Where the provider's metadata are, if it has any: they name the URLs that are left out here.
    #[serde(default)]
    pub(crate) discovery: Option<Discovery>,
    /// Where the browser is sent; without it no person can connect.
    #[serde(default)]
    pub(crate) authorize: Option<Authorize>,
    /// The call that exchanges a code.
    #[serde(default)]
    pub(crate) token: Call,
    /// The call that refreshes. What is left out is as in `[token]`, but for `params`.
    #[serde(default)]
    pub(crate) refresh: Refresh,
    /// The call that gets a token for the client itself, if the provider has that. What is left out
    /// is as in `[token]`, but for `params`.
    #[serde(default)]
    pub(crate) client_credentials: Option<ClientCredentials>,
    /// How the answer to any of the three is read.
    #[serde(default)]
    pub(crate) response: Response,
    /// The rules for ID tokens, if the provider gives any.
    #[serde(default)]
    pub(crate) id_token: Option<IdToken>,
    /// How it is known whose account it is.
    #[serde(default)]
    pub(crate) identity: Identity,
    /// The call that gives a grant back, if the provider has one.
    #[serde(default)]
    pub(crate) revoke: Option<Revoke>,
    /// What may be called through the proxy.
    #[serde(default)]
    pub(crate) proxy: Option<Proxy>,
}

/// The names of scopes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Scopes {
    /// What stands between two scopes in a request.
    pub(crate) separator: String,
    /// What stands between two scopes in an answer, if it is something else.
    pub(crate) answer_separator: Option<String>,
    /// How they are written into the authorize URL: `percent` (`%20`, `%2C`), `plus` (a space is
    /// `+`), `plain` (the separator and `:` `/` stay as they are, a space is `%20`).
    pub(crate) encoding: Encoding,
    /// Asked for when an integration names no scopes.
    pub(crate) default: Vec<String>,
    /// Without these a connection is of no use, when an integration names none.
    pub(crate) required: Vec<String>,
    /// Asked for every time, so that there is a refresh token or an ID token.
    pub(crate) always: Vec<String>,
    /// Never asked for: other providers know them, this one answers with an error.
    pub(crate) ignored: Vec<String>,
    /// Never listed in an answer: granted when asked for.
    pub(crate) silent: Vec<String>,
    /// With what the name of a scope may begin, without being another scope.
    pub(crate) prefix: Option<String>,
    /// Other names of a scope, each with the one that is kept.
    pub(crate) aliases: BTreeMap<String, String>,
    /// What a scope includes: whoever was granted it has these, too.
    pub(crate) includes: BTreeMap<String, Vec<String>>,
    /// Whether the answer lists what is granted; otherwise it is what was asked for.
    pub(crate) echoed: bool,
}

impl Default for Scopes {
    fn default() -> Self {
        Self {
            separator: " ".to_owned(),
            answer_separator: None,
            encoding: Encoding::Percent,
            default: Vec::new(),
            required: Vec::new(),
            always: Vec::new(),
            ignored: Vec::new(),
            silent: Vec::new(),
            prefix: None,
            aliases: BTreeMap::new(),
            includes: BTreeMap::new(),
            echoed: true,
        }
    }
}

/// Where the provider's metadata are: OpenID Connect Discovery 1.0, RFC 8414.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Discovery {
    /// The document.
    pub(crate) url: UrlTemplate,
    /// The `issuer` that it must have.
    pub(crate) issuer: UrlTemplate,
}

/// The rules for ID tokens: OpenID Connect Core 1.0 §3.1.3.7.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdToken {
    /// The issuers that are accepted; `{claim.NAME}` stands for a claim of the token. Left out, the
    /// one of the metadata.
    #[serde(default)]
    pub(crate) issuers: Vec<Template>,
    /// Where the keys are. Left out, where the metadata say.
    #[serde(default)]
    pub(crate) jwks_uri: Option<UrlTemplate>,
    /// The algorithms that may sign.
    #[serde(default = "rs256")]
    #[schemars(with = "Vec<String>")]
    pub(crate) algorithms: Vec<Algorithm>,
    /// Whether the provider puts the nonce of the request into the ID token.
    #[serde(default = "yes")]
    pub(crate) nonce: bool,
}

/// What may be called through the proxy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proxy {
    /// What a path is put after.
    pub(crate) base: UrlTemplate,
    /// Other hosts of its API: a name, or `*.` and a name for everything below it.
    #[serde(default)]
    pub(crate) hosts: Vec<Template>,
    /// Header fields of each call besides `Authorization`.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
}

pub(crate) const fn yes() -> bool {
    true
}

fn rs256() -> Vec<Algorithm> {
    vec![Algorithm::Rs256]
}
