//! The calls that are made at a provider, and what their answers mean.

use std::collections::BTreeMap;

use crate::model::{Account, Scope};
use crate::outbound::{Request, Response};
use crate::time::Timestamp;
use crate::vault::Integration;
use crate::vault::answer::{ProviderFailure, TokenAnswer};

use super::Provider;

/// With what a provider's calls are filled in.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Our side: client id, secret, redirect URI, the operator's variables.
    pub integration: &'a Integration,
    /// What the provider has told about this connection (data centre, `instance_url`).
    pub variables: &'a BTreeMap<String, String>,
    /// A unique value for a `private_key_jwt` assertion.
    pub jti: &'a str,
    /// The moment.
    pub now: Timestamp,
}

/// What the browser is sent to the provider with.
#[derive(Clone, Debug)]
pub struct AuthorizeUrl<'a> {
    /// The scopes to ask for.
    pub scope: &'a Scope,
    /// The `state`.
    pub state: &'a str,
    /// The PKCE challenge (S256); left out when the provider cannot do it.
    pub challenge: &'a str,
    /// The nonce; left out when the provider has no ID tokens.
    pub nonce: &'a str,
    /// The account that is expected.
    pub login_hint: Option<&'a str>,
    /// Whether the consent page must be shown, so that there is a refresh token.
    pub force_consent: bool,
}

/// What the browser comes back with, errors already told apart.
#[derive(Clone, Debug)]
pub struct Callback<'a> {
    /// The code.
    pub code: &'a str,
    /// The PKCE verifier.
    pub verifier: &'a str,
    /// The parameters of the callback that the description wants as variables.
    pub parameters: &'a BTreeMap<String, String>,
}

#[expect(clippy::todo, unused_variables, reason = "skeleton")]
impl Provider {
    /// The scopes to ask for unless the operator names others.
    pub fn default_scope(&self) -> Scope {
        todo!()
    }

    /// Where the browser is sent: RFC 6749 §4.1.1.
    pub fn authorize_url(&self, ctx: &Context<'_>, asked: &AuthorizeUrl<'_>) -> String {
        todo!()
    }

    /// The `iss` that an answer to the browser must have (RFC 9207), if the provider sends one.
    pub fn callback_issuer(&self) -> Option<&str> {
        todo!()
    }

    /// The names of callback parameters that become variables.
    pub fn callback_variables(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }

    /// The exchange of a code: RFC 6749 §4.1.3.
    pub fn exchange(&self, ctx: &Context<'_>, back: &Callback<'_>) -> Request {
        todo!()
    }

    /// A refresh: RFC 6749 §6.
    pub fn refresh(&self, ctx: &Context<'_>, refresh_token: &str) -> Request {
        todo!()
    }

    /// A token for the client itself: RFC 6749 §4.4.
    pub fn client_credentials(&self, ctx: &Context<'_>, scope: &Scope) -> Request {
        todo!()
    }

    /// Reads the answer to any of the three; `ctx.now` is the start of the request.
    pub fn tokens(
        &self,
        ctx: &Context<'_>,
        answer: &Response,
    ) -> Result<TokenAnswer, ProviderFailure> {
        todo!()
    }

    /// The call that names the account; `None` when the token answer or the ID token names it.
    pub fn identity(&self, ctx: &Context<'_>, tokens: &TokenAnswer) -> Option<Request> {
        todo!()
    }

    /// The account, from the verified claims of the ID token, the token answer, or the answer to
    /// [`Provider::identity`], as the description says.
    pub fn account(
        &self,
        claims: Option<&serde_json::Value>,
        tokens: &TokenAnswer,
        answer: Option<&Response>,
    ) -> Result<Account, ProviderFailure> {
        todo!()
    }

    /// Giving a grant back: RFC 7009; `None` when the provider cannot.
    pub fn revoke(
        &self,
        ctx: &Context<'_>,
        access: &str,
        refresh: Option<&str>,
    ) -> Option<Request> {
        todo!()
    }

    /// Whether an answer to [`Provider::revoke`] means that the grant is over.
    pub fn revoked(&self, answer: &Response) -> bool {
        todo!()
    }
}
