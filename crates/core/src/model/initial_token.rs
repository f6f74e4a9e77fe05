//! A token that lets somebody register a client: RFC 7591 §1.2.

use serde::Serialize;

use crate::id::InitialTokenId;
use crate::secret::Digest;
use crate::time::Timestamp;

/// An initial access token, given out by the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InitialToken {
    /// Names the row; part of the token.
    pub id: InitialTokenId,
    /// Of the token.
    #[serde(skip)]
    pub digest: Digest,
    /// What it is for, in the operator's words.
    pub note: String,
    /// Registrations that are left; `None` for as many as happen while it lives.
    pub uses_left: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}
