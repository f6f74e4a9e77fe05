//! What the server fetches from others: a port, so that nothing here knows HTTP.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::time::Seconds;

/// Fetches documents of others. An address comes from whoever registered a client, so it may be
/// meant to reach what only this machine can reach; the implementation guards against that.
#[async_trait]
pub trait Outbound: Send + Sync {
    /// The body of a JSON document, by GET. Who asks for an address while it is being fetched gets
    /// the answer of that fetch, and one that was begun goes on when nobody waits for it any more:
    /// there is at most one at a time for an address.
    async fn json(&self, url: &str) -> Result<Vec<u8>, FetchError>;

    /// Makes one call at a provider, without following redirects, and reads at most 1 MiB of the
    /// answer. It ends within `deadline`, from the first packet to the last byte.
    async fn call(&self, request: Request, deadline: Seconds) -> Result<Response, CallError>;
}

/// What a provider is asked. It has secrets in it: nothing of it is shown in logs but the host.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where.
    pub url: String,
    /// Header fields, `content-type` included.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// The body; empty for none.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path, too, has a token in it at some providers.
        let host = self.url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        write!(f, "{:?} {}", self.method, host.split(['?', '#']).next().unwrap_or_default())
    }
}

/// The methods that providers want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// DELETE.
    Delete,
}

/// What a provider answers, whatever the status.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The `Content-Type`, as it is.
    pub content_type: Option<String>,
    /// `Retry-After`, as a length of time.
    pub retry_after: Option<Seconds>,
    /// The body.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer; for the log, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The provider has surely not seen the request: its address was refused, its name is not
    /// known, no connection was made.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have done what was asked: the time was over after sending, the connection broke, the
    /// answer was too long.
    #[error("outcome unknown: {0}")]
    Unknown(String),
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
