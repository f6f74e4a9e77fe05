//! The token of a connection: as it is stored while that is good enough, else after a refresh. A
//! valid token is never withheld because a refresh failed: a provider that is away for a minute
//! would break every caller.

use zeroize::Zeroizing;

use super::select::Found;
use super::{Asked, Caller, Force, Given, Warning, refuse};
use crate::AuthorizationServer;
use crate::error::Failure;
use crate::model::{Connection, ConnectionStatus, Reauth, ReauthReason};
use crate::store::{Held, Selector};
use crate::time::{Seconds, Timestamp};
use crate::vault::refresh::{self, Age, Outcome, Work};
use crate::vault::seal;

/// How often a refresh that was on its way already, for an older token, is followed by another.
const ROUNDS: u32 = 2;
/// For a valid token of a connection whose client is not the one in the settings.
const CLIENT_CHANGED: Warning =
    Warning::ReauthRequired { reason: ReauthReason::ClientChanged.as_str() };

/// The token of `found`.
pub(super) async fn token(
    server: &AuthorizationServer,
    found: Found,
    asked: &Asked,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Given, Failure> {
    let stored = seal::open_access_token(server, &found.held)?;
    let forced = asked.force.is_some_and(|force| force.is_about(&stored));
    let age = refresh::age(&found.held.connection, asked.min_ttl, now);
    match (forced, age) {
        (false, Age::Fresh) => Ok(given(found, stored, false, None, now)),
        (false, Age::Aging) => {
            let delayed = begin(server, &found, now);
            Ok(given(found, stored, false, delayed, now))
        }
        (true, _) | (false, Age::Short | Age::Over) => {
            wait(server, found, stored, asked, forced, caller, now).await
        }
    }
}

/// Begins a refresh that nobody waits for, if one may be made now.
fn begin(server: &AuthorizationServer, found: &Found, now: Timestamp) -> Option<Warning> {
    let connection = &found.held.connection;
    if !may_try(connection, now) {
        return None;
    }
    if refresh::is_anothers(connection, &found.integration) {
        return Some(CLIENT_CHANGED);
    }
    if let Some((_, shut)) = server.vault.gate.is_shut(&connection.integration, now) {
        return Some(Warning::RefreshDelayed { reason: shut.as_str() });
    }
    if let Some(background) = server.vault.beside.get() {
        background.begin(Work::renew(connection));
    }
    None
}

/// Whether a refresh is of any use now.
fn may_try(connection: &Connection, now: Timestamp) -> bool {
    let rested = connection.trouble.as_ref().is_none_or(|own| own.next_at <= now);
    connection.status == ConnectionStatus::Active && connection.refreshable && rested
}

/// Why only a person can bring another token, if it is so.
fn needs_person(found: &Found, now: Timestamp) -> Option<Reauth> {
    let connection = &found.held.connection;
    let found_now = |reason| Reauth { reason, error: None, error_subtype: None, since: now };
    match &connection.status {
        ConnectionStatus::ReauthRequired(reauth) => Some(reauth.clone()),
        ConnectionStatus::Disconnecting { .. } => None,
        ConnectionStatus::Active if refresh::is_anothers(connection, &found.integration) => {
            Some(found_now(ReauthReason::ClientChanged))
        }
        // Nothing is marked while it is valid: it is a caller who says that it is refused, and
        // others may use it.
        ConnectionStatus::Active if !connection.refreshable => {
            Some(found_now(ReauthReason::NoRefreshToken))
        }
        ConnectionStatus::Active => None,
    }
}

/// Waits for a refresh, and answers with what there is then.
async fn wait(
    server: &AuthorizationServer,
    found: Found,
    stored: Zeroizing<String>,
    asked: &Asked,
    forced: bool,
    caller: Caller<'_>,
    now: Timestamp,
) -> Result<Given, Failure> {
    let Found { mut held, integration } = found;
    let before = (held.connection.generation, held.connection.version);
    let (mut later, mut now, mut token) = (None, now, stored);
    for _ in 0..ROUNDS {
        // One that cannot be refreshed and is over is marked so by the attempt.
        let over = refresh::age(&held.connection, Seconds(0), now) == Age::Over;
        let active = held.connection.status == ConnectionStatus::Active;
        let marks = active && !held.connection.refreshable && over;
        if !may_try(&held.connection, now) && !marks {
            break;
        }
        let work = match refresh::age(&held.connection, asked.min_ttl, now) {
            Age::Fresh | Age::Aging => Work::force(&held.connection),
            Age::Short | Age::Over => Work::renew(&held.connection),
        };
        later = refuse::waited(server, work).await?;
        // Somebody has waited: what was decided at the moment of the request is old.
        now = server.clock.now();
        held = again(server, &held).await?;
        token = seal::open_access_token(server, &held)?;
        let still = (held.connection.generation, held.connection.version) == before;
        let failed = held.connection.trouble.is_some() || later.is_some();
        if !still || failed {
            break;
        }
    }
    let changed = (held.connection.generation, held.connection.version) != before;
    let valid = refresh::age(&held.connection, Seconds(0), now) != Age::Over;
    let found = Found { held, integration };
    // Somebody has said that the provider's API does not take it.
    let rejected = asked.force.is_some_and(|force| force != Force::Any && force.is_about(&token));
    if let Some(reauth) = needs_person(&found, now) {
        let marked = found.held.connection.status != ConnectionStatus::Active;
        let wanted = forced && (marked || found.held.connection.refreshable);
        if rejected || !valid || wanted {
            return Err(refuse::reauth(server, &found, &reauth, caller, now).await);
        }
    }
    if valid && changed {
        return Ok(given(found, token, true, None, now));
    }
    if valid && !rejected {
        let anothers = refresh::is_anothers(&found.held.connection, &found.integration);
        let warning = match anothers {
            true => Some(CLIENT_CHANGED),
            false => later.as_ref().and_then(delayed),
        };
        return Ok(given(found, token, false, warning, now));
    }
    Err(refuse::away(server, &found.held.connection, later, now))
}

/// The connection as it is now. It may have been disconnected while somebody waited.
async fn again(server: &AuthorizationServer, held: &Held) -> Result<Held, Failure> {
    let id = held.connection.id;
    let selector = Selector { connections: Some(vec![id]), ..Selector::default() };
    let found = server.store.held(&selector, 1).await?.pop();
    Ok(found.ok_or(crate::error::Refusal::ConnectionNotFound {})?)
}

fn delayed(outcome: &Outcome) -> Option<Warning> {
    match outcome {
        Outcome::Stored => None,
        Outcome::Later { reason, .. } => Some(Warning::RefreshDelayed { reason }),
    }
}

fn given(
    found: Found,
    access_token: Zeroizing<String>,
    refreshed: bool,
    delayed: Option<Warning>,
    at: Timestamp,
) -> Given {
    let Found { held: Held { connection, credential }, integration } = found;
    let warning = match (&connection.status, &connection.trouble) {
        (ConnectionStatus::ReauthRequired(Reauth { reason, .. }), _) => {
            Some(Warning::ReauthRequired { reason: reason.as_str() })
        }
        (ConnectionStatus::Active | ConnectionStatus::Disconnecting { .. }, Some(trouble)) => {
            Some(Warning::RefreshFailing { attempts: trouble.attempts })
        }
        (ConnectionStatus::Active | ConnectionStatus::Disconnecting { .. }, None) => delayed,
    };
    let token_type = credential.token_type;
    Given { access_token, token_type, connection, integration, refreshed, warning, at }
}
