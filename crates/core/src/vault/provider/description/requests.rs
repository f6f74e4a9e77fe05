//! The blocks of the requests: authorize, token, refresh, client credentials, revoke.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::yes;
use crate::outbound::Method;
use crate::vault::provider::template::{Template, UrlTemplate};
use crate::vault::provider::text::Period;

/// Where the browser is sent: RFC 6749 §4.1.1.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Authorize {
    /// The authorization endpoint. Left out, where the metadata say.
    pub(crate) url: Option<UrlTemplate>,
    /// More parameters, or other values for the usual ones.
    pub(crate) params: BTreeMap<String, Template>,
    /// Other names for parameters: `{ scope = "user_scope" }`.
    pub(crate) rename: BTreeMap<String, String>,
    /// PKCE: `S256`, or `off` for a provider that refuses it.
    pub(crate) pkce: Pkce,
    /// Why PKCE is off.
    pub(crate) pkce_off_because: Option<String>,
    /// Parameters that make the provider show its consent page, and so give a refresh token.
    pub(crate) force_consent: BTreeMap<String, Template>,
    /// The parameter that names the expected account; left out when there is none.
    pub(crate) login_hint: Option<String>,
    /// The `iss` that the callback has (RFC 9207), if the provider sends one.
    pub(crate) issuer: Option<Template>,
}

/// Whether the code is bound to who asked for it: RFC 7636.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Pkce {
    /// With SHA-256.
    #[default]
    S256,
    /// Not.
    #[serde(rename = "off")]
    Off,
}

/// The call that exchanges a code: RFC 6749 §4.1.3.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Call {
    /// The token endpoint. Left out, where the metadata say.
    pub(crate) url: Option<UrlTemplate>,
    /// How the client proves who it is: `basic` (RFC 6749 §2.3.1), `post` (in the body),
    /// `private_key_jwt` (RFC 7523), `none`. Left out, what the metadata say, or `basic`.
    pub(crate) auth: Option<ClientAuth>,
    /// The audience of a `private_key_jwt`. Left out, the URL of the call.
    pub(crate) audience: Option<Template>,
    /// How the parameters are sent: `form`, or `json`.
    pub(crate) body: Option<Body>,
    /// More header fields, or other values for the usual ones.
    pub(crate) headers: Option<BTreeMap<String, Template>>,
    /// More parameters, or other values for the usual ones.
    pub(crate) params: BTreeMap<String, Template>,
    /// Other names for parameters: `{ client_id = "client_key" }`.
    pub(crate) rename: Option<BTreeMap<String, String>>,
}

/// The call that refreshes: RFC 6749 §6.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Refresh {
    /// Whether there are refresh tokens at all.
    pub(crate) supported: bool,
    /// The URL.
    pub(crate) url: Option<UrlTemplate>,
    /// As in `[token]`.
    pub(crate) auth: Option<ClientAuth>,
    /// As in `[token]`.
    pub(crate) audience: Option<Template>,
    /// As in `[token]`.
    pub(crate) body: Option<Body>,
    /// As in `[token]`.
    pub(crate) headers: Option<BTreeMap<String, Template>>,
    /// More parameters, or other values for the usual ones.
    pub(crate) params: BTreeMap<String, Template>,
    /// As in `[token]`.
    pub(crate) rename: Option<BTreeMap<String, String>>,
    /// Whether an answer has a new refresh token, and the old one is over: `yes`, `no`, `unknown`.
    pub(crate) rotation: Rotation,
    /// Whether what is exchanged is the access token, which must still live then: it is exchanged
    /// ahead of its end, used or not.
    pub(crate) while_alive: bool,
    /// How long a refresh token lives without being used.
    pub(crate) idle: Option<Period>,
    /// How long a refresh token lives in any case, when the answer does not say.
    pub(crate) lifetime: Option<Period>,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            supported: yes(),
            url: None,
            auth: None,
            audience: None,
            body: None,
            headers: None,
            params: BTreeMap::new(),
            rename: None,
            rotation: Rotation::Unknown,
            while_alive: false,
            idle: None,
            lifetime: None,
        }
    }
}

/// Whether a refresh spends the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Rotation {
    /// The answer has a new one.
    Yes,
    /// The same one works again.
    No,
    /// It is learnt from each connection.
    #[default]
    Unknown,
}

/// The call that gets a token for the client itself: RFC 6749 §4.4.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClientCredentials {
    /// The URL.
    pub(crate) url: Option<UrlTemplate>,
    /// As in `[token]`.
    pub(crate) auth: Option<ClientAuth>,
    /// As in `[token]`.
    pub(crate) audience: Option<Template>,
    /// As in `[token]`.
    pub(crate) body: Option<Body>,
    /// As in `[token]`.
    pub(crate) headers: Option<BTreeMap<String, Template>>,
    /// More parameters, or other values for the usual ones.
    pub(crate) params: BTreeMap<String, Template>,
    /// As in `[token]`.
    pub(crate) rename: Option<BTreeMap<String, String>>,
    /// The scopes that are asked for when an integration names none.
    pub(crate) scopes: Vec<String>,
}

/// How the client proves who it is at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuth {
    /// RFC 6749 §2.3.1: a header.
    Basic,
    /// RFC 6749 §2.3.1: in the body.
    Post,
    /// RFC 7523 §2.2: an assertion that is signed with a private key.
    PrivateKeyJwt,
    /// A public client: `client_id` alone.
    None,
}

/// How parameters are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`, an object.
    Json,
}

/// How scopes are written into a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// All that is not a letter, a digit or one of `-._~` is `%XX`.
    #[default]
    Percent,
    /// The same, but a space is `+`.
    Plus,
    /// `,` `:` `/` and `+` stay as they are.
    Plain,
}

/// The call that gives a grant back: RFC 7009, and what came before it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    /// `POST`, `GET` or `DELETE`.
    #[serde(default = "post", deserialize_with = "super::super::text::method")]
    #[schemars(with = "super::super::text::MethodName")]
    pub(crate) method: Method,
    /// The URL. Left out, where the metadata say. `{access_token}` and `{refresh_token}` may stand
    /// in it.
    #[serde(default)]
    pub(crate) url: Option<UrlTemplate>,
    /// Which token is given back: `refresh` (the access token when there is none), or `access`.
    #[serde(default)]
    pub(crate) token: Which,
    /// The parameter that has the token; left out when the URL or a header has it.
    #[serde(default)]
    pub(crate) parameter: Option<String>,
    /// How the caller proves who it is: `client` (as in `[token]`), `basic`, `post`, `bearer` (the
    /// access token), or `none`.
    #[serde(default = "client")]
    pub(crate) auth: CallAuth,
    /// How the parameters are sent: `form`, `json`, or `none`.
    #[serde(default)]
    pub(crate) body: RevokeBody,
    /// More header fields.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
    /// More parameters.
    #[serde(default)]
    pub(crate) params: BTreeMap<String, Template>,
    /// Statuses that mean that the grant is over.
    #[serde(default = "ok")]
    pub(crate) done: Vec<u16>,
    /// Error codes that mean that it was over before.
    #[serde(default)]
    pub(crate) done_errors: Vec<String>,
    /// What of an account ends with one grant: all that it has granted to the `client`, or to every
    /// client of its `project`, the number that client ids begin with.
    #[serde(default)]
    pub(crate) shared: Shared,
}

/// Who shares the grant of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shared {
    /// Those with the same client id.
    #[default]
    Client,
    /// Those with a client id of the same project.
    Project,
}

/// Which token is given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// The refresh token, or the access token when there is none.
    #[default]
    Refresh,
    /// The access token.
    Access,
}

/// How the caller proves who it is, where that need not be the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CallAuth {
    /// As in `[token]`.
    Client,
    /// The client, in a header.
    Basic,
    /// The client, in the body.
    Post,
    /// The access token, in a header.
    Bearer,
    /// Not at all: the token is enough.
    None,
}

/// How the parameters of `[revoke]` are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RevokeBody {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`, an object.
    Json,
    /// There is no body.
    None,
}

const fn post() -> Method {
    Method::Post
}

const fn client() -> CallAuth {
    CallAuth::Client
}

fn ok() -> Vec<u16> {
    vec![200, 204]
}
