//! What the server fetches from others: a port, so that nothing here knows HTTP.

use async_trait::async_trait;

/// Fetches documents of others. An address comes from whoever registered a client, so it may be
/// meant to reach what only this machine can reach; the implementation guards against that.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// The body of a JSON document, by GET. Who asks for an address while it is being fetched gets
    /// the answer of that fetch, and one that was begun goes on when nobody waits for it any more:
    /// there is at most one at a time for an address.
    async fn json(&self, url: &str) -> Result<Vec<u8>, FetchError>;
}

/// Why a document was not fetched; for the log, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {why}")]
pub struct FetchError {
    /// What was asked for.
    pub url: String,
    /// What went wrong, and what to do about it.
    pub why: String,
}
