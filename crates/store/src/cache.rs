//! Records in memory that every request needs: clients and API keys.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use grantor_core::model::{ApiKey, Client};

/// The most records of a kind that are kept.
const MOST: usize = 4_096;

/// Everything that is kept.
#[derive(Default)]
pub(crate) struct Caches {
    /// By `client_id`.
    pub(crate) clients: Cache<Client>,
    /// By id. When one was last used is as old as the record.
    pub(crate) api_keys: Cache<ApiKey>,
}

impl Caches {
    /// Forgets everything, after a record was changed by anybody.
    pub(crate) fn clear(&self) {
        self.clients.clear();
        self.api_keys.clear();
    }
}

/// Records that were read, until any of them changes.
pub(crate) struct Cache<T>(RwLock<Known<T>>);

struct Known<T> {
    /// Counts the clears, so that what was read before one is not kept after it.
    generation: u64,
    records: HashMap<String, Arc<T>>,
}

/// A record that is not in memory, and when that was.
#[derive(Clone, Copy)]
pub(crate) struct Missing(u64);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(RwLock::new(Known { generation: 0, records: HashMap::new() }))
    }
}

impl<T> Cache<T> {
    /// The record with this key or, where it is not in memory, what [`Self::keep`] needs.
    pub(crate) fn find(&self, key: &str) -> Result<Arc<T>, Missing> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.records.get(key).map(Arc::clone).ok_or(Missing(known.generation))
    }

    /// What [`Self::keep`] needs for a record that is to be read even if it is in memory.
    pub(crate) fn missing(&self) -> Missing {
        Missing(self.0.read().unwrap_or_else(PoisonError::into_inner).generation)
    }

    /// Keeps what was read since it was missing, unless records have changed meanwhile.
    pub(crate) fn keep(&self, key: &str, found: Option<T>, missing: Missing) -> Option<Arc<T>> {
        let found = Arc::new(found?);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation == missing.0 {
            if known.records.len() >= MOST {
                known.records.clear();
            }
            known.records.insert(key.to_owned(), Arc::clone(&found));
        }
        Some(found)
    }

    fn clear(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.records.clear();
    }
}
