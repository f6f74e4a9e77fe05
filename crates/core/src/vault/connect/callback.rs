//! The browser comes back from the provider: RFC 6749 §4.1.2, RFC 9207, OpenID Connect Core 1.0
//! §3.1.2.5.
//!
//! The checks, in their order: `state` and cookie, the path, `iss`, `error`, the exchange, the ID token, the
//! account, the account of a reconnect, the scopes, the refresh token, and what the mode wants.

use std::sync::Arc;

use super::exchange::Exchange;
use super::flow::{self, Flow, Grant};
use super::grant::{self, Before, Connected, Unconfirmed};
use super::note;
use super::start::{self, Visitor, Way};
use super::stop::{DeadEnd, Halt, Mismatch, Stop, readable, returning};
use crate::AuthorizationServer;
use crate::error::Failure;
use crate::id::ConnectSessionId;
use crate::model::{
    Account, ConnectMode, ConnectSession, ConnectState, ConnectStep, Connection, Scope,
};
use crate::params::Params;
use crate::secret::{Credential, Digest, Kind};
use crate::time::Timestamp;
use crate::vault::Integration;
use crate::vault::answer::TokenAnswer;
use crate::vault::audit::Actor;

/// What the browser comes back with, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Returned<'a> {
    /// The query.
    pub params: &'a Params<'a>,
    /// The integration that the path names, if it names one.
    pub through: Option<&'a str>,
    /// The browser.
    pub visitor: Visitor<'a>,
    /// For the audit log.
    pub actor: &'a Actor,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The account is connected.
    Connected(Box<Connected>),
    /// The browser goes on to the application (`bound`), or to the provider once again.
    Onward(String),
    /// The person has to confirm (`link`).
    Confirm(Box<Unconfirmed>),
    /// It ends here.
    Stopped(DeadEnd),
}

/// Takes the browser back.
pub async fn callback(
    server: &AuthorizationServer,
    returned: &Returned<'_>,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let arrived = match arrive(server, returned, now).await? {
        Ok(arrived) => arrived,
        Err(dead_end) => return Ok(Outcome::Stopped(dead_end)),
    };
    let why = match arrived.go_on(server, returned, now).await {
        Ok(outcome) => return Ok(outcome),
        Err(halt) => halt,
    };
    arrived.reopen(server, now).await?;
    match why {
        Halt::Stop(why) => {
            let (session, detail) = (&arrived.session, why.detail());
            note::failed(server, session, returned.actor, why.as_str(), detail, now).await?;
            Ok(Outcome::Stopped(arrived.ends(why)))
        }
        Halt::Failure(failure) => Err(failure),
    }
}

/// A browser that came back where it was waited for. Its `state` is spent.
struct Arrived {
    session: ConnectSession,
    integration: Arc<Integration>,
    /// The connection that is granted again.
    before: Option<Connection>,
    flow: Flow,
    browser: Digest,
    /// Of the state that the session has now, and nobody knows.
    spent: Digest,
}

/// `state` and cookie, and who is signed in.
async fn arrive(
    server: &AuthorizationServer,
    returned: &Returned<'_>,
    now: Timestamp,
) -> Result<Result<Arrived, DeadEnd>, Failure> {
    // RFC 6749 §10.12: without the state of this flow, the answer is not one to our request.
    let text = returned.params.get("state").unwrap_or_default();
    let Some(state) = Credential::parse(Kind::ConnectState, text) else {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    };
    let id = ConnectSessionId(state.id());
    let Some(session) = server.store.connect_session(id, now).await? else {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    };
    let (given, browser, sealed) = match &session.state {
        ConnectState::Started { state, browser, sealed, .. } => (*state, *browser, sealed),
        ConnectState::Done(_) => return Ok(Err(DeadEnd::new(Stop::AlreadyDone))),
        ConnectState::Open | ConnectState::Waiting { .. } | ConnectState::Failed(_) => {
            return Ok(Err(DeadEnd::new(Stop::StateGone)));
        }
    };
    // RFC 9700 §4.7.1: state is tied to the browser that it was given to; a stolen answer is of no
    // use in another, nor is one that an attacker has got for himself.
    let strange = match browser == *returned.visitor.browser {
        true => start::check_person(&session, &returned.visitor).err(),
        false => Some(Stop::OtherBrowser),
    };
    if let Some(why) = strange {
        // Anybody can make a state up; one that was given out is with somebody it was not given to.
        if given == state.digest() {
            note::failed(server, &session, returned.actor, why.as_str(), None, now).await?;
        }
        return Ok(Err(DeadEnd::new(why)));
    }
    let flow = flow::open(server, id, sealed)?;
    let (spent, spending) = start::spent(server, &session, now)?;
    // One of many requests with the same state gets on.
    let own = Some(state.digest());
    let won = server.store.step_connect(id, ConnectStep::Started, own, spending, now).await?;
    if won.is_none() {
        return Ok(Err(DeadEnd::new(Stop::StateGone)));
    }
    match start::about(server, &session).await {
        Ok((integration, before)) => {
            Ok(Ok(Arrived { session, integration, before, flow, browser, spent }))
        }
        Err(Halt::Stop(why)) => Ok(Err(DeadEnd::of(&session, None, why))),
        Err(Halt::Failure(failure)) => Err(failure),
    }
}

impl Arrived {
    async fn go_on(
        &self,
        server: &AuthorizationServer,
        returned: &Returned<'_>,
        now: Timestamp,
    ) -> Result<Outcome, Halt> {
        self.check_path(returned.through)?;
        for name in ["state", "code", "iss", "error"] {
            let once = returned.params.refuse_doubled(name);
            once.map_err(|why| Stop::Untrusted(why.to_string()))?;
        }
        let mut exchange = Exchange::prepare(server, &self.integration, now).await?;
        exchange.check_issuer(returned.params)?;
        check_error(returned.params)?;
        let tokens = exchange.redeem(returned.params, &self.flow).await?;
        let claims = exchange.claims(&tokens, &self.flow).await?;
        let account = exchange.account(claims.as_ref(), &tokens).await?;
        self.check_same_account(&account)?;
        // RFC 6749 §5.1: an answer without a scope has granted what was asked for.
        let scope = tokens.scope.clone().unwrap_or_else(|| self.flow.scope.clone());
        let scope = self.integration.provider.canonical(&scope);
        self.check_scopes(&scope)?;
        let before = Before::find(server, &self.session, &account.sub).await?;
        if let Some(again) = self.again(&tokens, &scope, before.as_ref()) {
            return self.set_out_again(server, again, &account, now).await;
        }
        let keep_refresh = tokens.refresh_token.is_none();
        let grant = self.grant(tokens, account, scope, keep_refresh, now);
        self.by_mode(server, &grant, returned.actor, now).await
    }

    /// The browser has to come back where its provider was told to send it.
    fn check_path(&self, through: Option<&str>) -> Result<(), Stop> {
        let Integration { name, redirect_uri, .. } = &*self.integration;
        let own = redirect_uri.ends_with(&format!("/connect/callback/{name}"));
        // RFC 9700 §4.4.2.2: with a redirect URI of its own for each provider, an answer of another
        // one comes to another place.
        let fits = if own { through == Some(name.as_str()) } else { through.is_none() };
        let why = "the answer came to the redirect URI of another integration";
        if fits { Ok(()) } else { Err(Stop::Untrusted(why.to_owned())) }
    }

    /// Whose account it is says its `sub`, never its address.
    fn check_same_account(&self, given: &Account) -> Result<(), Stop> {
        match &self.before {
            Some(before) if before.account.sub != given.sub => {
                let (expected, given) = (before.account.clone(), given.clone());
                Err(Stop::OtherAccount(Box::new(Mismatch { expected, given })))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_scopes(&self, granted: &Scope) -> Result<(), Stop> {
        // RFC 6749 §3.3: less may be granted than was asked for.
        let missing = self.integration.provider.missing(&self.integration.required, granted);
        if missing.is_empty() { Ok(()) } else { Err(Stop::ScopesMissing { missing }) }
    }

    /// The flow to send the browser away with once more, if that is needed: without a refresh token
    /// the consent page has to be shown, and what was granted before must not be lost by not being
    /// asked for.
    fn again(&self, tokens: &TokenAnswer, scope: &Scope, before: Option<&Before>) -> Option<Flow> {
        if self.flow.second {
            return None;
        }
        let asked = self.integration.provider.canonical(&self.flow.scope);
        let lost = before.map(|own| own.connection.scope.only(|n| !scope.contains(n)));
        let lost = lost.unwrap_or_default().only(|name| !asked.contains(name));
        let held = before.is_some_and(|own| own.refresh_does(&self.integration, scope));
        let lacks_refresh = tokens.refresh_token.is_none() && tokens.expires_at.is_some() && !held;
        let forced = lacks_refresh && !self.flow.forced && self.integration.provider.refreshes();
        if lost.is_empty() && !forced {
            return None;
        }
        Some(Flow {
            link: self.flow.link.clone(),
            verifier: String::new(),
            nonce: String::new(),
            scope: self.flow.scope.union(&lost),
            forced: forced || self.flow.forced,
            second: true,
        })
    }

    async fn set_out_again(
        &self,
        server: &AuthorizationServer,
        again: Flow,
        account: &Account,
        now: Timestamp,
    ) -> Result<Outcome, Halt> {
        let mut flow = again;
        flow.verifier = start::random(server);
        flow.nonce = start::random(server);
        let hint = account.email.as_ref().or(self.session.account_hint.as_ref()).cloned();
        let way = Way { session: &self.session, integration: &self.integration, hint };
        let (from, spent) = (ConnectStep::Started, Some(self.spent));
        let left = way.set_out(server, from, spent, &self.browser, &flow, now).await?;
        Ok(Outcome::Onward(left.ok_or(Stop::StateGone)?))
    }

    fn grant(
        &self,
        tokens: TokenAnswer,
        account: Account,
        scope: Scope,
        keep_refresh: bool,
        now: Timestamp,
    ) -> Grant {
        Grant {
            access_token: tokens.access_token.to_string(),
            token_type: tokens.token_type,
            refresh_token: tokens.refresh_token.map(|own| own.to_string()),
            id_token: tokens.id_token.map(|own| own.to_string()),
            keep_refresh,
            account,
            scope,
            requested: self.integration.provider.canonical(&self.flow.scope),
            issued_at: now,
            expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            variables: tokens.variables,
        }
    }

    async fn by_mode(
        &self,
        server: &AuthorizationServer,
        grant: &Grant,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Outcome, Halt> {
        match self.session.mode {
            ConnectMode::SelfService => {
                let stored =
                    grant::store(server, &self.session, &self.integration, grant, actor, now);
                Ok(Outcome::Connected(Box::new(stored.await?)))
            }
            ConnectMode::Bound => {
                let code = self.wait(server, grant, now).await?;
                // Made with a URL to return to.
                let url = self.session.return_url.as_deref().ok_or(Stop::NotOffered)?;
                Ok(Outcome::Onward(returning(url, "connect_code", &code)))
            }
            ConnectMode::Link => {
                let code = self.wait(server, grant, now).await?;
                Ok(Outcome::Confirm(Box::new(Unconfirmed {
                    code,
                    provider: self.integration.label.clone(),
                    service: start::service(server, &self.session).await?,
                    account: grant.account.clone(),
                    subject: self.session.subject.clone(),
                    scope: grant.scope.clone(),
                    refused: self.integration.provider.missing(&grant.requested, &grant.scope),
                })))
            }
        }
    }

    /// Keeps the grant until somebody comes with the code.
    async fn wait(
        &self,
        server: &AuthorizationServer,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<String, Halt> {
        let id = self.session.id;
        let code = Credential::derived(Kind::ConnectCode, id.0, start::secret(server));
        let waiting = ConnectState::Waiting {
            code: code.digest(),
            browser: self.browser,
            sealed: flow::seal(server, id, grant)?,
        };
        let spent = Some(self.spent);
        let stepped =
            server.store.step_connect(id, ConnectStep::Started, spent, waiting, now).await?;
        stepped.ok_or(Stop::StateGone)?;
        Ok(code.reveal())
    }

    /// Lets the link be used once more.
    async fn reopen(&self, server: &AuthorizationServer, now: Timestamp) -> Result<(), Failure> {
        let (from, spent) = (ConnectStep::Started, Some(self.spent));
        let id = self.session.id;
        server.store.step_connect(id, from, spent, ConnectState::Open, now).await?;
        Ok(())
    }

    fn ends(&self, why: Stop) -> DeadEnd {
        let label = Some(self.integration.label.as_str());
        let may_help = why.may_be_tried_again();
        let end = DeadEnd::of(&self.session, label, why);
        if may_help { end.retry(self.flow.link.clone()) } else { end }
    }
}

/// RFC 6749 §4.1.2.1.
fn check_error(params: &Params<'_>) -> Result<(), Stop> {
    match params.get("error") {
        None => Ok(()),
        Some("access_denied" | "user_cancelled_login" | "user_cancelled_authorize") => {
            Err(Stop::Denied)
        }
        Some("temporarily_unavailable" | "server_error") => Err(Stop::Away),
        Some(error) => {
            let description = params.get("error_description").map(readable);
            Err(Stop::Provider { error: readable(error), description })
        }
    }
}
