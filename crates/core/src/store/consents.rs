//! Remembered consents. They are given by [`super::CodeStore::answer_request`].

use async_trait::async_trait;

use super::StoreError;
use crate::id::UserId;
use crate::model::Consent;
use crate::time::Timestamp;

/// Remembered consents.
#[async_trait]
pub trait ConsentStore: Send + Sync {
    /// What `user` allows `client_id`.
    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Consent>, StoreError>;

    /// Everything that `user` allows, latest first.
    async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, StoreError>;

    /// Withdraws a consent and revokes every family that the client holds for the person;
    /// `false` when there was none.
    async fn withdraw_consent(
        &self,
        user: UserId,
        client_id: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
