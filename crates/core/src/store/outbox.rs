//! Mails on their way. They are queued by [`super::SignInStore::start_attempt`].

use async_trait::async_trait;

use super::StoreError;
use crate::id::MailId;
use crate::model::OutboxMail;
use crate::time::Timestamp;

/// Mails on their way.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Claims mails that are due: each is given to one caller and is not due again before `until`,
    /// so that a caller that dies does not take its mails with it. Counts as an attempt.
    async fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxMail>, StoreError>;

    /// Removes a mail that was sent or is of no use.
    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError>;

    /// Makes a claimed mail due again at `at`.
    async fn retry_mail(&self, id: MailId, at: Timestamp) -> Result<(), StoreError>;

    /// How many mails wait.
    async fn pending_mail(&self) -> Result<u32, StoreError>;
}
