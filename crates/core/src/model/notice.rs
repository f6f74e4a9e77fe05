//! A webhook on its way to the operator.

use crate::id::NoticeId;
use crate::time::Timestamp;

/// A message for one of the operator's endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Names it, to the receiver too: a message that arrives twice has the same.
    pub id: NoticeId,
    /// The endpoint, by its name in the settings.
    pub endpoint: String,
    /// What happened: `connection.connected`, `connection.reauth_required`, …
    pub event: String,
    /// The JSON body, exactly as it is signed and sent. It has no token.
    pub body: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
}
