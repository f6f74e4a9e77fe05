//! Connections that come from elsewhere: another vault, or an export of this one.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use zeroize::Zeroizing;

use super::audit::{self, Actor};
use super::refresh;
use super::seal::{self, Tokens};
use super::subject;
use super::{Integration, IntegrationKind};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectionId;
use crate::model::{Account, Connection, ConnectionStatus, Scope};
use crate::registration::text::misleads;
use crate::store::{Granted, Held, Recorded, Selector, StoreError};
use crate::time::Timestamp;

/// How often a connection that somebody else changes at the same time is read anew.
const ROUNDS: u32 = 8;
/// Connections of a subject that are looked through for an account.
const MOST_ACCOUNTS: u32 = 50;

/// A connection as it was somewhere else.
#[derive(Clone)]
pub struct Import {
    /// Its id there, to keep.
    pub id: Option<ConnectionId>,
    /// The integration.
    pub integration: String,
    /// The client id that it was granted to, if that is known.
    pub client_id: Option<String>,
    /// For whom.
    pub subject: String,
    /// Whose; `sub` must be there.
    pub account: Account,
    /// What is granted; what the integration asks for if that is not known.
    pub scope: Option<Scope>,
    /// The access token; without one, it is made with the refresh token when it is first wanted.
    pub access_token: Option<Zeroizing<String>>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// When the access token expires; `None` when that is not known, which is not "never".
    pub expires_at: Option<Timestamp>,
    /// The refresh token.
    pub refresh_token: Option<Zeroizing<String>>,
    /// When that expires.
    pub refresh_expires_at: Option<Timestamp>,
    /// The ID token.
    pub id_token: Option<Zeroizing<String>>,
    /// What the provider has told besides.
    pub variables: BTreeMap<String, String>,
    /// When it was made there.
    pub created_at: Option<Timestamp>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is there now.
    Added(ConnectionId),
    /// It took the place of the tokens that were there.
    Replaced(ConnectionId),
    /// There is one for this account, or with this id; nothing was changed.
    Exists,
}

impl Import {
    /// Why it cannot be imported, if it cannot.
    pub fn problem(&self, server: &AuthorizationServer) -> Option<String> {
        let Some(integration) = server.policy.vault.integrations.get(&self.integration) else {
            return Some(format!("there is no integration {:?} in the settings", self.integration));
        };
        let plain = |text: &str| !text.trim().is_empty() && !text.contains(misleads);
        let person = integration.kind == IntegrationKind::Person;
        match () {
            () if !person => Some("its integration acts for itself and makes its own".to_owned()),
            () if self.client_id.as_ref().is_some_and(|own| *own != integration.client_id) => {
                Some("it was granted to another client_id than the integration has".to_owned())
            }
            () if self.subject.is_empty() => Some("it has no subject".to_owned()),
            () if subject::check(&self.subject).is_err() => {
                Some(format!("its subject cannot be one: {}", subject::WANTED))
            }
            () if !plain(&self.account.sub) => {
                Some("it has no account.sub, the provider's id of the account".to_owned())
            }
            () if self.access_token.is_none() && self.refresh_token.is_none() => {
                Some("it has neither an access_token nor a refresh_token".to_owned())
            }
            () => None,
        }
    }

    /// When the access token expires. One that is not there has expired, and one of which that is not
    /// known may have: with a refresh token, another is made when it is first wanted.
    fn expires_at(&self, integration: &Integration, now: Timestamp) -> Option<Timestamp> {
        let refreshable = self.refresh_token.is_some();
        match (&self.access_token, self.expires_at) {
            (None, _) => Some(now),
            (Some(_), Some(at)) => Some(at),
            (Some(_), None) => {
                let assumed = integration.provider.assumed_expiry(now)?;
                Some(if refreshable { now } else { assumed })
            }
        }
    }
}

/// Stores `own`, which has no [`Import::problem`], in the place of what there is for the account if
/// that is to be replaced.
pub async fn import(
    server: &AuthorizationServer,
    own: &Import,
    replace: bool,
    actor: &Actor,
    now: Timestamp,
) -> Result<Imported, Broken> {
    let Some(integration) = server.policy.vault.integrations.get(&own.integration) else {
        return Err(Broken::Corrupt(format!("no integration {:?}", own.integration)));
    };
    for _ in 0..ROUNDS {
        let before = present(server, own).await?;
        if before.is_some() && !replace {
            return Ok(Imported::Exists);
        }
        let connection = connection(server, integration, own, before.as_ref(), now);
        let id = connection.id;
        let held = sealed(server, own, connection)?;
        let recorded = recorded(server, own, &held.connection, actor, now);
        let version = before.as_ref().map(|old| (old.generation, old.version));
        let stored = server.store.store_grant(held, version, None, recorded, now).await?;
        match (stored, before.is_some()) {
            (Granted::Done, false) => return Ok(Imported::Added(id)),
            (Granted::Done, true) => return Ok(Imported::Replaced(id)),
            // Without one for the account, it is the id that is taken.
            (Granted::Changed, false) if present(server, own).await?.is_none() => {
                return Ok(Imported::Exists);
            }
            (Granted::Changed | Granted::SessionOver, _) => {}
        }
    }
    let why = format!("a connection of {} changes all the time", own.integration);
    Err(Broken::Store(StoreError::Unavailable(why)))
}

/// The connection that is there for the account.
async fn present(
    server: &AuthorizationServer,
    own: &Import,
) -> Result<Option<Connection>, StoreError> {
    let selector = Selector {
        connections: None,
        integrations: Some(vec![own.integration.clone()]),
        subjects: Some(vec![own.subject.clone()]),
        account: Some(own.account.sub.clone()),
    };
    let found = server.store.connections(&selector, None, None, MOST_ACCOUNTS).await?;
    Ok(found.into_iter().find(|other| other.account.sub == own.account.sub))
}

fn connection(
    server: &AuthorizationServer,
    integration: &Integration,
    own: &Import,
    before: Option<&Connection>,
    now: Timestamp,
) -> Connection {
    let new_id = || own.id.unwrap_or_else(|| ConnectionId(server.new_id()));
    let scope = integration.provider.canonical(own.scope.as_ref().unwrap_or(&integration.scope));
    let mut connection = Connection {
        id: before.map_or_else(new_id, |old| old.id),
        integration: own.integration.clone(),
        client_id: integration.client_id.clone(),
        subject: own.subject.clone(),
        account: own.account.clone(),
        requested: scope.clone(),
        scope,
        status: ConnectionStatus::Active,
        generation: before.map_or(1, |old| old.generation.saturating_add(1)),
        version: before.map_or(1, |old| old.version.saturating_add(1)),
        issued_at: now,
        expires_at: own.expires_at(integration, now),
        refreshable: own.refresh_token.is_some(),
        refresh_expires_at: own.refresh_expires_at,
        refresh_used_at: now,
        rotates: integration.provider.rotates(),
        variables: own.variables.clone(),
        trouble: None,
        due_at: None,
        created_at: before.map_or(own.created_at.unwrap_or(now), |old| old.created_at),
        connected_at: now,
        last_used_at: before.and_then(|old| old.last_used_at),
    };
    connection.due_at = refresh::due_at(server, &connection, now);
    connection
}

fn sealed(
    server: &AuthorizationServer,
    own: &Import,
    connection: Connection,
) -> Result<Held, Broken> {
    let tokens = Tokens {
        access_token: own.access_token.clone().unwrap_or_default(),
        token_type: own.token_type.clone(),
        refresh_token: own.refresh_token.clone(),
        previous_refresh_token: None,
        id_token: own.id_token.clone(),
    };
    let credential = seal::seal(server, &connection, &tokens, None)?;
    Ok(Held { connection, credential })
}

fn recorded(
    server: &AuthorizationServer,
    own: &Import,
    connection: &Connection,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let token = own.access_token.as_ref().or(own.refresh_token.as_ref());
    let details = Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("subject".to_owned(), json!(connection.subject)),
        ("account".to_owned(), json!(connection.account.sub)),
        ("scope".to_owned(), json!(connection.scope)),
        ("generation".to_owned(), json!(connection.generation)),
        ("token".to_owned(), json!(token.map(|own| audit::fingerprint(own)))),
    ]);
    let target = connection.id.shown();
    let entry = audit::event(server, actor, "connection.imported", &target, details, now);
    Recorded { audit: vec![entry], notices: Vec::new() }
}
