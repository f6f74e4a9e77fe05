//! Refreshes, one at a time for each connection: the table `refresh_attempt`.

use grantor_core::id::{ConnectionId, RefreshId};
use grantor_core::model::{Connection, RefreshAttempt};
use grantor_core::store::{Begun, Ended, RefreshEnd};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::connection_rows;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::columns::number;
use crate::records::connections::{connection, connection_columns};
use crate::records::refreshes::{attempt, attempt_columns, is_of, merged, row};

/// Takes the lease, unless somebody has it.
pub(super) fn begin(db: &Db<'_>, attempt: &RefreshAttempt, now: Timestamp) -> Result<Begun, Fault> {
    let Some(connection) = connection_rows::find(db, attempt.connection)? else {
        return Ok(Begun::Gone);
    };
    if !is_of(attempt, &connection) {
        return Ok(Begun::Changed);
    }
    let before = find(db, attempt.connection)?;
    if let Some(other) = before.as_ref().filter(|other| now < other.until) {
        return Ok(Begun::Busy { until: other.until });
    }
    // One that is still written down has not ended, or nobody knows how.
    let sent = before.is_some_and(|before| is_of(&before, &connection));
    let attempt = RefreshAttempt { again: sent, ..attempt.clone() };
    put(db, &attempt)?;
    Ok(Begun::Yes(attempt))
}

/// Until when somebody has the lease, if somebody has.
pub(super) fn leased_until(
    db: &Db<'_>,
    connection: ConnectionId,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let lease = find(db, connection)?.map(|lease| lease.until);
    Ok(lease.filter(|until| now < *until))
}

/// Extends a lease that the caller has.
pub(super) fn extend(
    db: &Db<'_>,
    connection: ConnectionId,
    id: RefreshId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    let extended = db.run(
        "UPDATE refresh_attempt SET leased_until = ?3
         WHERE connection_id = ?1 AND id = ?2 AND leased_until > ?4",
        params![bytes(&connection.0), bytes(&id.0), until.epoch(), now.epoch()],
    )?;
    Ok(extended == 1)
}

/// Stores how a refresh ended, unless something newer was stored.
pub(super) fn end(
    db: &Db<'_>,
    attempt: &RefreshAttempt,
    end: &RefreshEnd,
    now: Timestamp,
) -> Result<Ended, Fault> {
    let current = connection_rows::find(db, attempt.connection)?;
    let Some(current) = current.filter(|current| is_of(attempt, current)) else {
        return Ok(Ended::Overtaken);
    };
    // Gone or of somebody else, whose knowledge is newer, after the lease ran out.
    let own = find(db, attempt.connection)?.filter(|lease| lease.id == attempt.id);
    match (end, own) {
        (RefreshEnd::Renewed(held), _) => {
            connection_rows::update(db, &current, &merged(&current, &held.connection))?;
            connection_rows::renew_credential(db, &held.credential)?;
            forget(db, attempt.connection)?;
        }
        (RefreshEnd::Failed(_) | RefreshEnd::Unknown(_), None) => return Ok(Ended::Overtaken),
        (RefreshEnd::Failed(failed), Some(own)) => {
            connection_rows::update(db, &current, &merged(&current, failed))?;
            // Whether an earlier attempt has used the refresh token up is still not known.
            if own.again { release(db, attempt, now)? } else { forget(db, attempt.connection)? }
        }
        (RefreshEnd::Unknown(unknown), Some(_)) => {
            connection_rows::update(db, &current, &merged(&current, unknown))?;
            release(db, attempt, now)?;
        }
    }
    Ok(Ended::Done)
}

/// Connections that are due and not being refreshed, as they were; they are due again at `until`.
pub(super) fn claim_due(
    db: &Db<'_>,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Connection>, Fault> {
    let due = db.all(
        concat!(
            "SELECT ",
            connection_columns!("c."),
            " FROM connection c INDEXED BY connection_due
              WHERE c.due_at <= ?1 AND NOT EXISTS (
                  SELECT 1 FROM refresh_attempt a
                  WHERE a.connection_id = c.id AND a.leased_until > ?1)
              ORDER BY c.due_at LIMIT ?2"
        ),
        params![now.epoch(), limit],
        connection,
    )?;
    for connection in &due {
        db.run(
            "UPDATE connection SET due_at = ?2 WHERE id = ?1",
            params![bytes(&connection.id.0), until.epoch()],
        )?;
    }
    Ok(due)
}

/// Sets when connections are due, those that are of the version still and wait for no person.
pub(super) fn put_off(
    db: &Db<'_>,
    looks: &[(ConnectionId, u64, Option<Timestamp>)],
) -> Result<(), Fault> {
    looks.iter().try_for_each(|(id, version, at)| {
        let put_off = "UPDATE connection SET due_at = ?3
                       WHERE id = ?1 AND version = ?2 AND status <> 'reauth_required'";
        let at = at.map(Timestamp::epoch);
        db.run(put_off, params![bytes(&id.0), number(*version)?, at]).map(drop)
    })
}

/// Forgets the attempt of a connection, whoever makes it.
pub(super) fn forget(db: &Db<'_>, connection: ConnectionId) -> Result<(), Fault> {
    db.run("DELETE FROM refresh_attempt WHERE connection_id = ?1", [bytes(&connection.0)])?;
    Ok(())
}

/// Gives the lease back; that there was an attempt stays known.
fn release(db: &Db<'_>, attempt: &RefreshAttempt, now: Timestamp) -> Result<(), Fault> {
    db.run(
        "UPDATE refresh_attempt SET leased_until = ?3 WHERE connection_id = ?1 AND id = ?2",
        params![bytes(&attempt.connection.0), bytes(&attempt.id.0), now.epoch()],
    )?;
    Ok(())
}

fn find(db: &Db<'_>, connection: ConnectionId) -> Result<Option<RefreshAttempt>, Fault> {
    db.one(
        concat!("SELECT ", attempt_columns!(""), " FROM refresh_attempt WHERE connection_id = ?1"),
        [bytes(&connection.0)],
        attempt,
    )
}

fn put(db: &Db<'_>, attempt: &RefreshAttempt) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT OR REPLACE INTO refresh_attempt (",
            attempt_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(attempt)?),
    )?;
    Ok(())
}
