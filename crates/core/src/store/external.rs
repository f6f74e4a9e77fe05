//! Sign-ins on the operator's own page that are half done.

use async_trait::async_trait;

use super::StoreError;
use crate::id::ExternalId;
use crate::model::{ExternalAnswer, ExternalSignIn};
use crate::secret::Digest;
use crate::time::Timestamp;

/// Sign-ins on the operator's own page that are half done.
#[async_trait]
pub trait ExternalStore: Send + Sync {
    /// Keeps a sign-in that was handed over.
    async fn add_external(&self, sign_in: ExternalSignIn) -> Result<(), StoreError>;

    /// The sign-in with this id that is alive at `now`, answered or not.
    async fn external(
        &self,
        id: ExternalId,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError>;

    /// Keeps the application's answer; `true` for the one caller whose answer counts.
    async fn answer_external(
        &self,
        id: ExternalId,
        answer: ExternalAnswer,
        verifier: &Digest,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Takes the answer to the browser that began; `None` for every other browser, verifier and
    /// second caller.
    async fn take_external(
        &self,
        id: ExternalId,
        verifier: &Digest,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError>;
}
