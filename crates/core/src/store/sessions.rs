//! Signed-in browsers.

use async_trait::async_trait;

use super::StoreError;
use crate::id::{SessionId, UserId};
use crate::model::{Session, User};
use crate::secret::Digest;
use crate::time::Timestamp;

/// A session with its person, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session.
    pub session: Session,
    /// The person who is signed in; may be disabled.
    pub user: User,
}

/// Signed-in browsers.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Begins a session and ends the one that the same browser had before (RFC 9700 and every
    /// guide to session fixation: a sign-in always gets a new id).
    async fn start_session(
        &self,
        session: Session,
        replaces: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// The session with this id and digest that is alive at `now`, idle and absolute.
    async fn session(
        &self,
        id: SessionId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<SessionView>, StoreError>;

    /// Remembers that a session was used; never brings an ended one back.
    async fn touch_session(
        &self,
        id: SessionId,
        seen: Timestamp,
        idle_expires_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The live sessions of a person, last used first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// Ends one session of `user`; `false` when the person has no such session.
    async fn end_session(&self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// Ends every session of `user` but `keep`, and says how many.
    async fn end_other_sessions(&self, user: UserId, keep: SessionId) -> Result<u32, StoreError>;
}
