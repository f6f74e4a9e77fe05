//! Refreshes: the rows of `refresh_attempt`, and what an end of one changes.

use grantor_core::id::{ConnectionId, RefreshId};
use grantor_core::model::{Connection, ConnectionStatus, ReauthReason, RefreshAttempt};

use crate::columns::{Columns, Unreadable, Value, number, values};

/// The columns of an attempt, those of the table that is named: `""`, or `"x."`.
macro_rules! attempt_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            connection_id, id, generation, version, again, started_at, leased_until
        )
    };
}
pub(crate) use attempt_columns;

/// What is bound for [`attempt_columns`].
pub(crate) fn row(attempt: &RefreshAttempt) -> Result<[Value<'_>; 7], Unreadable> {
    Ok(values![
        attempt.connection.0,
        attempt.id.0,
        attempt.generation,
        number(attempt.version)?,
        attempt.again,
        attempt.started_at,
        attempt.until,
    ])
}

/// Whether an attempt is made of the tokens that the connection has.
pub(crate) fn is_of(attempt: &RefreshAttempt, connection: &Connection) -> bool {
    attempt.generation == connection.generation && attempt.version == connection.version
}

/// What is stored of `new`: what somebody has said about the connection since it was read stays.
pub(crate) fn merged(current: &Connection, new: &Connection) -> Connection {
    let stays = match &current.status {
        ConnectionStatus::Active => false,
        ConnectionStatus::ReauthRequired(reauth) => reauth.reason == ReauthReason::Operator,
        ConnectionStatus::Disconnecting { .. } => true,
    };
    if !stays {
        return new.clone();
    }
    Connection { status: current.status.clone(), due_at: current.due_at, ..new.clone() }
}

/// Reads [`attempt_columns`].
pub(crate) fn attempt(columns: &mut Columns<'_>) -> Result<RefreshAttempt, Unreadable> {
    Ok(RefreshAttempt {
        connection: ConnectionId(columns.id()?),
        id: RefreshId(columns.id()?),
        generation: columns.value()?,
        version: columns.value()?,
        again: columns.value()?,
        started_at: columns.time()?,
        until: columns.time()?,
    })
}
