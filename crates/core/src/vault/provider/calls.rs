//! The calls that are made at a provider.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::json;
use zeroize::Zeroizing;

use super::Provider;
use super::description::{Encoding, Pkce, RevokeBody, Which};
use super::gaps::{Gaps, UNRESERVED};
use super::requests::{Block, Fields};
use super::rules::scope;
use super::variable::Source;
use crate::model::Scope;
use crate::outbound::{Request, Response};
use crate::time::Timestamp;
use crate::vault::Integration;

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

/// [`Encoding::Plain`]: what a query may have unescaped (RFC 3986 §3.4), and scopes often do.
const PLAIN: &AsciiSet = &UNRESERVED.remove(b',').remove(b':').remove(b'/').remove(b'+');

impl Provider {
    /// Where the browser is sent: RFC 6749 §4.1.1. Empty when a variable has no value, which
    /// [`Provider::prepare`] tells of.
    pub fn authorize_url(&self, ctx: &Context<'_>, asked: &AuthorizeUrl<'_>) -> String {
        let Some(block) = &self.description.authorize else { return String::new() };
        let gaps = Gaps::new(self, ctx);
        let mut url = gaps.endpoint(block.url.as_ref(), |m| m.authorization_endpoint.as_ref());
        if url.is_empty() {
            return url;
        }
        let mut fields = Fields::default();
        fields.set("response_type", "code");
        fields.set("client_id", &ctx.integration.client_id);
        fields.set("redirect_uri", &ctx.integration.redirect_uri);
        let scopes = self.asked(asked.scope);
        if !scopes.is_empty() {
            fields.set("scope", &self.written(&scopes));
        }
        fields.set("state", asked.state);
        if block.pkce == Pkce::S256 {
            // RFC 7636 §4.3
            fields.set("code_challenge", asked.challenge);
            fields.set("code_challenge_method", "S256");
        }
        if self.description.id_token.as_ref().is_some_and(|own| own.nonce) {
            fields.set("nonce", asked.nonce);
        }
        if let Some((name, hint)) = block.login_hint.as_ref().zip(asked.login_hint) {
            fields.set(name, hint);
        }
        fields.rename(&block.rename);
        fields.add(&block.params, &gaps);
        if asked.force_consent {
            fields.add(&block.force_consent, &gaps);
        }
        let scope = block.rename.get("scope").map_or("scope", String::as_str);
        for (name, value) in fields.iter() {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&escaped(name, UNRESERVED));
            url.push('=');
            url.push_str(&self.query_value(name == scope, value));
        }
        url
    }

    /// What is asked for: what the provider wants every time, and `scope` without what it does not
    /// know.
    pub fn asked(&self, wanted: &Scope) -> Scope {
        let scopes = &self.description.scopes;
        let all = scope(&scopes.always).union(wanted);
        all.only(|name| !scopes.ignored.iter().any(|own| own == name))
    }

    fn written(&self, scope: &Scope) -> String {
        scope.iter().collect::<Vec<_>>().join(&self.description.scopes.separator)
    }

    fn query_value(&self, is_scope: bool, value: &str) -> String {
        match (is_scope, self.description.scopes.encoding) {
            (false, _) | (true, Encoding::Percent) => escaped(value, UNRESERVED),
            (true, Encoding::Plus) => escaped(value, UNRESERVED).replace("%20", "+"),
            (true, Encoding::Plain) => escaped(value, PLAIN),
        }
    }

    /// The `iss` that an answer to the browser must have (RFC 9207), if the provider sends one; empty,
    /// which no answer can have, when a variable has no value.
    pub fn callback_issuer(&self, ctx: &Context<'_>) -> Option<String> {
        let gaps = Gaps::new(self, ctx);
        let block = self.description.authorize.as_ref()?;
        match &block.issuer {
            Some(issuer) => Some(issuer.fill(|gap| gaps.value(gap)).unwrap_or_default()),
            None => {
                let found = gaps.metadata()?;
                found.authorization_response_iss_parameter_supported.then(|| found.issuer.clone())
            }
        }
    }

    /// Whether `issuer` is known to be the provider's, by its metadata or as that of its ID tokens.
    pub fn is_issuer(&self, ctx: &Context<'_>, issuer: &str) -> bool {
        let claims = json!({ "iss": issuer });
        self.id_token(ctx).is_some_and(|rules| rules.accepts_issuer(&claims))
            || Gaps::new(self, ctx).metadata().is_some_and(|found| found.issuer == issuer)
    }

    /// The names of callback parameters that become variables.
    pub fn callback_variables(&self) -> impl Iterator<Item = &str> {
        let declared = self.description.variables.iter();
        declared
            .filter(|(_, own)| own.from == Source::Callback)
            .map(|(name, own)| own.at.as_deref().unwrap_or(name))
    }

    /// The exchange of a code: RFC 6749 §4.1.3.
    pub fn exchange(&self, ctx: &Context<'_>, back: &Callback<'_>) -> Request {
        let gaps = Gaps { callback: Some(back.parameters), ..Gaps::new(self, ctx) };
        let mut fields = Fields::default();
        fields.set("grant_type", "authorization_code");
        fields.set("code", back.code);
        // RFC 6749 §4.1.3: required when it was in the request, with the same value.
        fields.set("redirect_uri", &ctx.integration.redirect_uri);
        if self.uses_pkce() {
            // RFC 7636 §4.5
            fields.set("code_verifier", back.verifier);
        }
        self.token_call(&gaps, &Block::from(&self.description.token), fields)
    }

    /// A refresh: RFC 6749 §6.
    pub fn refresh(&self, ctx: &Context<'_>, refresh_token: &str) -> Request {
        let mut fields = Fields::default();
        fields.set("grant_type", "refresh_token");
        fields.set("refresh_token", refresh_token);
        self.token_call(&Gaps::new(self, ctx), &Block::from(&self.description.refresh), fields)
    }

    /// A token for the client itself: RFC 6749 §4.4.
    pub fn client_credentials(&self, ctx: &Context<'_>, scope: &Scope) -> Request {
        let mut fields = Fields::default();
        fields.set("grant_type", "client_credentials");
        if !scope.is_empty() {
            fields.set("scope", &self.written(scope));
        }
        let usual = Block::from(&self.description.token);
        let own = self.description.client_credentials.as_ref().map(Block::from);
        self.token_call(&Gaps::new(self, ctx), own.as_ref().unwrap_or(&usual), fields)
    }

    /// Giving a grant back: RFC 7009; `None` when the provider cannot.
    pub fn revoke(
        &self,
        ctx: &Context<'_>,
        access: &str,
        refresh: Option<&str>,
    ) -> Option<Request> {
        let block = self.description.revoke.as_ref()?;
        let gaps = Gaps { access: Some(access), refresh, ..Gaps::new(self, ctx) };
        let url = gaps.endpoint(block.url.as_ref(), |found| found.revocation_endpoint.as_ref());
        let (mut fields, mut headers) = (Fields::default(), Fields::default());
        headers.set("accept", "application/json");
        let token = match block.token {
            Which::Refresh => refresh.unwrap_or(access),
            Which::Access => access,
        };
        if let Some(name) = &block.parameter {
            fields.set(name, token);
        }
        self.prove(&gaps, block.auth, &url, &mut fields, &mut headers);
        fields.add(&block.params, &gaps);
        let body = match block.body {
            RevokeBody::Form => {
                headers.set("content-type", "application/x-www-form-urlencoded");
                fields.form()
            }
            RevokeBody::Json => {
                headers.set("content-type", "application/json");
                fields.json()
            }
            RevokeBody::None => Zeroizing::default(),
        };
        headers.add(&block.headers, &gaps);
        let headers = headers.into_headers();
        (!url.is_empty()).then_some(Request { method: block.method, url, headers, body })
    }

    /// Whether an answer to [`Provider::revoke`] means that the grant is over.
    pub fn revoked(&self, answer: &Response) -> bool {
        let Some(block) = &self.description.revoke else { return false };
        let document = self.read(answer).unwrap_or_default();
        let code = self.error_code(&document).filter(|_| document.is_object());
        let over = |code: &String| block.done_errors.contains(code);
        let refused = self.fails(&document) && document.is_object();
        let listed = block.done.contains(&answer.status);
        // A status that is an error is listed for what it means, whatever code comes with it.
        let success = (200..300).contains(&answer.status);
        match code {
            Some(code) => over(&code) || (listed && !success),
            None => listed && !(success && refused),
        }
    }
}

fn escaped(text: &str, keep: &'static AsciiSet) -> String {
    utf8_percent_encode(text, keep).to_string()
}
