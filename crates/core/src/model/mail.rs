//! A mail on its way.

use crate::id::MailId;
use crate::time::Timestamp;

/// A sealed mail in the outbox. Whether it is for anybody is part of the record, so that a request
/// for an address that may not sign in writes exactly what one for a known address writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMail {
    /// Names the row.
    pub id: MailId,
    /// The message, sealed: it carries a token.
    pub sealed: Vec<u8>,
    /// Whether it is to be sent at all.
    pub deliver: bool,
    /// How often sending was tried.
    pub attempts: u32,
    /// When it may be tried next.
    pub due_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Timestamp,
}
