//! Devices that wait for a person: RFC 8628.

use async_trait::async_trait;

use super::{Added, Issued, StoreError};
use crate::id::{DeviceId, FamilyId};
use crate::model::{Approval, Consent, DeviceAuthorization};
use crate::secret::Digest;
use crate::time::{Seconds, Timestamp};

/// The outcome of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The person has not answered yet.
    Pending,
    /// Too soon after the last poll. The interval has grown.
    SlowDown,
    /// The person said no.
    Denied,
    /// The person said yes; the tokens were not fetched yet.
    Approved(Box<DeviceAuthorization>),
    /// The tokens were fetched before. They are already revoked.
    Replayed {
        /// What was revoked.
        family: FamilyId,
    },
    /// The time is over.
    Expired,
    /// Unknown or wrong.
    Gone,
}

/// Devices that wait for a person.
#[async_trait]
pub trait DeviceStore: Send + Sync {
    /// Keeps a request; `Exists` when another one that is kept has the same user code.
    async fn add_device(&self, device: DeviceAuthorization) -> Result<Added, StoreError>;

    /// The request with this user code that waits for an answer at `now`.
    async fn device_by_user_code(
        &self,
        user_code: &str,
        now: Timestamp,
    ) -> Result<Option<DeviceAuthorization>, StoreError>;

    /// Answers a request that waits: yes with an approval and the consent that was given, no
    /// without. `true` for the one caller whose answer counts.
    async fn answer_device(
        &self,
        id: DeviceId,
        approval: Option<Approval>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Asks what has become of a request of `client_id`, and remembers when; to every other client it
    /// is `Gone`. A poll that comes sooner than the
    /// interval after the one before makes the interval longer by `slower` (RFC 8628 §3.5).
    async fn poll_device(
        &self,
        id: DeviceId,
        digest: &Digest,
        client_id: &str,
        slower: Seconds,
        now: Timestamp,
    ) -> Result<Polled, StoreError>;

    /// Fetches the tokens of an approved request, once; `false` for every other caller.
    async fn redeem_device(
        &self,
        id: DeviceId,
        issued: Issued,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
