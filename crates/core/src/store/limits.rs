//! Rate limits that nodes share.

use async_trait::async_trait;

use super::StoreError;

/// What was let pass of one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debit {
    /// The limit and whose it is, the same at every node.
    pub key: [u8; 16],
    /// How long it takes to earn that, in milliseconds; 0 to ask only.
    pub cost_ms: u64,
}

/// Rate limits that nodes share, as the moments from which nothing of them is spent any more (the
/// theoretical arrival times of GCRA). Nodes decide by what they know, and settle a little later.
#[async_trait]
pub trait LimitStore: Send + Sync {
    /// Adds what was `spent`, each key once, and answers in its order: `max(moment, now_ms) +
    /// cost_ms`, in milliseconds since the epoch, is what the moment was and is from now on. One that
    /// is unknown, or was forgotten because it had passed, was `now_ms`. Each key is one step for
    /// itself: however many settle it at once, nothing that was spent is missing.
    async fn settle_limits(&self, spent: Vec<Debit>, now_ms: u64) -> Result<Vec<u64>, StoreError>;
}
