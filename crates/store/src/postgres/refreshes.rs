//! Refreshes, one at a time for each connection, whose row is locked: the table `refresh_attempt`.

use grantor_core::id::{ConnectionId, RefreshId};
use grantor_core::model::{Connection, RefreshAttempt};
use grantor_core::store::{Begun, Ended, RefreshEnd};
use grantor_core::time::Timestamp;

use super::connection_rows;
use super::fault::Fault;
use super::rows::{Db, transposed};
use crate::columns::{Unreadable, number, values};
use crate::records::connections::{connection, connection_columns};
use crate::records::refreshes::{attempt, attempt_columns, is_of, merged, row};

const SELECT: &str =
    concat!("SELECT ", attempt_columns!(""), " FROM refresh_attempt WHERE connection_id = $1");

const PUT: &str = concat!(
    "INSERT INTO refresh_attempt (",
    attempt_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (connection_id) DO UPDATE
     SET id = excluded.id, generation = excluded.generation, version = excluded.version,
         again = excluded.again, started_at = excluded.started_at,
         leased_until = excluded.leased_until"
);

/// As they were; those that somebody changes at this moment are passed over.
const CLAIM: &str = concat!(
    "WITH due AS (
        SELECT ",
    connection_columns!("c."),
    " FROM connection c
        WHERE c.due_at <= $1 AND NOT EXISTS (
            SELECT 1 FROM refresh_attempt a
            WHERE a.connection_id = c.id AND a.leased_until > $1)
        ORDER BY c.due_at LIMIT $3 FOR UPDATE OF c SKIP LOCKED),
     moved AS (UPDATE connection SET due_at = $2 FROM due WHERE connection.id = due.id)
     SELECT ",
    connection_columns!(""),
    " FROM due ORDER BY due_at"
);

/// Takes the lease, unless somebody has it.
pub(super) async fn begin(
    db: Db<'_>,
    attempt: &RefreshAttempt,
    now: Timestamp,
) -> Result<Begun, Fault> {
    let Some(connection) = connection_rows::locked(db, attempt.connection).await? else {
        return Ok(Begun::Gone);
    };
    if !is_of(attempt, &connection) {
        return Ok(Begun::Changed);
    }
    let before = find(db, attempt.connection).await?;
    if let Some(other) = before.as_ref().filter(|other| now < other.until) {
        return Ok(Begun::Busy { until: other.until });
    }
    // One that is still written down has not ended, or nobody knows how.
    let sent = before.is_some_and(|before| is_of(&before, &connection));
    let attempt = RefreshAttempt { again: sent, ..attempt.clone() };
    db.run(PUT, &row(&attempt)?).await?;
    Ok(Begun::Yes(attempt))
}

/// Until when somebody has the lease, if somebody has.
pub(super) async fn leased_until(
    db: Db<'_>,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let lease = find(db, connection).await?.map(|lease| lease.until);
    Ok(lease.filter(|until| now < *until))
}

/// Extends a lease that the caller has.
pub(super) async fn extend(
    db: Db<'_>,
    connection: ConnectionId,
    id: RefreshId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    let extend = "UPDATE refresh_attempt SET leased_until = $3
        WHERE connection_id = $1 AND id = $2 AND leased_until > $4";
    Ok(db.run(extend, &values![connection.0, id.0, until, now]).await? == 1)
}

/// Stores how a refresh ended, unless something newer was stored.
pub(super) async fn end(
    db: Db<'_>,
    attempt: &RefreshAttempt,
    end: &RefreshEnd,
    now: Timestamp,
) -> Result<Ended, Fault> {
    let current = connection_rows::locked(db, attempt.connection).await?;
    let Some(current) = current.filter(|current| is_of(attempt, current)) else {
        return Ok(Ended::Overtaken);
    };
    // Gone or of somebody else, whose knowledge is newer, after the lease ran out.
    let own = find(db, attempt.connection).await?.filter(|lease| lease.id == attempt.id);
    match (end, own) {
        (RefreshEnd::Renewed(held), _) => {
            let new = merged(&current, &held.connection);
            connection_rows::update(db, &current, &new).await?;
            connection_rows::renew_credential(db, &held.credential).await?;
            forget(db, attempt.connection).await?;
        }
        (RefreshEnd::Failed(_) | RefreshEnd::Unknown(_), None) => return Ok(Ended::Overtaken),
        (RefreshEnd::Failed(failed), Some(own)) => {
            connection_rows::update(db, &current, &merged(&current, failed)).await?;
            // Whether an earlier attempt has used the refresh token up is still not known.
            if own.again {
                release(db, attempt, now).await?;
            } else {
                forget(db, attempt.connection).await?;
            }
        }
        (RefreshEnd::Unknown(unknown), Some(_)) => {
            connection_rows::update(db, &current, &merged(&current, unknown)).await?;
            release(db, attempt, now).await?;
        }
    }
    Ok(Ended::Done)
}

/// Connections that are due and not being refreshed, as they were; they are due again at `until`.
pub(super) async fn claim_due(
    db: Db<'_>,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Connection>, Fault> {
    db.all(CLAIM, &values![now, until, limit], connection).await
}

/// Sets when connections are due, those that are of the version still and wait for no person.
pub(super) async fn put_off(
    db: Db<'_>,
    looks: &[(ConnectionId, u64, Option<Timestamp>)],
) -> Result<(), Fault> {
    let rows = looks
        .iter()
        .map(|(id, version, at)| Ok(values![id.0, number(*version)?, *at]))
        .collect::<Result<_, Unreadable>>()?;
    db.run(
        "UPDATE connection c SET due_at = look.at
         FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS look (id, version, at)
         WHERE c.id = look.id AND c.version = look.version AND c.status <> 'reauth_required'",
        &transposed(rows),
    )
    .await
    .map(drop)
}

/// Forgets the attempt of a connection, whoever makes it.
pub(super) async fn forget(db: Db<'_>, connection: ConnectionId) -> Result<(), Fault> {
    let forget = "DELETE FROM refresh_attempt WHERE connection_id = $1";
    db.run(forget, &values![connection.0]).await.map(drop)
}

/// Gives the lease back; that there was an attempt stays known.
async fn release(db: Db<'_>, attempt: &RefreshAttempt, now: Timestamp) -> Result<(), Fault> {
    let release = "UPDATE refresh_attempt SET leased_until = $3
                   WHERE connection_id = $1 AND id = $2";
    db.run(release, &values![attempt.connection.0, attempt.id.0, now]).await.map(drop)
}

async fn find(db: Db<'_>, connection: ConnectionId) -> Result<Option<RefreshAttempt>, Fault> {
    db.one(SELECT, &values![connection.0], attempt).await
}
