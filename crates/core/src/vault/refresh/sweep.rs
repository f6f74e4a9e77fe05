//! What the sweeper does with a connection whose time has come.

use serde_json::{Map, json};

use super::when::{self, Agenda, Task};
use super::{Work, end, is_anothers};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::ConnectionId;
use crate::model::{Connection, ConnectionStatus};
use crate::store::Recorded;
use crate::time::{Seconds, Timestamp};
use crate::vault::audit::{self, Actor};
use crate::vault::notices::{self, NoticeEvent};

/// What there is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A refresh.
    Refresh(Work),
    /// The connection is being disconnected, and whoever began has not finished.
    Leaving(ConnectionId),
    /// Nothing before then.
    Nothing(Option<Timestamp>),
}

/// Looks at a connection that is due. `connection.due_at` is when it was.
pub async fn look(
    server: &AuthorizationServer,
    connection: &Connection,
    now: Timestamp,
) -> Result<Found, Broken> {
    match connection.status {
        ConnectionStatus::Active => {}
        ConnectionStatus::Disconnecting { .. } => return Ok(Found::Leaving(connection.id)),
        ConnectionStatus::ReauthRequired(_) => return Ok(Found::Nothing(None)),
    }
    let Some(integration) = server.policy.vault.integrations.get(&connection.integration) else {
        return Ok(Found::Nothing(Some(soon(server, Seconds::hours(1), now))));
    };
    let agenda = agenda(server, connection);
    let used = connection.last_used_at.is_some_and(|at| at >= connection.issued_at);
    let task = agenda.task(connection.due_at, used, now);
    let task = match (task, &connection.trouble) {
        (Some(Task::End | Task::Tell), _) | (_, None) => task,
        (_, Some(trouble)) if now < trouble.next_at => {
            return Ok(Found::Nothing(Some(trouble.next_at)));
        }
        // What has failed is tried again until it works, whoever uses it.
        (_, Some(_)) => task.or(Some(Task::Renew)),
    };
    match task {
        Some(Task::End) => {
            end::give_up(server, connection, integration).await?;
            Ok(Found::Nothing(None))
        }
        Some(Task::Tell) => {
            let recorded = told(server, connection, now);
            // The next look finds what else there is to do.
            let next = Some(now.plus(Seconds(1)));
            put_off(server, &[(connection, next)], now, recorded).await?;
            Ok(Found::Nothing(next))
        }
        Some(Task::Renew | Task::KeepAlive) if is_anothers(connection, integration) => {
            Ok(Found::Nothing(Some(soon(server, Seconds::hours(1), now))))
        }
        Some(Task::Renew | Task::KeepAlive) => {
            let gate = &server.vault.gate;
            if let Some((wait, _)) = gate.is_shut(&integration.name, now) {
                return Ok(Found::Nothing(Some(soon(server, wait, now))));
            }
            match gate.has_room(integration, server.clock.millis()) {
                true => Ok(Found::Refresh(Work::renew(connection))),
                false => Ok(Found::Nothing(Some(soon(server, Seconds(2), now)))),
            }
        }
        None => Ok(Found::Nothing(agenda.next(now, server.entropy.as_ref()))),
    }
}

/// When connections are looked at next that were looked at `now`: then, or before if there is
/// something to tell.
pub async fn put_off(
    server: &AuthorizationServer,
    looks: &[(&Connection, Option<Timestamp>)],
    now: Timestamp,
    recorded: Recorded,
) -> Result<(), Broken> {
    let at = |own: &Connection, next: Timestamp| match own.status {
        ConnectionStatus::Active => agenda(server, own).no_later(next, now),
        ConnectionStatus::ReauthRequired(_) | ConnectionStatus::Disconnecting { .. } => next,
    };
    let looks = looks.iter();
    let looks = looks.map(|(own, next)| (own.id, own.version, next.map(|next| at(own, next))));
    let looks = looks.collect();
    Ok(server.store.put_off(looks, recorded).await?)
}

/// What is to be done with `connection`, and when.
pub(super) fn agenda(server: &AuthorizationServer, connection: &Connection) -> Agenda {
    let policy = &server.policy.vault;
    let integration = policy.integrations.get(&connection.integration);
    let provider = integration.map(|own| &own.provider);
    let idle = provider.and_then(|own| own.refresh_idle());
    // What is exchanged ends with the access token.
    let alive = provider.filter(|own| own.refreshes_while_alive()).and(connection.expires_at);
    let lives = alive.map(|end| connection.refresh_used_at.until(end));
    // Each use gives another refresh token, which lives as long again.
    let rotates = connection.refresh_expires_at.filter(|_| connection.rotates == Some(true));
    let renewed = rotates.map(|end| connection.refresh_used_at.until(end));
    let idle = [idle, lives, renewed].into_iter().flatten().min();
    Agenda::of(connection, idle, &policy.refresh)
}

/// After `wait` and up to half as long again.
fn soon(server: &AuthorizationServer, wait: Seconds, now: Timestamp) -> Timestamp {
    let spread = when::below(wait.0 / 2 + 1, server.entropy.as_ref());
    now.plus(wait).plus(Seconds(1 + spread))
}

fn told(server: &AuthorizationServer, connection: &Connection, now: Timestamp) -> Recorded {
    let end = connection.refresh_expires_at.map(Timestamp::rfc3339);
    let details = Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("refresh_expires_at".to_owned(), json!(end)),
    ]);
    let (actor, target) = (Actor::local("sweeper"), connection.id.shown());
    let action = "connection.expiring_soon";
    Recorded {
        audit: vec![audit::event(server, &actor, action, &target, details, now)],
        notices: notices::about(server, NoticeEvent::ExpiringSoon, connection, now),
    }
}
