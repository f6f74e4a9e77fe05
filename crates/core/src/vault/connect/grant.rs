//! A grant becomes a connection, or the next generation of one: one write, with its entry in the
//! audit log and its webhooks.
//!
//! Nothing is revoked at the provider here: what is replaced may be the same grant there (Google
//! has one for an account and a project), and the old tokens die by themselves or are kept.

use serde_json::{Map, json};
use zeroize::Zeroizing;

use super::flow::Grant;
use super::stop::{Halt, Stop};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectionId;
use crate::model::{Account, ConnectSession, Connection, ConnectionStatus, ReauthReason, Scope};
use crate::store::{Granted, Held, Recorded, Selector, StoreError};
use crate::time::Timestamp;
use crate::vault::Integration;
use crate::vault::audit::{self, Actor};
use crate::vault::notices::{self, NoticeEvent};
use crate::vault::refresh;
use crate::vault::seal::{self, Tokens};

/// How often a connection that somebody else changes at the same time is read anew.
const ROUNDS: u32 = 8;
/// Connections of a subject through one integration that are looked through for an account: a name
/// that is an address may be that of several.
const MOST_ACCOUNTS: u32 = 50;

/// An account that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The connection, as it is stored.
    pub connection: Connection,
    /// What people call the provider.
    pub provider: String,
    /// What was asked for and not granted.
    pub refused: Scope,
    /// Where the browser goes next.
    pub return_url: Option<String>,
}

/// An account that its person has to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconfirmed {
    /// What the form brings back.
    pub code: String,
    /// What people call the provider.
    pub provider: String,
    /// The service that made the link, if one did.
    pub service: Option<String>,
    /// The account that was signed in with.
    pub account: Account,
    /// For whom it will be.
    pub subject: String,
    /// What is granted.
    pub scope: Scope,
    /// What was asked for and not granted.
    pub refused: Scope,
}

/// What there is already for an account.
pub(super) struct Before {
    pub(super) connection: Connection,
    /// With its tokens, unless it is being disconnected.
    pub(super) held: Option<Held>,
}

impl Before {
    /// The connection of the session's subject with the account `sub`.
    pub(super) async fn find(
        server: &AuthorizationServer,
        session: &ConnectSession,
        sub: &str,
    ) -> Result<Option<Self>, StoreError> {
        let selector = Selector {
            connections: None,
            integrations: Some(vec![session.integration.clone()]),
            subjects: Some(vec![session.subject.clone()]),
            account: Some(sub.to_owned()),
        };
        let held = server.store.held(&selector, MOST_ACCOUNTS).await?;
        if let Some(held) = held.into_iter().find(|own| own.connection.account.sub == sub) {
            return Ok(Some(Self { connection: held.connection.clone(), held: Some(held) }));
        }
        // One that is being disconnected is taken back.
        let leaving =
            server.store.connections(&selector, Some("disconnecting"), None, MOST_ACCOUNTS);
        let found = leaving.await?.into_iter().find(|own| own.account.sub == sub);
        Ok(found.map(|connection| Self { connection, held: None }))
    }

    /// Whether its refresh token does for a grant of `scope`: it is alive, for the same client, and
    /// for these scopes at least. Account and integration are the same.
    pub(super) fn refresh_does(&self, integration: &Integration, scope: &Scope) -> bool {
        let alive = match &self.connection.status {
            ConnectionStatus::Active => true,
            ConnectionStatus::ReauthRequired(reauth) => match reauth.reason {
                ReauthReason::SignInAgain => true,
                ReauthReason::GrantDead
                | ReauthReason::RefreshTokenExpired
                | ReauthReason::NoRefreshToken
                | ReauthReason::RefreshOutcomeLost
                | ReauthReason::ClientChanged
                | ReauthReason::Operator => false,
            },
            ConnectionStatus::Disconnecting { .. } => false,
        };
        let covered = scope.first_outside(&self.connection.scope).is_none();
        let same_client = self.connection.client_id == integration.client_id;
        self.held.is_some() && self.connection.refreshable && alive && covered && same_client
    }
}

/// Stores `grant`, and ends the session with it.
pub(super) async fn store(
    server: &AuthorizationServer,
    session: &ConnectSession,
    integration: &Integration,
    grant: &Grant,
    actor: &Actor,
    now: Timestamp,
) -> Result<Connected, Halt> {
    for _ in 0..ROUNDS {
        let before = Before::find(server, session, &grant.account.sub).await?;
        if session
            .reconnect
            .is_some_and(|id| before.as_ref().is_none_or(|own| own.connection.id != id))
        {
            return Err(Stop::ConnectionGone.into());
        }
        let (held, recorded) =
            next(server, session, integration, grant, before.as_ref(), actor, now)?;
        let connection = held.connection.clone();
        let replaced = before.map(|own| (own.connection.generation, own.connection.version));
        let granted =
            server.store.store_grant(held, replaced, Some(session.id), recorded, now).await?;
        match granted {
            Granted::Done => return Ok(connected(session, integration, connection)),
            Granted::Changed => {}
            Granted::SessionOver => return Err(Stop::LinkUsed.into()),
        }
    }
    let why = format!("a connection of {} changes all the time", session.integration);
    Err(Broken::Store(StoreError::Unavailable(why)).into())
}

fn connected(
    session: &ConnectSession,
    integration: &Integration,
    connection: Connection,
) -> Connected {
    Connected {
        provider: integration.label.clone(),
        refused: integration.provider.missing(&connection.requested, &connection.scope),
        return_url: session.return_url.clone(),
        connection,
    }
}

/// The records to be stored.
fn next(
    server: &AuthorizationServer,
    session: &ConnectSession,
    integration: &Integration,
    grant: &Grant,
    before: Option<&Before>,
    actor: &Actor,
    now: Timestamp,
) -> Result<(Held, Recorded), Broken> {
    let held = before.and_then(|own| own.held.as_ref());
    let keeps =
        before.is_some_and(|own| grant.keep_refresh && own.refresh_does(integration, &grant.scope));
    let refresh_token = match (&grant.refresh_token, held.filter(|_| keeps)) {
        (Some(new), _) => Some(Zeroizing::new(new.clone())),
        (None, Some(held)) => seal::open(server, held)?.refresh_token,
        (None, None) => None,
    };
    let tokens = Tokens {
        access_token: Zeroizing::new(grant.access_token.clone()),
        token_type: grant.token_type.clone(),
        refresh_token,
        previous_refresh_token: None,
        id_token: grant.id_token.clone().map(Zeroizing::new),
    };
    let refreshable = tokens.refresh_token.is_some();
    let own = before.map(|own| &own.connection);
    let mut connection = connection(server, session, integration, grant, own, refreshable, now);
    connection.due_at = refresh::due_at(server, &connection, now);
    let credential = seal::seal(server, &connection, &tokens, held.map(|own| &own.credential))?;
    let mut recorded = recorded(server, session, grant, &connection, actor, now);
    if own.is_some_and(|own| matches!(own.status, ConnectionStatus::ReauthRequired(_))) {
        let notices = notices::about(server, NoticeEvent::Recovered, &connection, now);
        recorded.notices.extend(notices);
    }
    Ok((Held { connection, credential }, recorded))
}

fn connection(
    server: &AuthorizationServer,
    session: &ConnectSession,
    integration: &Integration,
    grant: &Grant,
    before: Option<&Connection>,
    refreshable: bool,
    now: Timestamp,
) -> Connection {
    let kept = before.filter(|_| grant.refresh_token.is_none());
    Connection {
        id: before.map_or_else(|| ConnectionId(server.new_id()), |own| own.id),
        integration: session.integration.clone(),
        client_id: integration.client_id.clone(),
        subject: session.subject.clone(),
        account: grant.account.clone(),
        scope: grant.scope.clone(),
        requested: grant.requested.clone(),
        status: ConnectionStatus::Active,
        generation: before.map_or(1, |own| own.generation.saturating_add(1)),
        version: before.map_or(1, |own| own.version.saturating_add(1)),
        issued_at: grant.issued_at,
        expires_at: grant.expires_at,
        refreshable,
        refresh_expires_at: kept.map_or(grant.refresh_expires_at, |own| own.refresh_expires_at),
        refresh_used_at: kept.map_or(grant.issued_at, |own| own.refresh_used_at),
        rotates: before.and_then(|own| own.rotates).or(integration.provider.rotates()),
        variables: grant.variables.clone(),
        trouble: None,
        due_at: None,
        created_at: before.map_or(now, |own| own.created_at),
        connected_at: now,
        last_used_at: before.and_then(|own| own.last_used_at),
    }
}

fn recorded(
    server: &AuthorizationServer,
    session: &ConnectSession,
    grant: &Grant,
    connection: &Connection,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let details = Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("subject".to_owned(), json!(connection.subject)),
        ("account".to_owned(), json!(connection.account.sub)),
        ("scope".to_owned(), json!(connection.scope)),
        ("requested".to_owned(), json!(connection.requested)),
        ("generation".to_owned(), json!(connection.generation)),
        ("refreshable".to_owned(), json!(connection.refreshable)),
        ("mode".to_owned(), json!(session.mode.as_str())),
        ("connect_session".to_owned(), json!(session.id)),
        ("token".to_owned(), json!(audit::fingerprint(&grant.access_token))),
    ]);
    let target = connection.id.shown();
    Recorded {
        audit: vec![audit::event(server, actor, "connection.connected", &target, details, now)],
        notices: notices::about(server, NoticeEvent::Connected, connection, now),
    }
}
