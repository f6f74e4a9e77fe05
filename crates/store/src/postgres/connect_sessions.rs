//! Connect sessions: the table `connect_session`.

use async_trait::async_trait;
use grantor_core::id::ConnectSessionId;
use grantor_core::model::{ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::store::{ConnectStore, Recorded, StoreError};
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::Db;
use super::{Postgres, recorded};
use crate::columns::{Value, values};
use crate::records::connect_sessions::{self, connect_columns, opens, row, session, state_row};

/// What is not over, by id.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            connect_columns!(""),
            " FROM connect_session WHERE id = $1 AND expires_at > $2",
            $rest
        )
    };
}

const INSERT: &str = concat!(
    "INSERT INTO connect_session (",
    connect_columns!(""),
    ")
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
);

#[async_trait]
impl ConnectStore for Postgres {
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError> {
        self.write((session, recorded), |db, (session, recorded)| {
            Box::pin(async move {
                db.run(INSERT, &row(session)).await?;
                recorded::write(db, recorded).await
            })
        })
        .await
    }

    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.look(select!(""), &values![id.0, now], session).await
    }

    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError> {
        self.write((id, from, digest, to, now), |db, (id, from, digest, to, now)| {
            Box::pin(step(db, *id, *from, digest.as_ref(), to, *now))
        })
        .await
    }
}

async fn step(
    db: Db<'_>,
    id: ConnectSessionId,
    from: ConnectStep,
    digest: Option<&Digest>,
    to: &ConnectState,
    now: Timestamp,
) -> Result<Option<ConnectSession>, Fault> {
    let Some(session) = locked(db, id, now).await? else {
        return Ok(None);
    };
    let may =
        session.state.step() == from && digest.is_none_or(|digest| opens(&session, digest, now));
    if may {
        set_state(db, id, to).await?;
    }
    Ok(may.then_some(session))
}

/// A session that is not over, and stays as it is until the end of the transaction.
async fn locked(
    db: Db<'_>,
    id: ConnectSessionId,
    now: Timestamp,
) -> Result<Option<ConnectSession>, Fault> {
    db.one(select!(" FOR UPDATE"), &values![id.0, now], session).await
}

/// Whether a grant may end the session.
pub(super) async fn may_end(
    db: Db<'_>,
    id: ConnectSessionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let session = locked(db, id, now).await?;
    Ok(session.is_some_and(|session| connect_sessions::may_end(&session)))
}

/// Puts a session into a state.
pub(super) async fn set_state(
    db: Db<'_>,
    id: ConnectSessionId,
    state: &ConnectState,
) -> Result<(), Fault> {
    let mut values = vec![Value::from(id.0)];
    values.extend(state_row(state));
    db.run(
        "UPDATE connect_session
         SET step = $2, step_digest = $3, browser = $4, step_until = $5, sealed = $6,
             connection_id = $7, failure = $8
         WHERE id = $1",
        &values,
    )
    .await
    .map(drop)
}
