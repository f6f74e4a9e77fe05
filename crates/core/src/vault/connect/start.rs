//! The link is opened, and the browser leaves for the provider: RFC 6749 §4.1.1, RFC 7636 §4.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::exchange::Exchange;
use super::flow::{self, Flow};
use super::stop::{DeadEnd, Halt, Stop};
use crate::AuthorizationServer;
use crate::error::{Broken, Failure};
use crate::id::{ConnectSessionId, UserId};
use crate::model::{
    ConnectMode, ConnectSession, ConnectState, ConnectStep, Connection, ConnectionStatus,
    ReauthReason, Scope,
};
use crate::secret::{Credential, Digest, Kind};
use crate::store::StoreError;
use crate::time::{Seconds, Timestamp};
use crate::vault::provider::AuthorizeUrl;
use crate::vault::{Integration, IntegrationKind};

/// How long a person has at the provider.
const AT_PROVIDER: Seconds = Seconds::minutes(10);

/// Whose browser it is.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// A digest of its cookie.
    pub browser: &'a Digest,
    /// Who is signed in here.
    pub person: Option<UserId>,
}

/// What is behind a link that was opened.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The browser goes to the provider at once.
    Go,
    /// Somebody has to sign in here first.
    SignIn,
    /// A page says what will happen, with a link to go on.
    Ask(Box<Ahead>),
    /// The way ends here.
    Stopped(DeadEnd),
}

/// What will happen at the provider.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// The session.
    pub session: ConnectSession,
    /// The service that made it, if one did.
    pub service: Option<String>,
    /// The integration.
    pub integration: Arc<Integration>,
    /// The scopes that will be asked for.
    pub scope: Scope,
    /// The connection that is granted again.
    pub before: Option<Connection>,
}

/// Reads the link in `text` and says what comes next. Nothing is changed: whoever looks at a link
/// before people do (mail scanners, previews) does no harm, but for one of mode `bound`, which leads
/// on at once. Applications redirect to those, and do not hand them out.
pub async fn open(
    server: &AuthorizationServer,
    text: &str,
    visitor: &Visitor<'_>,
    now: Timestamp,
) -> Result<Opened, Failure> {
    let link = match read(server, text, now).await {
        Ok(link) => link,
        Err(halt) => return stopped(halt).map(Opened::Stopped),
    };
    match link.session.mode {
        ConnectMode::Bound => Ok(Opened::Go),
        ConnectMode::SelfService if visitor.person.is_none() => Ok(Opened::SignIn),
        ConnectMode::SelfService | ConnectMode::Link => match link.check_person(visitor) {
            Ok(()) => {
                let scope = link.asked();
                let service = service(server, &link.session).await?;
                let Link { session, integration, before } = link;
                Ok(Opened::Ask(Box::new(Ahead { session, service, integration, scope, before })))
            }
            Err(why) => Ok(Opened::Stopped(link.ends(why))),
        },
    }
}

/// Begins the flow of the link in `text` and says where the browser goes. A flow that was begun
/// before, in this browser or another, is over: its answer will be refused.
pub async fn leave(
    server: &AuthorizationServer,
    text: &str,
    visitor: &Visitor<'_>,
    now: Timestamp,
) -> Result<Result<String, DeadEnd>, Failure> {
    let link = match read(server, text, now).await {
        Ok(link) => link,
        Err(halt) => return stopped(halt).map(Err),
    };
    if let Err(why) = link.check_person(visitor) {
        return Ok(Err(link.ends(why)));
    }
    let flow = Flow {
        link: text.to_owned(),
        verifier: random(server),
        nonce: random(server),
        scope: link.asked(),
        forced: link.before.as_ref().is_some_and(needs_consent),
        second: false,
    };
    let from = link.session.state.step();
    let hint = link.hint();
    let way = Way { session: &link.session, integration: &link.integration, hint };
    match way.set_out(server, from, None, visitor.browser, &flow, now).await {
        Ok(Some(url)) => Ok(Ok(url)),
        Ok(None) => Ok(Err(link.ends(Stop::LinkUsed))),
        Err(Halt::Stop(why)) if why.may_be_tried_again() => {
            Ok(Err(link.ends(why).retry(text.to_owned())))
        }
        Err(Halt::Stop(why)) => Ok(Err(link.ends(why))),
        Err(Halt::Failure(failure)) => Err(failure),
    }
}

/// A link that opens, with what it is about.
struct Link {
    session: ConnectSession,
    integration: Arc<Integration>,
    before: Option<Connection>,
}

async fn read(server: &AuthorizationServer, text: &str, now: Timestamp) -> Result<Link, Halt> {
    let credential = Credential::parse(Kind::ConnectLink, text).ok_or(Stop::LinkGone)?;
    let id = ConnectSessionId(credential.id());
    let session = server.store.connect_session(id, now).await?;
    let session = session.filter(|own| own.digest == credential.digest()).ok_or(Stop::LinkGone)?;
    match session.state.step() {
        ConnectStep::Open | ConnectStep::Started | ConnectStep::Waiting => {}
        ConnectStep::Done | ConnectStep::Failed => return Err(Stop::LinkUsed.into()),
    }
    let (integration, before) = about(server, &session).await?;
    Ok(Link { session, integration, before })
}

/// The integration of a session, and the connection that it grants again. Settings may have changed
/// since it was made.
pub(super) async fn about(
    server: &AuthorizationServer,
    session: &ConnectSession,
) -> Result<(Arc<Integration>, Option<Connection>), Halt> {
    let integration = server.policy.vault.integrations.get(&session.integration);
    let integration = integration.ok_or(Stop::NotOffered)?;
    let before = match session.reconnect {
        Some(id) => Some(server.store.connection(id).await?.ok_or(Stop::ConnectionGone)?),
        None => None,
    };
    let offered = match session.mode {
        ConnectMode::Bound => true,
        ConnectMode::SelfService => integration.self_service,
        ConnectMode::Link => may_link(integration, before.as_ref()),
    };
    if !offered || integration.kind == IntegrationKind::ClientCredentials {
        return Err(Stop::NotOffered.into());
    }
    Ok((Arc::clone(integration), before))
}

/// Whether a link may be confirmed by whoever opens it: the operator allows it, or only the account
/// that is connected already can answer. Where nobody knows whose account it is, any other would do.
pub(super) fn may_link(integration: &Integration, before: Option<&Connection>) -> bool {
    integration.link || before.is_some_and(|own| !own.account.sub.is_empty())
}

/// The service that made a session, as people know it.
pub(super) async fn service(
    server: &AuthorizationServer,
    session: &ConnectSession,
) -> Result<Option<String>, StoreError> {
    match session.made_by.strip_prefix("api_key:") {
        Some(id) => Ok(server.store.api_key(id).await?.map(|key| key.service.clone())),
        None => Ok(None),
    }
}

fn stopped(halt: Halt) -> Result<DeadEnd, Failure> {
    match halt {
        Halt::Stop(why) => Ok(DeadEnd::new(why)),
        Halt::Failure(failure) => Err(failure),
    }
}

impl Link {
    fn check_person(&self, visitor: &Visitor<'_>) -> Result<(), Stop> {
        check_person(&self.session, visitor)
    }

    /// What is granted already is asked for again: with most providers a grant replaces the one
    /// before it. What has two names is asked for once.
    fn asked(&self) -> Scope {
        let granted = self.before.as_ref().map(|before| &before.scope);
        let all =
            granted.map_or_else(|| self.session.scope.clone(), |own| self.session.scope.union(own));
        self.integration.provider.each_once(&all)
    }

    fn hint(&self) -> Option<String> {
        let account = self.before.as_ref().map(|before| &before.account);
        let known = account.map(|own| own.email.as_ref().unwrap_or(&own.sub));
        self.session.account_hint.as_ref().or(known).cloned()
    }

    fn ends(&self, why: Stop) -> DeadEnd {
        DeadEnd::of(&self.session, Some(&self.integration.label), why)
    }
}

/// In `self_service`, the person who is signed in must be the subject.
pub(super) fn check_person(session: &ConnectSession, visitor: &Visitor<'_>) -> Result<(), Stop> {
    match session.mode {
        ConnectMode::SelfService => {
            let is_subject = visitor.person.is_some_and(|own| own.to_string() == session.subject);
            if is_subject { Ok(()) } else { Err(Stop::OtherPerson) }
        }
        ConnectMode::Bound | ConnectMode::Link => Ok(()),
    }
}

/// Whether only a consent that is shown again brings a refresh token: the one that is there is dead,
/// or there is none.
fn needs_consent(before: &Connection) -> bool {
    match &before.status {
        ConnectionStatus::ReauthRequired(reauth) => match reauth.reason {
            // The grant is alive; a sign-in is enough.
            ReauthReason::SignInAgain => !before.refreshable,
            ReauthReason::GrantDead
            | ReauthReason::RefreshTokenExpired
            | ReauthReason::NoRefreshToken
            | ReauthReason::RefreshOutcomeLost
            | ReauthReason::ClientChanged
            | ReauthReason::Operator => true,
        },
        ConnectionStatus::Active => !before.refreshable && before.expires_at.is_some(),
        ConnectionStatus::Disconnecting { .. } => true,
    }
}

/// A session on its way to the provider.
pub(super) struct Way<'a> {
    pub(super) session: &'a ConnectSession,
    pub(super) integration: &'a Integration,
    /// The account that is expected.
    pub(super) hint: Option<String>,
}

impl Way<'_> {
    /// Keeps `flow` under a new `state`, if the session is still at the step `from` (and its state
    /// has the digest `spent`); answers where the browser goes.
    pub(super) async fn set_out(
        &self,
        server: &AuthorizationServer,
        from: ConnectStep,
        spent: Option<Digest>,
        browser: &Digest,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<Option<String>, Halt> {
        let state = Credential::derived(Kind::ConnectState, self.session.id.0, secret(server));
        let started = ConnectState::Started {
            state: state.digest(),
            browser: *browser,
            until: now.plus(AT_PROVIDER),
            sealed: flow::seal(server, self.session.id, flow)?,
        };
        let exchange = Exchange::prepare(server, self.integration, now).await?;
        let url = self.authorize_url(&exchange, &state.reveal(), flow);
        // The provider's metadata do not name its page; an empty address would lead back here.
        if url.is_empty() {
            return Err(Stop::Misconfigured.into());
        }
        let stepped = server.store.step_connect(self.session.id, from, spent, started, now).await?;
        if stepped.is_none() {
            return Ok(None);
        }
        Ok(Some(url))
    }

    fn authorize_url(&self, exchange: &Exchange<'_>, state: &str, flow: &Flow) -> String {
        // RFC 7636 §4.2: the challenge is the SHA-256 of the verifier.
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, flow.verifier.as_bytes()));
        let asked = AuthorizeUrl {
            scope: &flow.scope,
            state,
            challenge: &challenge,
            nonce: &flow.nonce,
            login_hint: self.hint.as_deref(),
            force_consent: flow.forced,
        };
        let jti = exchange.jti();
        self.integration.provider.authorize_url(&exchange.context(&jti), &asked)
    }
}

/// 256 random bits, as text: RFC 7636 §4.1 and OpenID Connect Core 1.0 §15.5.2 want them unguessable.
pub(super) fn random(server: &AuthorizationServer) -> String {
    URL_SAFE_NO_PAD.encode(secret(server))
}

/// 256 random bits.
pub(super) fn secret(server: &AuthorizationServer) -> [u8; 32] {
    let mut bytes = [0; 32];
    server.entropy.fill(&mut bytes);
    bytes
}

/// A state that nobody has: the session is still at the provider, but no browser can come back.
pub(super) fn spent(
    server: &AuthorizationServer,
    session: &ConnectSession,
    now: Timestamp,
) -> Result<(Digest, ConnectState), Broken> {
    let ConnectState::Started { browser, sealed, .. } = &session.state else {
        return Err(Broken::Corrupt(format!("connect session {} is not started", session.id)));
    };
    let nobody = Credential::derived(Kind::ConnectState, session.id.0, secret(server)).digest();
    let state = ConnectState::Started {
        state: nobody,
        browser: *browser,
        until: now.plus(AT_PROVIDER),
        sealed: sealed.clone(),
    };
    Ok((nobody, state))
}
