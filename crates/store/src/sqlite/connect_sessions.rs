//! Connect sessions: the table `connect_session`.

use async_trait::async_trait;
use grantor_core::id::ConnectSessionId;
use grantor_core::model::{ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::store::{ConnectStore, Recorded, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::recorded;
use super::rows::{Db, bound, bytes};
use crate::records::connect_sessions::{self, connect_columns, opens, row, session, state_row};

/// What is not over, by id.
const SELECT: &str = concat!(
    "SELECT ",
    connect_columns!(""),
    " FROM connect_session WHERE id = ?1 AND expires_at > ?2"
);

#[async_trait]
impl ConnectStore for Sqlite {
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            insert(db, &session)?;
            recorded::write(db, &recorded)
        })
        .await
    }

    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.read(|db| alive(db, id, now))
    }

    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.write(move |db| {
            let Some(session) = alive(db, id, now)? else {
                return Ok(None);
            };
            let may = session.state.step() == from
                && digest.is_none_or(|digest| opens(&session, &digest, now));
            if may {
                set_state(db, id, &to)?;
            }
            Ok(may.then_some(session))
        })
        .await
    }
}

/// A session that is not over.
fn alive(
    db: &Db<'_>,
    id: ConnectSessionId,
    now: Timestamp,
) -> Result<Option<ConnectSession>, Fault> {
    db.one(SELECT, params![bytes(&id.0), now.epoch()], session)
}

/// Whether a grant may end the session.
pub(super) fn may_end(db: &Db<'_>, id: ConnectSessionId, now: Timestamp) -> Result<bool, Fault> {
    Ok(alive(db, id, now)?.is_some_and(|session| connect_sessions::may_end(&session)))
}

/// Puts a session into a state.
pub(super) fn set_state(
    db: &Db<'_>,
    id: ConnectSessionId,
    state: &ConnectState,
) -> Result<(), Fault> {
    let [step, digest, browser, until, sealed, connection, failure] = state_row(state);
    db.run(
        "UPDATE connect_session
         SET step = ?2, step_digest = ?3, browser = ?4, step_until = ?5, sealed = ?6,
             connection_id = ?7, failure = ?8
         WHERE id = ?1",
        params![bytes(&id.0), step, digest, browser, until, sealed, connection, failure,],
    )?;
    Ok(())
}

fn insert(db: &Db<'_>, session: &ConnectSession) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO connect_session (",
            connect_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(session)),
    )?;
    Ok(())
}
