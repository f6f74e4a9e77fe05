//! Giving a connection back: it is served no more from the first step on, then revoked at the
//! provider (RFC 7009), then removed with the key of its tokens.
//!
//! Revoking takes back the whole grant: with Google all that an account has given to a project. So
//! it is done for the last connection that shares the grant, and for no other.

use serde_json::{Map, Value, json};

use super::audit::{self, Actor};
use super::notices::{self, NoticeEvent};
use super::provider::Context;
use super::refresh::{self, Age, Work};
use super::{Integration, seal};
use crate::AuthorizationServer;
use crate::error::Failure;
use crate::id::ConnectionId;
use crate::model::{Connection, ConnectionStatus};
use crate::outbound::Response;
use crate::store::{Held, Leaving, Recorded};
use crate::time::{Seconds, Timestamp};

/// How long a provider that does not answer is tried.
const PATIENCE: Seconds = Seconds::days(1);
/// How much longer than a call may take somebody else waits before he takes over.
const SPARE: Seconds = Seconds(60);
/// How long it is left alone between two tries, at least and at most.
const SHORTEST_PAUSE: Seconds = Seconds::minutes(1);
const LONGEST_PAUSE: Seconds = Seconds::hours(1);

/// How far a connection has been given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// It is removed.
    Done(Upstream),
    /// It is served no more. The provider could not be told yet: that is tried again.
    Pending {
        /// What went wrong, for the operator.
        why: String,
    },
}

/// What the provider knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// The grant is revoked.
    Revoked,
    /// It goes on: so many other connections share it.
    Shared(u32),
    /// It goes on: the provider has no way to revoke it.
    CannotRevoke,
    /// It goes on, although it should not; why.
    GivenUp(String),
}

impl Upstream {
    /// Its name in records and answers.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Shared(_) => "shared",
            Self::CannotRevoke => "cannot_revoke",
            Self::GivenUp(_) => "given_up",
        }
    }
}

/// Gives a connection back; `None` when there is none.
pub async fn disconnect(
    server: &AuthorizationServer,
    id: ConnectionId,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<Disconnected>, Failure> {
    let Some(connection) = server.store.connection(id).await? else {
        return Ok(None);
    };
    let connection = match is_stale(server, &connection, now) {
        true => renewed(server, connection).await?,
        false => connection,
    };
    go_on(server, &connection, actor, now).await
}

/// Whether the provider wants an access token to end the grant, and the one that is there is over,
/// although the grant is not: the provider would not know it any more.
fn is_stale(server: &AuthorizationServer, connection: &Connection, now: Timestamp) -> bool {
    let integration = server.policy.vault.integrations.get(&connection.integration);
    let wants = integration.is_some_and(|own| own.provider.revokes_with_access());
    let alive = match &connection.status {
        ConnectionStatus::Active | ConnectionStatus::Disconnecting { .. } => connection.refreshable,
        ConnectionStatus::ReauthRequired(_) => false,
    };
    wants && alive && refresh::age(connection, Seconds(0), now) == Age::Over
}

/// The connection with another access token, if one is to be had.
async fn renewed(
    server: &AuthorizationServer,
    connection: Connection,
) -> Result<Connection, Failure> {
    let work = Work::renew(&connection);
    match server.vault.beside.get() {
        Some(background) => {
            background.finish(work, server.policy.vault.refresh.patience).await;
        }
        None => {
            refresh::run(server, &work).await?;
        }
    }
    Ok(server.store.connection(connection.id).await?.unwrap_or(connection))
}

/// What the sweeper calls for a connection that is being given back: the next try, or the last.
/// `None` when it is not there any more, or was connected again.
pub async fn resume(
    server: &AuthorizationServer,
    id: ConnectionId,
    now: Timestamp,
) -> Result<Option<Disconnected>, Failure> {
    let found = server.store.connection(id).await?;
    let leaving = |own: &Connection| matches!(own.status, ConnectionStatus::Disconnecting { .. });
    let Some(connection) = found.filter(leaving) else {
        return Ok(None);
    };
    let connection = match is_stale(server, &connection, now) {
        true => renewed_leaving(server, connection, now).await?,
        false => connection,
    };
    let sweeper = Actor { name: "sweeper".to_owned(), address: None, request_id: None };
    go_on(server, &connection, &sweeper, now).await
}

/// The same for a connection that is being given back already, unless others share the grant.
async fn renewed_leaving(
    server: &AuthorizationServer,
    connection: Connection,
    now: Timestamp,
) -> Result<Connection, Failure> {
    let (sharing, again) = (sharing(server, &connection), Recorded::default());
    // It keeps the moment when it is due.
    let leaving = server.store.start_disconnect(connection.id, &sharing, again, now, now).await?;
    if let Some(Leaving { held, siblings: 0, refreshing_until: None }) = leaving {
        refresh::renew_leaving(server, &held).await?;
    }
    Ok(server.store.connection(connection.id).await?.unwrap_or(connection))
}

async fn go_on(
    server: &AuthorizationServer,
    connection: &Connection,
    actor: &Actor,
    now: Timestamp,
) -> Result<Option<Disconnected>, Failure> {
    let since = match &connection.status {
        ConnectionStatus::Disconnecting { since } => Some(*since),
        ConnectionStatus::Active | ConnectionStatus::ReauthRequired(_) => None,
    };
    let recorded = match since {
        Some(_) => Recorded::default(),
        None => begun(server, connection, actor, now),
    };
    let sharing = sharing(server, connection);
    // Not before this try can be over.
    let due_at = now.plus(server.policy.vault.refresh.deadline).plus(SPARE);
    let leaving =
        server.store.start_disconnect(connection.id, &sharing, recorded, due_at, now).await?;
    let Some(Leaving { held, siblings, refreshing_until }) = leaving else {
        return Ok(None);
    };
    // What the provider is answering just now may be another grant than the one that is known here.
    if let Some(until) = refreshing_until.filter(|_| siblings == 0) {
        let look = [(&held.connection, Some(until))];
        refresh::put_off(server, &look, now, Recorded::default()).await?;
        return Ok(Some(Disconnected::Pending { why: "it is being refreshed".to_owned() }));
    }
    let revoked = match siblings == 0 && is_stale(server, connection, now) {
        true => Err("its access token is over, and there is no other to be had".to_owned()),
        false => revoke(server, &held, siblings, now).await?,
    };
    let upstream = match revoked {
        Ok(upstream) => upstream,
        Err(why) if now < since.unwrap_or(now).plus(PATIENCE) => {
            let next = Some(now.plus(pause(since.unwrap_or(now), now)));
            refresh::put_off(server, &[(&held.connection, next)], now, Recorded::default()).await?;
            return Ok(Some(Disconnected::Pending { why }));
        }
        Err(why) => Upstream::GivenUp(why),
    };
    let recorded = ended(server, &held.connection, &upstream, actor, now);
    let id = held.connection.id;
    let removed = server.store.remove_connection(id, recorded).await?;
    // Somebody else was faster, unless it was connected again meanwhile.
    let gone = removed || server.store.connection(id).await?.is_none();
    Ok(gone.then_some(Disconnected::Done(upstream)))
}

/// How long the provider is left alone: a quarter of the time that it is tried already.
fn pause(since: Timestamp, now: Timestamp) -> Seconds {
    Seconds(since.until(now).0 / 4).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// The integrations whose connections of one account share a grant: those with the same client, or
/// one of the same project, at the same provider, whatever file its description is in.
fn sharing(server: &AuthorizationServer, connection: &Connection) -> Vec<String> {
    let all = &server.policy.vault.integrations;
    let own = all.get(&connection.integration);
    // Nobody knows whose these are: they are strangers to each other.
    if connection.account.sub.is_empty() {
        return Vec::new();
    }
    let same = |other: &&std::sync::Arc<Integration>| {
        own.is_some_and(|own| own.provider.shares_grants(own, &connection.client_id, other))
    };
    let mut names: Vec<_> = all.values().filter(same).map(|other| other.name.clone()).collect();
    if !names.contains(&connection.integration) {
        names.push(connection.integration.clone());
    }
    names
}

/// Tells the provider, if it is to be told; else why not. The inner error is worth another try.
async fn revoke(
    server: &AuthorizationServer,
    held: &Held,
    siblings: u32,
    now: Timestamp,
) -> Result<Result<Upstream, String>, Failure> {
    if siblings > 0 {
        return Ok(Ok(Upstream::Shared(siblings)));
    }
    let Some(integration) = server.policy.vault.integrations.get(&held.connection.integration)
    else {
        return Ok(Ok(Upstream::GivenUp("the integration is not configured any more".to_owned())));
    };
    if integration.client_id != held.connection.client_id {
        return Ok(Ok(Upstream::GivenUp("it was granted to another client_id".to_owned())));
    }
    let tokens = seal::open(server, held)?;
    let jti = server.new_id().to_string();
    let ctx = Context { integration, variables: &held.connection.variables, jti: &jti, now };
    if let Err(failure) = integration.provider.prepare(&ctx, server.outbound.as_ref()).await {
        return Ok(Err(failure.to_string()));
    }
    let refresh = tokens.refresh_token.as_ref().map(|own| own.as_str());
    let Some(request) = integration.provider.revoke(&ctx, &tokens.access_token, refresh) else {
        return Ok(Ok(Upstream::CannotRevoke));
    };
    let deadline = server.policy.vault.refresh.deadline;
    match server.outbound.call(request, deadline).await {
        Ok(answer) if integration.provider.revoked(&answer) => Ok(Ok(Upstream::Revoked)),
        Ok(Response { status, .. }) => Ok(Err(format!("the provider answered {status}"))),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn begun(
    server: &AuthorizationServer,
    connection: &Connection,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let details = described(connection);
    let target = connection.id.shown();
    let entry = audit::event(server, actor, "connection.disconnecting", &target, details, now);
    Recorded { audit: vec![entry], notices: Vec::new() }
}

fn ended(
    server: &AuthorizationServer,
    connection: &Connection,
    upstream: &Upstream,
    actor: &Actor,
    now: Timestamp,
) -> Recorded {
    let mut details = described(connection);
    details.insert("provider".to_owned(), json!(upstream.as_str()));
    if let Upstream::GivenUp(why) = upstream {
        let text = format!("The grant may still be alive at the provider: {why}. End it there.");
        details.insert("warning".to_owned(), json!(text));
    }
    let target = connection.id.shown();
    Recorded {
        audit: vec![audit::event(server, actor, "connection.disconnected", &target, details, now)],
        notices: notices::about(server, NoticeEvent::Disconnected, connection, now),
    }
}

fn described(connection: &Connection) -> Map<String, Value> {
    Map::from_iter([
        ("integration".to_owned(), json!(connection.integration)),
        ("subject".to_owned(), json!(connection.subject)),
        ("account".to_owned(), json!(connection.account.sub)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_tried_more_and_more_seldom() {
        let since = Timestamp::from_epoch(1_800_000_000);
        let after = |seconds| pause(since, since.plus(Seconds(seconds))).0;
        assert_eq!([0, 60, 1_200, 14_400, 86_000].map(after), [60, 60, 300, 3_600, 3_600]);
    }
}
