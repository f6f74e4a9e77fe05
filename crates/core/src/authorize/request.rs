//! What an authorization request asks for: RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1.

use std::sync::Arc;

use super::claims::Claims;
use super::prompt::Prompt;
use super::redirect_uri::ReturnTo;
use crate::error::Refusal;
use crate::id::UserId;
use crate::model::{Challenge, ClaimsRequest, Client, GrantType, MethodName, ResponseType, Scope};
use crate::params::Params;
use crate::time::Seconds;

/// A request that passed every check.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// What the answer holds.
    pub response_type: ResponseType,
    /// Whether the request named the redirect URI.
    pub redirect_uri_given: bool,
    /// What is asked for.
    pub scope: Scope,
    /// For which resources: RFC 8707.
    pub resource: Vec<String>,
    /// Claims that are asked for one by one.
    pub claims: ClaimsRequest,
    /// Repeated in the ID token.
    pub nonce: Option<String>,
    /// RFC 7636.
    pub challenge: Option<Challenge>,
    /// Which pages must or must not be shown.
    pub prompt: Prompt,
    /// How old the sign-in may be.
    pub max_age: Option<Seconds>,
    /// Who the client thinks it is.
    pub login_hint: Option<String>,
    /// In which languages to speak, best first.
    pub ui_locales: Option<String>,
    /// Who it must be.
    pub subject: Option<UserId>,
    /// How the person should sign in.
    pub acr_values: AcrValues,
}

impl AuthorizationRequest {
    /// The scopes that a person must have consented to: those asked for, and those whose claims
    /// are asked for one by one.
    pub fn scope_to_consent(&self) -> Scope {
        super::claims::implied_scope(&self.claims)
            .map_or_else(|| self.scope.clone(), |implied| self.scope.union(&implied))
    }
}

/// The sign-in methods that a client asks for: OpenID Connect Core 1.0 §3.1.2.1 and §5.5.1.1.
#[derive(Clone, Debug, Default)]
pub struct AcrValues {
    /// Any of these will do; empty for any at all.
    pub methods: Vec<MethodName>,
    /// Whether nothing else will do.
    pub essential: bool,
}

/// Request objects and self-issued registrations are for later; a client that sends one must
/// know that it was not read.
// OpenID Connect Core 1.0 §6.1, §6.2, §7.2.1
pub(super) fn refuse_objects(params: &Params<'_>) -> Result<(), Refusal> {
    if params.get("request").is_some() {
        return Err(Refusal::RequestObject {});
    }
    if params.get("request_uri").is_some() {
        return Err(Refusal::RequestUri {});
    }
    if params.get("registration").is_some() {
        return Err(Refusal::Registration {});
    }
    Ok(())
}

pub(super) fn response_type(client: &Client, params: &Params<'_>) -> Result<ResponseType, Refusal> {
    // RFC 6749 §4.1.1: response_type is required.
    let asked = ResponseType::parse(params.required("response_type")?);
    let asked = asked.ok_or(Refusal::ResponseTypeUnsupported {})?;
    // RFC 6749 §4.1.2.1: unauthorized_client. A code needs the one grant, what comes beside it the other.
    let may = |needed: bool, grant| !needed || client.may_use(grant);
    let granted = may(asked.has_code(), GrantType::AuthorizationCode)
        && may(asked.is_front_channel(), GrantType::Implicit);
    if !granted || !client.response_types.contains(&asked) {
        return Err(Refusal::ClientNotForGrant { asked: asked.as_str() });
    }
    Ok(asked)
}

/// RFC 6749 §10.12 leaves binding an answer to its request to the client; with an ID token in the
/// browser the nonce is what does it.
pub(super) fn nonce(
    response_type: ResponseType,
    scope: &Scope,
    params: &Params<'_>,
) -> Result<Option<String>, Refusal> {
    let nonce = text(params, "nonce", 512)?;
    if response_type.has_id_token() {
        // OpenID Connect Core 1.0 §3.1.2.1: an ID token is for requests with the scope openid.
        if !scope.contains("openid") {
            return Err(Refusal::OpenidNeeded {});
        }
        // OpenID Connect Core 1.0 §3.2.2.1, §3.3.2.11: the nonce is required.
        if nonce.is_none() {
            return Err(Refusal::NonceNeeded {});
        }
    }
    Ok(nonce)
}

pub(super) fn max_age(params: &Params<'_>) -> Result<Option<Seconds>, Refusal> {
    let Some(text) = params.get("max_age") else {
        return Ok(None);
    };
    let seconds = text.parse().map_err(|_| Refusal::BadParameter {
        name: "max_age",
        want: "a number of seconds, 0 or more",
    })?;
    Ok(Some(Seconds(seconds)))
}

/// A parameter of free text, up to `most` bytes.
pub(super) fn text(
    params: &Params<'_>,
    name: &'static str,
    most: usize,
) -> Result<Option<String>, Refusal> {
    match params.get(name) {
        Some(text) if text.len() > most => {
            Err(Refusal::BadParameter { name, want: "it is too long" })
        }
        other => Ok(other.map(ToOwned::to_owned)),
    }
}

pub(super) fn acr_values(params: &Params<'_>, claims: &Claims) -> AcrValues {
    if claims.essential_acr.is_empty() {
        let asked = params.get("acr_values").unwrap_or_default();
        let methods = asked.split(' ').filter_map(MethodName::parse).collect();
        return AcrValues { methods, essential: false };
    }
    let asked = claims.essential_acr.iter();
    AcrValues { methods: asked.filter_map(|acr| MethodName::parse(acr)).collect(), essential: true }
}
