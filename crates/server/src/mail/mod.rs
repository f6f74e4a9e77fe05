//! Mail on its way out: what carries it, and the demo's mailbox that keeps it.

mod mailbox;
mod smtp;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub(crate) use mailbox::Mailbox;
pub(crate) use smtp::{Security, Smtp, SmtpSettings, mailbox as read_address};

/// A mail to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The bare address.
    pub(crate) to: String,
    /// One line; what would break it is made a space.
    pub(crate) subject: String,
    /// For readers without HTML.
    pub(crate) text: String,
    /// The same as HTML.
    pub(crate) html: String,
}

/// Takes mails.
#[async_trait]
pub(crate) trait Mailer: Send + Sync {
    /// Hands over one mail. Returns within a limited time, whatever the other side does.
    async fn send(&self, message: &Message) -> Result<(), MailError>;
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct MailError {
    /// Whether trying again is useless: it is the mail that is wrong, not the moment.
    pub(crate) permanent: bool,
    /// For the operator; without the content of the mail.
    pub(crate) text: String,
}
