//! The store port: what must be remembered, each method one thing that is atomic.
//!
//! The contract, which every back end passes as one suite:
//!
//! 1. `Ok` means durable, to the level that the operator configured. "No" is a value; an
//!    [`StoreError`] means that the store is broken or away.
//! 2. The caller brings time, ids and digests. Whether something has expired is decided by the
//!    `now` that is passed: a thing is alive while `now < expires_at`.
//! 3. Dropping the future never leaves half a write: the work is owned by the store.
//! 4. One-time things of different kinds never share a key space. A row is found by its id; a
//!    wrong digest is the same as no row. The one exception is a refresh token that rotates: whoever
//!    knows the id of a family has held one of its tokens, so a digest that is neither the current
//!    nor the previous one is taken for an older token, and the family is revoked.
//! 5. A read after an `Ok` sees the write. What another process wrote to the same database is seen
//!    within a second, cached records included.

mod clients;
mod codes;
mod connections;
mod consents;
mod devices;
mod external;
mod limits;
mod once;
mod outbox;
mod requests;
mod sessions;
mod sign_in;
mod signing_keys;
mod tokens;
mod users;
mod vault;

use async_trait::async_trait;

pub use clients::{ClientStore, Imported, Registered};
pub use codes::{Answer, Answered, CodeStore, CodeView, Redeemed};
pub use connections::{
    Begun, ConnectionStore, Ended, Granted, Held, Leaving, RefreshEnd, Selector, WrappedDataKey,
};
pub use consents::ConsentStore;
pub use devices::{DeviceStore, Polled};
pub use external::ExternalStore;
pub use limits::{Debit, LimitStore};
pub use once::{Once, OnceStore};
pub use outbox::OutboxStore;
pub use requests::{Bound, RequestStore};
pub use sessions::{SessionStore, SessionView};
pub use sign_in::{AttemptLimits, SignInStore, Started, Tried};
pub use signing_keys::{KeyStore, RotationOutcome};
pub use tokens::{
    AccessView, FamilyView, Issued, JwtView, Renewal, Rotated, Rotation, Spent, TokenStore,
};
pub use users::UserStore;
pub use vault::{
    ApiKeyStore, AuditStore, ConnectStore, NoticeStore, Recorded, SealedKind, SecretStore,
    ServerSecret,
};

use crate::time::Timestamp;

/// Everything that a back end can do.
#[async_trait]
pub trait Store:
    ApiKeyStore
    + AuditStore
    + ClientStore
    + CodeStore
    + ConnectStore
    + ConnectionStore
    + ConsentStore
    + DeviceStore
    + ExternalStore
    + KeyStore
    + LimitStore
    + NoticeStore
    + OnceStore
    + OutboxStore
    + RequestStore
    + SecretStore
    + SessionStore
    + SignInStore
    + TokenStore
    + UserStore
{
    /// Whether the store answers reads and writes.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Removes at most `limit` rows of each kind that nothing can use any more, and says how many.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError>;
}

/// The outcome of adding something that must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    Done,
    /// Something with one of its unique values was there before; nothing was changed.
    Exists,
}

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work later: locked, full, disconnected, overloaded.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It will not work later: a damaged file, a schema that is not ours, a record that does not read.
    #[error("corrupt: {0}")]
    Corrupt(String),
}
