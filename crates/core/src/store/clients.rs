//! Registered clients.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Added, StoreError};
use crate::id::InitialTokenId;
use crate::model::{Client, InitialToken};
use crate::secret::Digest;
use crate::time::Timestamp;

/// The outcome of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The client is there, and the initial access token has one use less.
    Done,
    /// A client has this id; nothing was changed.
    Exists,
    /// The initial access token is unknown, wrong, expired or used up; nothing was changed.
    NotAllowed,
}

/// The outcome of adding many clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// All are there.
    Done,
    /// This one (its place, from 0) has an id that is taken; none was added.
    Exists(usize),
}

/// Registered clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client with this id. May come from a cache that is at most a second behind a change
    /// made by another process, and never behind one made through this store.
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError>;

    /// All clients, ordered by id.
    async fn clients(&self) -> Result<Vec<Client>, StoreError>;

    /// Registers a client. One that takes the id of a client that was removed in the same second
    /// counts as made in the next, so that no token of that one is its own.
    async fn add_client(&self, client: Client) -> Result<Added, StoreError>;

    /// Registers a client on the strength of an initial access token. Of any number of callers, as
    /// many are `Done` as the token had uses.
    async fn register_client(
        &self,
        client: Client,
        token: (InitialTokenId, Digest),
        now: Timestamp,
    ) -> Result<Registered, StoreError>;

    /// Adds all of `clients` or, when an id is taken (or twice in the list), none. With `replace`
    /// clients that are there get the new record instead.
    async fn import_clients(
        &self,
        clients: Vec<Client>,
        replace: bool,
    ) -> Result<Imported, StoreError>;

    /// Replaces everything about a client but its id, if it still is as `before` says; `false` when it
    /// was changed or removed meanwhile, also when another one has the id since. Of callers with the
    /// same `before`, one is `true`.
    async fn replace_client(&self, before: &Client, client: Client) -> Result<bool, StoreError>;

    /// Removes a client that still is as `client` says, with its consents, and revokes every family
    /// it holds; `false` when it was changed or removed meanwhile. Codes that it has not redeemed and
    /// devices that wait are gone.
    async fn remove_client(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError>;

    /// Keeps an initial access token.
    async fn add_initial_token(&self, token: InitialToken) -> Result<(), StoreError>;

    /// The initial access tokens that are kept, oldest first.
    async fn initial_tokens(&self) -> Result<Vec<InitialToken>, StoreError>;

    /// Removes an initial access token; `false` when there is none.
    async fn remove_initial_token(&self, id: InitialTokenId) -> Result<bool, StoreError>;
}
