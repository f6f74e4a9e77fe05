//! One connect on the terminal, step by step: what `grantor provider try` does.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::key_sets::KeySets;
use grantor_core::model::Account;
use grantor_core::outbound::{Outbound as _, Request, Response};
use grantor_core::params::Params;
use grantor_core::ports::{Clock as _, Entropy as _};
use grantor_core::time::{Seconds, Timestamp};
use grantor_core::vault::Integration;
use grantor_core::vault::answer::{ProviderFailure, TokenAnswer};
use grantor_core::vault::connect::ExpectedIdToken;
use grantor_core::vault::provider::{AuthorizeUrl, Callback, Context};
use serde_json::Value;

use super::arrival;
use super::report::{Report, Tokens, show_account};
use super::trial::Trial;
use crate::cli::output::{json, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::outbound::Web;

/// One way through.
pub(super) struct Attempt {
    pub(super) own: Trial,
    pub(super) integration: Integration,
    pub(super) web: Web,
    pub(super) deadline: Seconds,
    /// What the provider has told.
    pub(super) variables: BTreeMap<String, String>,
}

/// What is sent, and must come back.
struct Sent {
    state: String,
    nonce: String,
    verifier: String,
}

impl Attempt {
    /// All of it; what goes wrong is said with what to do.
    pub(super) async fn go(mut self) -> anyhow::Result<()> {
        let provider = Arc::clone(&self.integration.provider);
        let jti = random();
        provider.prepare(&self.ctx(&jti, now()), &self.web).await.map_err(|own| failed(&own))?;
        let sent = Sent { state: random(), nonce: random(), verifier: random() };
        let (answer, at) = match self.own.client_credentials {
            true => self.machine().await?,
            false => self.person(&sent).await?,
        };
        let mut notes = Vec::new();
        self.tell("Tokens came:");
        let tokens = self.shown(&answer, at);
        let account = match self.own.client_credentials {
            true => None,
            false => {
                notes.extend(self.compare(&answer));
                Some(self.account(&answer, &sent).await?)
            }
        };
        self.variables.clone_from(&answer.variables);
        let (newest, refreshed) = self.refreshed(answer, &mut notes).await?;
        let revoked = match self.own.revoke {
            true => Some(self.revoked(&newest, &mut notes).await?),
            false => None,
        };
        let report =
            Report { provider: provider.name.clone(), account, tokens, refreshed, revoked, notes };
        if self.own.json {
            return json(&report);
        }
        report.notes.iter().for_each(|note| say(&format!("Note: {note}")));
        say("It works. Nothing of it was stored.");
        Ok(())
    }

    fn ctx<'c>(&'c self, jti: &'c str, now: Timestamp) -> Context<'c> {
        Context { integration: &self.integration, variables: &self.variables, jti, now }
    }

    /// Something for the person, which is not for the program that reads the report.
    #[expect(clippy::print_stderr, reason = "with --json, standard output is the report")]
    fn tell(&self, text: &str) {
        if self.own.json { eprintln!("{text}") } else { say(text) }
    }

    fn shown(&self, answer: &TokenAnswer, at: Timestamp) -> Tokens {
        let tokens = Tokens::of(answer, at);
        if !self.own.json {
            tokens.show();
        }
        tokens
    }

    /// RFC 6749 §4.4.
    async fn machine(&self) -> anyhow::Result<(TokenAnswer, Timestamp)> {
        let (provider, jti) = (&self.integration.provider, random());
        let request = provider.client_credentials(&self.ctx(&jti, now()), &self.integration.scope);
        self.redeem(request, &[]).await
    }

    /// RFC 6749 §4.1.
    async fn person(&mut self, sent: &Sent) -> anyhow::Result<(TokenAnswer, Timestamp)> {
        let (provider, jti) = (Arc::clone(&self.integration.provider), random());
        let asked = AuthorizeUrl {
            scope: &self.integration.scope,
            state: &sent.state,
            challenge: &URL_SAFE_NO_PAD.encode(digest(&SHA256, sent.verifier.as_bytes())),
            nonce: &sent.nonce,
            login_hint: self.own.login_hint.as_deref(),
            force_consent: self.own.consent,
        };
        let listeners = self.own.port.map(arrival::listen).transpose()?;
        let url = provider.authorize_url(&self.ctx(&jti, now()), &asked);
        let redirect_uri = &self.integration.redirect_uri;
        self.tell(&format!("The redirect URI must be registered there: {redirect_uri}"));
        self.tell(&format!("Open this address in a browser, and allow what it asks:\n\n{url}\n"));
        let query = match listeners {
            Some(listeners) => {
                let port = self.own.port.unwrap_or_default();
                self.tell(&format!("Waiting on port {port} for the browser to come back…"));
                arrival::at(listeners, redirect_uri).await?
            }
            None => {
                self.tell("It ends at an address that cannot be opened. Paste that address here:");
                arrival::pasted().await?
            }
        };
        let params = Params::parse(query.as_bytes()).map_err(|refusal| anyhow!("{refusal}"))?;
        let issuer = provider.callback_issuer(&self.ctx(&jti, now()));
        let code = arrival::code(&params, &sent.state, issuer.as_deref())?;
        let named = |name: &str| Some((name.to_owned(), params.get(name)?.to_owned()));
        let parameters: BTreeMap<_, _> = provider.callback_variables().filter_map(named).collect();
        self.variables =
            provider.callback(&parameters).map_err(|why| anyhow!("the callback: {why}"))?;
        let back = Callback { code, verifier: &sent.verifier, parameters: &parameters };
        let request = provider.exchange(&self.ctx(&jti, now()), &back);
        self.redeem(request, &[code, &sent.verifier]).await
    }

    /// Makes a call at the token endpoint.
    async fn redeem(
        &self,
        request: Request,
        sent: &[&str],
    ) -> anyhow::Result<(TokenAnswer, Timestamp)> {
        let at = now();
        let answer = self.call(request).await?;
        let read = self.integration.provider.tokens(&self.ctx("", at), &answer);
        Ok((read.map_err(|failure| failed(&failure.without(sent)))?, at))
    }

    async fn call(&self, request: Request) -> anyhow::Result<Response> {
        let answer = self.web.call(request, self.deadline).await;
        answer.map_err(|error| anyhow!("{error}"))
    }

    /// What was granted beside what was asked for.
    fn compare(&self, answer: &TokenAnswer) -> Vec<String> {
        let provider = &self.integration.provider;
        let mut notes = Vec::new();
        let wanted = provider.asked(&self.integration.scope);
        if let Some(granted) = &answer.scope {
            let missing = provider.missing(&wanted, granted);
            if !missing.is_empty() {
                notes.push(format!(
                    "not granted: {missing}. The person has refused it, or it is called otherwise: \
                     see scopes.aliases, scopes.silent and scopes.includes"
                ));
            }
        }
        if provider.refreshes() && answer.refresh_token.is_none() {
            notes.push(
                "no refresh token came. Try --consent; perhaps a scope or parameter is missing, or \
                 refresh.supported should be false"
                    .to_owned(),
            );
        }
        notes
    }

    async fn account(&self, answer: &TokenAnswer, sent: &Sent) -> anyhow::Result<Account> {
        let (provider, jti) = (&self.integration.provider, random());
        let ctx = Context { variables: &answer.variables, ..self.ctx(&jti, now()) };
        let claims = self.claims(&ctx, answer, sent).await?;
        let called = match provider.identity(&ctx, answer) {
            Some(request) => Some(self.call(request).await?),
            None => None,
        };
        let account = provider
            .account(claims.as_ref(), answer, called.as_ref())
            .map_err(|own| failed(&own))?;
        if !self.own.json {
            show_account(&account);
        }
        Ok(account)
    }

    async fn claims(
        &self,
        ctx: &Context<'_>,
        answer: &TokenAnswer,
        sent: &Sent,
    ) -> anyhow::Result<Option<Value>> {
        let rules = self.integration.provider.id_token(ctx);
        let Some((token, rules)) = answer.id_token.as_ref().zip(rules) else { return Ok(None) };
        let expected = ExpectedIdToken {
            nonce: rules.nonce.then_some(sent.nonce.as_str()),
            client_id: &self.integration.client_id,
            access_token: &answer.access_token,
        };
        let keys = KeySets::default();
        let claims = expected.verify(&keys, &self.web, &rules, token, ctx.now).await;
        claims
            .map(Some)
            .map_err(|stop| anyhow!("{} ({})", stop.detail().unwrap_or_default(), stop.as_str()))
    }

    /// Refreshes once; the newest tokens.
    async fn refreshed(
        &mut self,
        before: TokenAnswer,
        notes: &mut Vec<String>,
    ) -> anyhow::Result<(TokenAnswer, Option<Tokens>)> {
        let Some(token) = before.refresh_token.clone().filter(|_| !self.own.no_refresh) else {
            return Ok((before, None));
        };
        let (provider, jti) = (Arc::clone(&self.integration.provider), random());
        let request = provider.refresh(&self.ctx(&jti, now()), &token);
        let (mut answer, at) = self.redeem(request, &[&token]).await.context("the refresh")?;
        self.tell("A refresh answered:");
        let shown = self.shown(&answer, at);
        match (provider.rotates(), &answer.refresh_token) {
            (Some(true), None) => notes.push(
                "the refresh answered no new refresh token, and refresh.rotation is yes".to_owned(),
            ),
            (Some(false), Some(new)) if *new != token => notes.push(
                "the refresh answered a new refresh token, and refresh.rotation is no: that is \
                 right only if the old one works on"
                    .to_owned(),
            ),
            (Some(_) | None, _) => {}
        }
        answer.refresh_token = answer.refresh_token.or(Some(token));
        Ok((answer, Some(shown)))
    }

    async fn revoked(&self, newest: &TokenAnswer, notes: &mut Vec<String>) -> anyhow::Result<bool> {
        let (provider, jti) = (&self.integration.provider, random());
        let ctx = self.ctx(&jti, now());
        let refresh = newest.refresh_token.as_ref().map(|own| own.as_str());
        let Some(request) = provider.revoke(&ctx, &newest.access_token, refresh) else {
            notes.push("this provider cannot be told: the description has no [revoke]".to_owned());
            return Ok(false);
        };
        let answer = self.call(request).await.context("giving the grant back")?;
        let over = provider.revoked(&answer);
        match over {
            true => self.tell("The grant was given back."),
            false => notes.push(format!(
                "the answer to the revocation has status {}, which does not mean that the grant is \
                 over: see revoke.done and revoke.done_errors",
                answer.status
            )),
        }
        Ok(over)
    }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// 256 random bits: RFC 7636 §7.1.
fn random() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn failed(failure: &ProviderFailure) -> anyhow::Error {
    anyhow!("{} ({})", failure.detail, failure.class.as_str())
}
