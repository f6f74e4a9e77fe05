//! The blocks of the answers: response, its errors, identity.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::CallAuth;
use crate::outbound::Method;
use crate::vault::provider::template::{Template, UrlTemplate};
use crate::vault::provider::text::{Period, Place, Pointer};

/// How the answer of a token endpoint is read: RFC 6749 §5.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Response {
    /// `json`, `form` (`access_token=…&…`), or `any`.
    pub(crate) format: Format,
    /// Where the tokens are: JSON pointers (RFC 6901), the first that has an access token counts.
    pub(crate) root: Vec<Pointer>,
    /// The access token, below the root, as are the next seven.
    pub(crate) access_token: Pointer,
    /// Its type.
    pub(crate) token_type: Pointer,
    /// The refresh token.
    pub(crate) refresh_token: Pointer,
    /// The ID token.
    pub(crate) id_token: Pointer,
    /// The scopes: a text or a list.
    pub(crate) scope: Pointer,
    /// When the access token expires.
    pub(crate) expires_in: Pointer,
    /// When the refresh token expires.
    pub(crate) refresh_expires_in: Pointer,
    /// What the two times are: `seconds` or `milliseconds` from now, or `epoch_seconds` or
    /// `epoch_milliseconds`.
    pub(crate) expires_unit: Unit,
    /// How long an access token lives when the answer does not say: a period, or `never`. Left out,
    /// an hour is assumed.
    pub(crate) expires_default: Option<Expiry>,
    /// What a successful answer has: other than this, a 200 is an error.
    pub(crate) success: Option<Success>,
    /// How errors are read.
    pub(crate) errors: Errors,
}

impl Default for Response {
    fn default() -> Self {
        let at = Pointer::known;
        Self {
            format: Format::Json,
            root: vec![at("")],
            access_token: at("/access_token"),
            token_type: at("/token_type"),
            refresh_token: at("/refresh_token"),
            id_token: at("/id_token"),
            scope: at("/scope"),
            expires_in: at("/expires_in"),
            refresh_expires_in: at("/refresh_token_expires_in"),
            expires_unit: Unit::Seconds,
            expires_default: None,
            success: None,
            errors: Errors::default(),
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// What it turns out to be.
    Any,
}

/// What a time in an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Seconds from now.
    #[default]
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// A moment, in seconds since 1970.
    EpochSeconds,
    /// A moment, in milliseconds since 1970.
    EpochMilliseconds,
}

/// How long an access token lives when the answer does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// So long.
    After(Period),
    /// It does not expire.
    Never,
}

/// What a successful answer has.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Success {
    /// Where.
    pub(crate) at: Pointer,
    /// The value there.
    pub(crate) equals: Value,
}

/// How errors are read: RFC 6749 §5.2, and what providers have made of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Errors {
    /// Where the code is; the first that is a text or a number counts.
    pub(crate) code: Vec<Pointer>,
    /// Where a finer code is.
    pub(crate) subtype: Vec<Pointer>,
    /// Where the text for people is.
    pub(crate) description: Vec<Pointer>,
    /// Where it says for how many seconds it wants to be left alone.
    pub(crate) retry_after: Pointer,
    /// Codes, or finer codes, that mean that the grant is over, besides `invalid_grant`.
    pub(crate) grant_dead: Vec<String>,
    /// Texts in the description of an error that mean that the grant is over, for a provider whose
    /// codes do not say it.
    pub(crate) grant_dead_texts: Vec<String>,
    /// Codes that mean that our client is refused, besides `invalid_client`, `deleted_client` and
    /// `unauthorized_client`.
    pub(crate) client_broken: Vec<String>,
    /// Texts in the description of an error that mean that our client is refused, for a provider
    /// whose codes do not say it.
    pub(crate) client_broken_texts: Vec<String>,
    /// Codes that mean that we are too fast, besides the status 429.
    pub(crate) throttled: Vec<String>,
    /// Codes that mean that the provider has trouble, besides `server_error` and
    /// `temporarily_unavailable`.
    pub(crate) transient: Vec<String>,
    /// Codes that mean that the request is refused, although their status says something else.
    pub(crate) bad_request: Vec<String>,
}

impl Default for Errors {
    fn default() -> Self {
        let at = |places: &[&'static str]| places.iter().map(|own| Pointer::known(own)).collect();
        Self {
            code: at(&["/error", "/error/status", "/error/code"]),
            subtype: at(&["/error_subtype"]),
            description: at(&["/error_description", "/error/message", "/message"]),
            retry_after: Pointer::known("/retry_after"),
            grant_dead: Vec::new(),
            grant_dead_texts: Vec::new(),
            client_broken: Vec::new(),
            client_broken_texts: Vec::new(),
            throttled: Vec::new(),
            transient: Vec::new(),
            bad_request: Vec::new(),
        }
    }
}

/// How it is known whose account it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Identity {
    /// Where it says so: `id_token`, `answer` (the token answer), `call`, or `none` (each subject
    /// has one account, and nobody knows which).
    pub(crate) from: IdentityFrom,
    /// The method of the call.
    #[serde(deserialize_with = "super::super::text::some_method")]
    #[schemars(with = "Option<super::super::text::MethodName>")]
    pub(crate) method: Option<Method>,
    /// The URL of the call. Left out, the userinfo endpoint of the metadata. `{access_token}` may
    /// stand in it and in the values below.
    pub(crate) url: Option<UrlTemplate>,
    /// How the caller proves who it is: `bearer` (the access token), `client` (as in `[token]`),
    /// `basic`, `post`, or `none`.
    pub(crate) auth: CallAuth,
    /// The parameters of the call, sent as a form.
    pub(crate) params: BTreeMap<String, Template>,
    /// More header fields of the call.
    pub(crate) headers: BTreeMap<String, Template>,
    /// The body of the call, as it is; JSON.
    pub(crate) body: Option<String>,
    /// What identifies the account, never its address: a JSON pointer, or `$` and the name of a
    /// variable. Several are joined by `:`.
    pub(crate) sub: Vec<Place>,
    /// The address, to show; of several the first that is there.
    pub(crate) email: Vec<Place>,
    /// The name, to show; of several the first that is there.
    pub(crate) name: Vec<Place>,
    /// The organisation, to show; of several the first that is there.
    pub(crate) organization: Vec<Place>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            from: IdentityFrom::None,
            method: None,
            url: None,
            auth: CallAuth::Bearer,
            params: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: None,
            sub: Vec::new(),
            email: Vec::new(),
            name: Vec::new(),
            organization: Vec::new(),
        }
    }
}

/// Where it says whose account it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentityFrom {
    /// The claims of the ID token.
    IdToken,
    /// The token answer.
    Answer,
    /// A call of its own.
    Call,
    /// Nowhere.
    #[default]
    None,
}
