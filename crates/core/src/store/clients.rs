//! Registered clients.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Added, StoreError};
use crate::model::Client;
use crate::time::Timestamp;

/// Registered clients.
#[async_trait]
pub trait ClientStore: Send + Sync {
    /// The client with this id. May come from a cache that is at most a second behind a change
    /// made by another process, and never behind one made through this store.
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError>;

    /// All clients, ordered by id.
    async fn clients(&self) -> Result<Vec<Client>, StoreError>;

    /// Registers a client.
    async fn add_client(&self, client: Client) -> Result<Added, StoreError>;

    /// Replaces everything about a client but its id; `false` when there is none.
    async fn replace_client(&self, client: Client) -> Result<bool, StoreError>;

    /// Removes a client with its consents, and revokes every family it holds; `false` when there is
    /// none. Codes that it has not redeemed are gone.
    async fn remove_client(&self, client_id: &str, now: Timestamp) -> Result<bool, StoreError>;
}
