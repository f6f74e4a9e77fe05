//! The calls at the provider that a flow needs: the exchange of the code (RFC 6749 §4.1.3), and
//! whose account it is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flow::Flow;
use super::id_token::ExpectedIdToken;
use super::stop::{Halt, Stop, readable};
use crate::AuthorizationServer;
use crate::model::Account;
use crate::outbound::{Request, Response};
use crate::params::Params;
use crate::time::Timestamp;
use crate::vault::Integration;
use crate::vault::answer::TokenAnswer;
use crate::vault::provider::{Callback, Context};

/// Characters of an account's id at a provider.
const LONGEST_SUB: usize = 300;

/// A provider that is spoken to at one moment of a flow.
pub(super) struct Exchange<'a> {
    server: &'a AuthorizationServer,
    integration: &'a Integration,
    /// The variables that the callback has brought.
    variables: BTreeMap<String, String>,
    now: Timestamp,
}

impl<'a> Exchange<'a> {
    /// Gets ready: fetches the provider's metadata, if it has any.
    pub(super) async fn prepare(
        server: &'a AuthorizationServer,
        integration: &'a Integration,
        now: Timestamp,
    ) -> Result<Self, Stop> {
        let own = Self { server, integration, variables: BTreeMap::new(), now };
        let jti = own.jti();
        let context = own.context(&jti);
        let ready = integration.provider.prepare(&context, server.outbound.as_ref()).await;
        ready.map_err(Stop::of)?;
        Ok(own)
    }

    /// A unique value, for providers that want a signed assertion with each call.
    pub(super) fn jti(&self) -> String {
        self.server.new_id().to_string()
    }

    /// With what the provider's calls are filled in.
    pub(super) const fn context<'c>(&'c self, jti: &'c str) -> Context<'c> {
        let variables = &self.variables;
        Context { integration: self.integration, variables, jti, now: self.now }
    }

    /// The answer must be from the issuer that the browser was sent to.
    pub(super) fn check_issuer(&self, params: &Params<'_>) -> Result<(), Stop> {
        let jti = self.jti();
        let (provider, context) = (&self.integration.provider, self.context(&jti));
        let refused = |why: &str| Err(Stop::Untrusted(why.to_owned()));
        match (provider.callback_issuer(&context), params.get("iss")) {
            // RFC 9207 §2.4: an answer of another issuer is not taken to the token endpoint of this
            // one, nor is one without an issuer if the provider always names it.
            (Some(expected), found) if expected.is_empty() || found != Some(expected.as_str()) => {
                refused("the iss of the callback is not the one of the provider")
            }
            // RFC 9207 §2.4: one that nobody has announced is of somebody else, who was asked with
            // our client id and this state, unless it is known to be the provider's own.
            (None, Some(found)) if !provider.is_issuer(&context, found) => refused(
                "the callback has an iss, and the description of the provider names none: if it is \
                 the provider's own, it belongs into authorize.issuer",
            ),
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    /// RFC 6749 §4.1.3: the code for tokens.
    pub(super) async fn redeem(
        &mut self,
        params: &Params<'_>,
        flow: &Flow,
    ) -> Result<TokenAnswer, Halt> {
        let provider = &self.integration.provider;
        let code = params.get("code");
        let code = code.ok_or_else(|| Stop::Untrusted("the callback has no code".to_owned()))?;
        let named = |name: &str| Some((name.to_owned(), params.get(name)?.to_owned()));
        let parameters: BTreeMap<_, _> = provider.callback_variables().filter_map(named).collect();
        // What names a host comes from whoever made the link that the browser followed.
        let accepted = provider.callback(&parameters);
        self.variables = accepted.map_err(|why| Stop::Untrusted(readable(&why)))?;
        let back = Callback { code, verifier: &flow.verifier, parameters: &parameters };
        let jti = self.jti();
        let answer = self.call(provider.exchange(&self.context(&jti), &back)).await?;
        let read = provider.tokens(&self.context(&jti), &answer);
        Ok(read.map_err(Stop::of)?)
    }

    /// The claims of the ID token, verified.
    pub(super) async fn claims(
        &self,
        tokens: &TokenAnswer,
        flow: &Flow,
    ) -> Result<Option<Value>, Halt> {
        let jti = self.jti();
        let rules = self.integration.provider.id_token(&self.context(&jti));
        let Some((token, provider)) = tokens.id_token.as_ref().zip(rules) else {
            return Ok(None);
        };
        let expected = ExpectedIdToken {
            nonce: provider.nonce.then_some(flow.nonce.as_str()),
            client_id: &self.integration.client_id,
            access_token: &tokens.access_token,
        };
        let (keys, outbound) = (&self.server.key_sets, self.server.outbound.as_ref());
        let claims = expected.verify(keys, outbound, &provider, token, self.now).await;
        Ok(Some(claims?))
    }

    /// Whose account it is.
    pub(super) async fn account(
        &self,
        claims: Option<&Value>,
        tokens: &TokenAnswer,
    ) -> Result<Account, Halt> {
        let provider = &self.integration.provider;
        let (jti, variables) = (self.jti(), &tokens.variables);
        let ctx = Context { variables, ..self.context(&jti) };
        let answer = match provider.identity(&ctx, tokens) {
            Some(request) => Some(self.call(request).await?),
            None => None,
        };
        let account = provider.account(claims, tokens, answer.as_ref()).map_err(Stop::of)?;
        if account.sub.chars().count() > LONGEST_SUB {
            return Err(Stop::Untrusted("the id of the account is too long".to_owned()).into());
        }
        let shown = |text: Option<String>| text.map(|own| readable(&own));
        Ok(Account {
            sub: account.sub,
            email: shown(account.email),
            name: shown(account.name),
            organization: shown(account.organization),
        })
    }

    async fn call(&self, request: Request) -> Result<Response, Stop> {
        let deadline = self.server.policy.vault.refresh.deadline;
        self.server.outbound.call(request, deadline).await.map_err(|_| Stop::Away)
    }
}
