//! Things of others that may be used once.

use async_trait::async_trait;

use super::StoreError;
use crate::secret::Digest;
use crate::time::Timestamp;

/// What a digest is of; each kind has a key space of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// The `jti` of a client assertion: RFC 7523 §3.
    ClientAssertion,
    /// The `jti` of an assertion that is a grant: RFC 7523 §3.
    GrantAssertion,
}

/// Things of others that may be used once.
#[async_trait]
pub trait OnceStore: Send + Sync {
    /// Remembers a use until `until`; `true` for the first caller only.
    async fn first_use(
        &self,
        kind: Once,
        digest: &Digest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
