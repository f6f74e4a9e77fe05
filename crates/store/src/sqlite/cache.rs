//! Clients in memory: every request of the protocol needs one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use grantor_core::model::Client;

/// The most clients that are kept.
const MOST: usize = 4_096;

/// Clients that were read, until any client changes.
#[derive(Default)]
pub(super) struct ClientCache(RwLock<Known>);

#[derive(Default)]
struct Known {
    /// Counts the clears, so that what was read before one is not kept after it.
    generation: u64,
    clients: HashMap<String, Arc<Client>>,
}

impl ClientCache {
    /// The client, or the generation to give to [`Self::put`] with what the database says.
    pub(super) fn get(&self, client_id: &str) -> Result<Arc<Client>, u64> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.clients.get(client_id).cloned().ok_or(known.generation)
    }

    /// Keeps what was read, unless clients have changed since.
    pub(super) fn put(&self, client: &Arc<Client>, generation: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation != generation {
            return;
        }
        if known.clients.len() >= MOST {
            known.clients.clear();
        }
        known.clients.insert(client.client_id.clone(), Arc::clone(client));
    }

    /// Forgets everything, after a client was changed by anybody.
    pub(super) fn clear(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.clients.clear();
    }
}
