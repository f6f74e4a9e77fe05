//! Signed-in browsers: the table `session`.

use async_trait::async_trait;
use grantor_core::id::{SessionId, UserId};
use grantor_core::model::Session;
use grantor_core::secret::Digest;
use grantor_core::store::{SessionStore, SessionView, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use crate::columns::values;
use crate::records::sessions::{row, session, session_columns, view};
use crate::records::users::user_columns;

const SELECT_WITH_USER: &str = concat!(
    "SELECT ",
    session_columns!("s."),
    ", ",
    user_columns!("u."),
    " FROM session s JOIN user_account u ON u.id = s.user_id WHERE s.id = $1"
);

const SELECT_OF_USER: &str = concat!(
    "SELECT ",
    session_columns!(""),
    " FROM session WHERE user_id = $1 AND idle_expires_at > $2 AND expires_at > $2
      ORDER BY last_seen_at DESC, id DESC"
);

/// `$14` is the session that the same browser had.
const START: &str = concat!(
    "WITH replaced AS (DELETE FROM session WHERE id = $14)
     INSERT INTO session (",
    session_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

#[async_trait]
impl SessionStore for Postgres {
    async fn start_session(
        &self,
        session: Session,
        replaces: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write_one((session, replaces), |db, (session, replaces)| {
            Box::pin(async move {
                let mut values = row(session).to_vec();
                values.push(replaces.map(|replaced| replaced.0).into());
                db.run(START, &values).await.map(drop)
            })
        })
        .await
    }

    async fn session(
        &self,
        id: SessionId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<SessionView>, StoreError> {
        let view = self.look(SELECT_WITH_USER, &values![id.0], view).await?;
        Ok(view.filter(|view| {
            let session = &view.session;
            session.digest == *digest && now < session.idle_expires_at && now < session.expires_at
        }))
    }

    async fn touch_session(
        &self,
        id: SessionId,
        seen: Timestamp,
        idle_expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_one((id, seen, idle_expires_at), |db, (id, seen, until)| {
            Box::pin(async move {
                let touch = "UPDATE session SET last_seen_at = $2, idle_expires_at = $3
                             WHERE id = $1 AND idle_expires_at > $2 AND expires_at > $2";
                db.run(touch, &values![id.0, *seen, *until]).await.map(drop)
            })
        })
        .await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.read((user, now), |db, (user, now)| {
            Box::pin(async move { db.all(SELECT_OF_USER, &values![user.0, *now], session).await })
        })
        .await
    }

    async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.write_one((user, id), |db, (user, id)| {
            Box::pin(async move {
                let own = "DELETE FROM session WHERE id = $1 AND user_id = $2";
                Ok(db.run(own, &values![id.0, user.0]).await? == 1)
            })
        })
        .await
    }

    async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u32, StoreError> {
        self.write_one((user, keep), |db, (user, keep)| {
            Box::pin(async move {
                let others = "DELETE FROM session WHERE user_id = $1 AND id <> $2";
                let ended = db.run(others, &values![user.0, keep.0]).await?;
                Ok(u32::try_from(ended).unwrap_or(u32::MAX))
            })
        })
        .await
    }
}
