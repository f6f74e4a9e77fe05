//! Who gets which token: one connection for a request, its token while it is valid, another one when
//! it is time, and else a refusal that says what to do.
//!
//! 1. `asked`: what is asked for.
//! 2. `select`: the one connection that is meant, within the caller's reach, with its scopes.
//! 3. `serve`: its token, as it is or after a refresh.
//! 4. `refuse`: refusals, with the link that repairs it.
//! 5. `count`: what it came to, for whoever counts.

mod asked;
mod count;
mod refuse;
mod select;
mod serve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::AuthorizationServer;
use crate::error::{Failure, Refusal};
use crate::id::ConnectionId;
use crate::model::{ApiKeyAction, ApiKeyRights, ConnectMode, Connection};
use crate::time::{Seconds, Timestamp};
use crate::vault::Integration;
use crate::vault::audit::{self, Actor};

pub use asked::{Asked, Force};
pub use count::{Count, Counter, refused};
pub use refuse::Links;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// What is within reach.
    pub rights: &'a ApiKeyRights,
    /// What the token is for, which must be among the rights.
    pub action: ApiKeyAction,
    /// For the audit log.
    pub actor: &'a Actor,
    /// Who confirms what a link connects; `None` for what is usual.
    pub mode: Option<ConnectMode>,
}

/// A token for whoever asked.
#[derive(Clone)]
pub struct Given {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// The connection that it is of.
    pub connection: Connection,
    /// Through which integration.
    pub integration: Arc<Integration>,
    /// Whether it was got from the provider for this request.
    pub refreshed: bool,
    /// What the caller should know.
    pub warning: Option<Warning>,
    /// The moment of the answer, which is later than that of the request if it had to wait.
    pub at: Timestamp,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Given({}, {:?})", self.connection.id, self.warning)
    }
}

/// A token is good, but there will be no other unless something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Refreshes fail.
    RefreshFailing {
        /// How many since the last one that did not.
        attempts: u32,
    },
    /// A refresh was wanted, and cannot be made now.
    RefreshDelayed {
        /// Why.
        reason: &'static str,
    },
    /// The account has to be connected again.
    ReauthRequired {
        /// Why.
        reason: &'static str,
    },
}

/// The token that is asked for. That it was given is in the audit log before it is answered.
pub async fn token(
    server: &AuthorizationServer,
    asked: &Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Given, Failure> {
    let given = give(server, asked, caller, now).await;
    count::answered(server, asked, caller.rights, &given);
    given
}

async fn give(
    server: &AuthorizationServer,
    asked: &Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Given, Failure> {
    let found = select::one(server, asked, caller, now).await?;
    let given = serve::token(server, found, asked, caller, now).await?;
    if given.refreshed {
        // A refresh may bring other scopes than there were.
        let own = (&given.connection, given.integration.as_ref());
        select::check_scopes(server, own, asked, caller, given.at).await?;
    }
    let entry = given.entry(server, caller);
    server.store.append_audit(vec![entry]).await?;
    if is_news(&given.connection, given.at) {
        server.vault.uses.note(given.connection.id, given.at);
    }
    Ok(given)
}

/// How old the note of a use may be before another one is made.
const NOTED: Seconds = Seconds::hours(1);

/// Whether a use has to be written down: not when one of the same token was, a short time ago.
fn is_news(connection: &Connection, now: Timestamp) -> bool {
    let known = |at: Timestamp| at >= connection.issued_at && now < at.plus(NOTED);
    !connection.last_used_at.is_some_and(known)
}

impl Given {
    /// For how many seconds it is valid; `None` for ever.
    pub fn expires_in(&self) -> Option<u32> {
        self.connection.expires_at.map(|end| self.at.until(end).0)
    }

    fn entry(&self, server: &AuthorizationServer, caller: Caller<'_>) -> crate::model::AuditEvent {
        let action = match caller.action {
            ApiKeyAction::Proxy => "token.used",
            ApiKeyAction::Token | ApiKeyAction::Connect | ApiKeyAction::Manage => "token.read",
        };
        let own = &self.connection;
        let details = Details {
            integration: &own.integration,
            subject: &own.subject,
            scope: own.scope.as_str(),
            refreshed: self.refreshed,
            token: audit::fingerprint(&self.access_token),
        };
        audit::event(server, caller.actor, action, &own.id.shown(), details, self.at)
    }
}

/// What the audit log says of a token that was given.
#[derive(Serialize)]
struct Details<'a> {
    integration: &'a str,
    subject: &'a str,
    scope: &'a str,
    refreshed: bool,
    token: String,
}

/// When connections were used since that was last written down.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<ConnectionId, Timestamp>>);

impl Uses {
    fn note(&self, id: ConnectionId, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
    }

    fn take(&self) -> Vec<(ConnectionId, Timestamp)> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }
}

/// Writes down when connections were last used, as far as that is not written yet.
pub async fn store_uses(server: &AuthorizationServer) -> Result<(), Failure> {
    let uses = server.vault.uses.take();
    if !uses.is_empty() {
        server.store.touch_connections(&uses).await?;
    }
    Ok(())
}

/// Whether the caller may do what it wants to do at all.
fn may(caller: Caller<'_>) -> Result<(), Refusal> {
    let what = match caller.action {
        ApiKeyAction::Token => "get tokens",
        ApiKeyAction::Connect => "connect accounts",
        ApiKeyAction::Manage => "manage connections",
        ApiKeyAction::Proxy => "use the proxy",
    };
    match caller.rights.may(caller.action) {
        true => Ok(()),
        false => Err(Refusal::KeyMayNot { what }),
    }
}
