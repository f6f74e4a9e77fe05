//! A signed-in browser.

use crate::id::{SessionId, UserId};
use crate::model::Authentication;
use crate::secret::Digest;
use crate::time::Timestamp;

/// A session: what the cookie stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the row; part of the cookie.
    pub id: SessionId,
    /// Of the cookie.
    pub digest: Digest,
    /// Who is signed in.
    pub user: UserId,
    /// How and when.
    pub authentication: Authentication,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_expires_at: Timestamp,
    /// When it ends however much it is used.
    pub expires_at: Timestamp,
    /// The browser's own description of itself, cut to 200 characters.
    pub user_agent: String,
    /// The address it began from.
    pub address: String,
}
