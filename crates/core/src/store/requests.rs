//! Authorization requests that wait for a person.

use async_trait::async_trait;

use super::StoreError;
use crate::id::RequestId;
use crate::model::PendingRequest;
use crate::secret::Digest;
use crate::time::Timestamp;

/// The outcome of tying a request to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It belongs to this browser, now or since before.
    Done(PendingRequest),
    /// It belongs to another browser.
    Foreign,
    /// It was answered or has expired.
    Gone,
}

/// Authorization requests that wait for a person. They are answered by
/// [`super::CodeStore::answer_request`] or [`RequestStore::take_request`], once.
#[async_trait]
pub trait RequestStore: Send + Sync {
    /// Keeps a request.
    async fn add_request(&self, request: PendingRequest) -> Result<(), StoreError>;

    /// Ties the request to `browser` if it is not tied to one, and reads it.
    /// Of two browsers that ask at once, one is `Done` and the other `Foreign`.
    async fn bind_request(
        &self,
        id: RequestId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Bound, StoreError>;

    /// Remembers that the person has chosen the account that is signed in.
    async fn choose_account(&self, id: RequestId, now: Timestamp) -> Result<(), StoreError>;

    /// Ends a request without a code (denied, or refused); `true` for the one caller that ended it.
    async fn take_request(&self, id: RequestId, now: Timestamp) -> Result<bool, StoreError>;
}
