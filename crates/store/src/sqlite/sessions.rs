//! Signed-in browsers: the table `session`.

use async_trait::async_trait;
use grantor_core::id::{SessionId, UserId};
use grantor_core::model::Session;
use grantor_core::secret::Digest;
use grantor_core::store::{SessionStore, SessionView, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::records::sessions::{row, session, session_columns, view};
use crate::records::users::user_columns;

const SELECT_WITH_USER: &str = concat!(
    "SELECT ",
    session_columns!("s."),
    ", ",
    user_columns!("u."),
    " FROM session s JOIN user_account u ON u.id = s.user_id WHERE s.id = ?1"
);

const SELECT_OF_USER: &str = concat!(
    "SELECT ",
    session_columns!("s."),
    " FROM session s WHERE user_id = ?1 AND idle_expires_at > ?2 AND expires_at > ?2
      ORDER BY last_seen_at DESC, id DESC"
);

#[async_trait]
impl SessionStore for Sqlite {
    async fn start_session(
        &self,
        session: Session,
        replaces: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            if let Some(replaced) = replaces {
                db.run("DELETE FROM session WHERE id = ?1", [bytes(&replaced.0)])?;
            }
            insert(db, &session)
        })
        .await
    }

    async fn session(
        &self,
        id: SessionId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<SessionView>, StoreError> {
        let view = self.read(|db| db.one(SELECT_WITH_USER, [bytes(&id.0)], view))?;
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
        self.write(move |db| {
            db.run(
                "UPDATE session SET last_seen_at = ?2, idle_expires_at = ?3
                 WHERE id = ?1 AND idle_expires_at > ?2 AND expires_at > ?2",
                params![bytes(&id.0), seen.epoch(), idle_expires_at.epoch()],
            )?;
            Ok(())
        })
        .await
    }

    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.read(|db| db.all(SELECT_OF_USER, params![bytes(&user.0), now.epoch()], session))
    }

    async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.write(move |db| {
            let own = "DELETE FROM session WHERE id = ?1 AND user_id = ?2";
            Ok(db.run(own, [bytes(&id.0), bytes(&user.0)])? == 1)
        })
        .await
    }

    async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u32, StoreError> {
        self.write(move |db| {
            let others = "DELETE FROM session WHERE user_id = ?1 AND id <> ?2";
            let ended = db.run(others, [bytes(&user.0), bytes(&keep.0)])?;
            Ok(u32::try_from(ended).unwrap_or(u32::MAX))
        })
        .await
    }
}

fn insert(db: &Db<'_>, session: &Session) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO session (",
            session_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(session)),
    )?;
    Ok(())
}
