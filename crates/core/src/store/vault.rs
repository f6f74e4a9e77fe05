//! What stands around the connections: connect sessions, API keys, the audit log, webhooks, and
//! secrets of the server itself.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Added, StoreError};
use crate::id::{ConnectSessionId, NoticeId};
use crate::model::{
    ApiKey, AuditEntry, AuditEvent, ConnectSession, ConnectState, ConnectStep, Notice,
};
use crate::secret::Digest;
use crate::time::Timestamp;

/// What is written together with a change: its entry in the audit log, and webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Entries, in their order.
    pub audit: Vec<AuditEvent>,
    /// Webhooks.
    pub notices: Vec<Notice>,
}

/// Connect sessions.
#[async_trait]
pub trait ConnectStore: Send + Sync {
    /// Keeps a session.
    async fn add_connect_session(
        &self,
        session: ConnectSession,
        recorded: Recorded,
    ) -> Result<(), StoreError>;

    /// The session, whatever its state, while it is not over.
    async fn connect_session(
        &self,
        id: ConnectSessionId,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError>;

    /// Takes a session from the step `from` to the state `to`; answers it as it was before. With a
    /// `digest`, only if it is that of the link (for [`ConnectStep::Open`]), of the state (for
    /// [`ConnectStep::Started`], which must not have expired) or of the code (for
    /// [`ConnectStep::Waiting`]). `None` for everybody but the one caller who made the step. What the
    /// state before held is gone.
    async fn step_connect(
        &self,
        id: ConnectSessionId,
        from: ConnectStep,
        digest: Option<Digest>,
        to: ConnectState,
        now: Timestamp,
    ) -> Result<Option<ConnectSession>, StoreError>;
}

/// API keys.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// Keeps a key; `Exists` when one has its id.
    async fn add_api_key(&self, key: ApiKey, recorded: Recorded) -> Result<Added, StoreError>;

    /// The key with this id, revoked and expired ones too. When it was last used may be old.
    async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>, StoreError>;

    /// All keys, ordered by the time of their making.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Replaces a key that is still what was read, but for when it was last used; `false` when it is
    /// not.
    async fn replace_api_key(
        &self,
        before: &ApiKey,
        after: ApiKey,
        recorded: Recorded,
    ) -> Result<bool, StoreError>;

    /// Remembers when keys were last used.
    async fn touch_api_keys(&self, used: &[(String, Timestamp)]) -> Result<(), StoreError>;
}

/// The audit log: entries are added, and never changed or removed.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Adds entries in their order, with their places in the chain.
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), StoreError>;

    /// Entries after the sequence number `after`, in their order, at most `limit`.
    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// The last entry.
    async fn last_audit(&self) -> Result<Option<AuditEntry>, StoreError>;
}

/// Webhooks on their way. They are queued by what they tell of: [`Recorded`].
#[async_trait]
pub trait NoticeStore: Send + Sync {
    /// Claims notices for `endpoint` that are due, the oldest first: each is given to one caller and
    /// is not due again before `until`. Counts as an attempt. That one has expired does not matter: it
    /// may not have been tried at all, and whoever gives it up says so. One that nobody has claimed
    /// for thirty days after that is swept.
    async fn claim_notices(
        &self,
        endpoint: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError>;

    /// Removes a notice that was delivered or given up.
    async fn remove_notice(&self, id: NoticeId) -> Result<(), StoreError>;

    /// Makes a claimed notice due again at `at`.
    async fn retry_notice(&self, id: NoticeId, at: Timestamp) -> Result<(), StoreError>;

    /// How many wait.
    async fn pending_notices(&self) -> Result<u32, StoreError>;
}

/// A secret of the server itself, sealed: the root of keys for digests, canaries of key-encryption
/// keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSecret {
    /// Names it.
    pub name: String,
    /// Sealed for its place.
    pub sealed: Vec<u8>,
}

/// Sealed values of other tables that are sealed anew when the key-encryption key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealedKind {
    /// Private signing keys.
    SigningKey,
    /// Client secrets that sign assertions.
    ClientSecret,
    /// Mails on their way, which live for minutes.
    Mail,
    /// Parameters of pending requests, which live for an hour.
    PendingRequest,
    /// Connect sessions, which live for minutes.
    ConnectSession,
    /// [`ServerSecret`].
    ServerSecret,
}

/// Secrets of the server itself, and what its keys have sealed.
#[async_trait]
pub trait SecretStore: Send + Sync {
    /// The secrets.
    async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError>;

    /// Keeps a secret; `Exists` when there is one of that name.
    async fn add_server_secret(&self, secret: ServerSecret) -> Result<Added, StoreError>;

    /// Replaces a secret that is still sealed as `before`; `false` when it is not.
    async fn replace_server_secret(
        &self,
        before: &[u8],
        after: ServerSecret,
    ) -> Result<bool, StoreError>;

    /// Removes a secret.
    async fn remove_server_secret(&self, name: &str) -> Result<(), StoreError>;

    /// How many sealed values of each kind there are under each key-encryption key, by its 8-byte id.
    async fn sealed_uses(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, StoreError>;
}
