//! Signing keys, sealed.

use async_trait::async_trait;

use super::StoreError;
use crate::model::SealedSigningKey;
use crate::time::Timestamp;

/// The outcome of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The new key is published.
    Done,
    /// Another caller has put a key of this algorithm in place since `expected_newest`.
    Raced,
}

/// Signing keys, sealed.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Every key that has not left the set, oldest first.
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SealedSigningKey>, StoreError>;

    /// Replaces the sealed form of a key that is still sealed as `before`; `false` when it is not.
    async fn reseal_signing_key(
        &self,
        kid: &str,
        before: &[u8],
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError>;

    /// Adds a key beside the ones of its algorithm and gives those that have no end yet the end
    /// `others_retire_at`. `expected_newest` is the kid of the newest key of the algorithm that the
    /// caller has seen, `None` for no key: two nodes that start or rotate at once add one key.
    async fn add_signing_key(
        &self,
        key: SealedSigningKey,
        expected_newest: Option<&str>,
        others_retire_at: Timestamp,
    ) -> Result<RotationOutcome, StoreError>;
}
