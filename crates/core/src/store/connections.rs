//! Connections and their tokens; refreshes, of which there is one at a time.

use async_trait::async_trait;

use super::{Recorded, StoreError};
use crate::id::{ConnectSessionId, ConnectionId, RefreshId};
use crate::model::{Connection, ConnectionStatus, Pause, RefreshAttempt, SealedCredential};
use crate::time::Timestamp;

/// A connection with its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The connection.
    pub connection: Connection,
    /// Its tokens.
    pub credential: SealedCredential,
}

/// Which connections are meant. Each member that is there narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// One of these.
    pub connections: Option<Vec<ConnectionId>>,
    /// Through one of these integrations.
    pub integrations: Option<Vec<String>>,
    /// For one of these subjects.
    pub subjects: Option<Vec<String>>,
    /// Of the account with this `sub` or address; in an address, ASCII letters match either case.
    pub account: Option<String>,
}

/// The outcome of storing a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// It is stored.
    Done,
    /// The connection is not what the caller has read, or there is one where there was none;
    /// nothing was changed. Read again.
    Changed,
    /// The connect session was ended by somebody else; nothing was changed.
    SessionOver,
}

/// The outcome of beginning a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The caller has the lease. `again` in the attempt is what the store has found.
    Yes(RefreshAttempt),
    /// Somebody else has it.
    Busy {
        /// Until when, unless it is extended.
        until: Timestamp,
    },
    /// Generation or version are not those of the attempt: read again.
    Changed,
    /// There is no such connection.
    Gone,
}

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshEnd {
    /// The provider has answered tokens. Both records are of the next version.
    Renewed(Box<Held>),
    /// It failed, and it is known that the provider did not use the refresh token up. The record
    /// says what is wrong; its version is unchanged. When the attempt was made `again`, the next one
    /// is too: what became of the first is still not known.
    Failed(Box<Connection>),
    /// It failed, and nobody knows whether the refresh token is used up: the attempt stays, so that
    /// the next one is made with `again`. The record's version is unchanged.
    Unknown(Box<Connection>),
}

/// The outcome of ending a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is stored.
    Done,
    /// Somebody has stored something newer; nothing was changed.
    Overtaken,
}

/// A connection that is being given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// With the tokens, to revoke them at the provider.
    pub held: Held,
    /// How many other connections share the grant, without those that are being given back too.
    pub siblings: u32,
    /// Until when a refresh of it has the lease, if one has: its answer may bring other tokens.
    pub refreshing_until: Option<Timestamp>,
}

/// A data key to wrap anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedDataKey {
    /// Whose.
    pub connection: ConnectionId,
    /// Part of what it is bound to.
    pub integration: String,
    /// The wrapped key.
    pub data_key: Vec<u8>,
}

/// Connections and their tokens.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// Stores a grant: a new connection when `before` is `None`, else the next generation of the one
    /// that has this id, generation and version now. `held.connection.generation` is 1 or one more.
    /// There is one connection for integration, subject and account, counting those that are being
    /// disconnected, which become active again; whose it is, when it was made and when it was last
    /// used stay. The data key is stored as it is given: it must be a new one, because the one before
    /// may have been wrapped anew meanwhile. In the same step `session` is ended as
    /// [`crate::model::ConnectState::Done`] if it is in the state
    /// [`crate::model::ConnectStep::Started`] or [`crate::model::ConnectStep::Waiting`], and
    /// `recorded` is written. A refresh that is being made of an older generation is forgotten.
    async fn store_grant(
        &self,
        held: Held,
        before: Option<(u32, u64)>,
        session: Option<ConnectSessionId>,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Granted, StoreError>;

    /// Connections with their tokens, at most `limit`, none that is being disconnected. Ordered by
    /// id. One named by its id, or by integration and subject, is found without a search.
    async fn held(&self, selector: &Selector, limit: u32) -> Result<Vec<Held>, StoreError>;

    /// The same, for what is asked most: what other processes have written may be missing for some
    /// milliseconds.
    async fn recently_held(&self, selector: &Selector, limit: u32)
    -> Result<Vec<Held>, StoreError>;

    /// One connection.
    async fn connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError>;

    /// Connections after `after`, ordered by id, at most `limit`.
    async fn connections(
        &self,
        selector: &Selector,
        status: Option<&str>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError>;

    /// Remembers when tokens were last given out.
    async fn touch_connections(&self, used: &[(ConnectionId, Timestamp)])
    -> Result<(), StoreError>;

    /// Begins a refresh, durably, before the provider is called: one caller has the lease until
    /// `attempt.until`. A lease that ran out is taken over; the attempt is then made `again`, as it
    /// is when an attempt for the same version ended as [`RefreshEnd::Unknown`]. One that is being
    /// given back may be refreshed, too: some providers revoke only with a living token.
    async fn begin_refresh(
        &self,
        attempt: RefreshAttempt,
        now: Timestamp,
    ) -> Result<Begun, StoreError>;

    /// Extends a lease; `false` when the caller has it no more.
    async fn extend_refresh(
        &self,
        connection: ConnectionId,
        id: RefreshId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends a refresh. [`RefreshEnd::Renewed`] is stored if nobody has stored another version or
    /// generation since, even by a caller that lost its lease: a token that the provider has rotated
    /// must not be lost. The others are stored only if nobody has begun another refresh since. Stays
    /// as it is: the data key, which the tokens of a refresh are sealed under; and a status that was
    /// set meanwhile, [`ConnectionStatus::Disconnecting`] or [`crate::model::ReauthReason::Operator`].
    async fn end_refresh(
        &self,
        attempt: &RefreshAttempt,
        end: RefreshEnd,
        recorded: Recorded,
        now: Timestamp,
    ) -> Result<Ended, StoreError>;

    /// Connections whose `due_at` has come and that nobody refreshes, as they were. Each is given to
    /// one caller: its `due_at` becomes `until`.
    async fn claim_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError>;

    /// Says when connections are looked at next, those that are of this version still and do not wait
    /// for a person.
    async fn put_off(
        &self,
        looks: Vec<(ConnectionId, u64, Option<Timestamp>)>,
        recorded: Recorded,
    ) -> Result<(), StoreError>;

    /// Says that a connection must be granted again, or that it need not; `false` when its
    /// generation is not this one any more, or it is being disconnected. It is not due then, or at
    /// once.
    async fn set_status(
        &self,
        id: ConnectionId,
        generation: u32,
        status: ConnectionStatus,
        recorded: Recorded,
    ) -> Result<bool, StoreError>;

    /// Begins to give a connection back: it is served no more, and due at `due_at`, for whoever goes
    /// on after a crash. One that is being given back already keeps its `since` and when it is due,
    /// and is answered all the same; `recorded` is written by the first call only. `sharing` are the
    /// integrations whose connections of the same account are siblings. `None` when there is no such
    /// connection.
    async fn start_disconnect(
        &self,
        id: ConnectionId,
        sharing: &[String],
        recorded: Recorded,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Leaving>, StoreError>;

    /// Removes a connection that is being disconnected, its tokens and its wrapped data key. `false`
    /// when there is none.
    async fn remove_connection(
        &self,
        id: ConnectionId,
        recorded: Recorded,
    ) -> Result<bool, StoreError>;

    /// How many connections there are for each integration and status.
    async fn count_connections(&self) -> Result<Vec<(String, String, u64)>, StoreError>;

    /// Pauses an integration, or changes its pause.
    async fn pause_integration(&self, pause: Pause, recorded: Recorded) -> Result<(), StoreError>;

    /// Ends a pause; `false` when there was none.
    async fn resume_integration(
        &self,
        integration: &str,
        recorded: Recorded,
    ) -> Result<bool, StoreError>;

    /// The integrations that are paused.
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError>;

    /// Data keys after `after` that are not wrapped by the key-encryption key whose 8-byte id they
    /// would begin with after a byte for the version; ordered by connection, at most `limit`.
    async fn data_keys_not_under(
        &self,
        key_id: &[u8; 8],
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<WrappedDataKey>, StoreError>;

    /// Replaces data keys, each if it is still what was read; says how many.
    async fn rewrap(&self, keys: Vec<(WrappedDataKey, Vec<u8>)>) -> Result<u32, StoreError>;

    /// How many data keys each key-encryption key wraps, by its 8-byte id.
    async fn data_key_uses(&self) -> Result<Vec<([u8; 8], u64)>, StoreError>;
}
