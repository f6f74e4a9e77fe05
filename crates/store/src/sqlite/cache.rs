//! Records in memory that every request needs: clients and API keys.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use grantor_core::model::{ApiKey, Client};
use grantor_core::store::StoreError;

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

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(RwLock::new(Known { generation: 0, records: HashMap::new() }))
    }
}

impl<T> Cache<T> {
    /// The record with this key, from memory or else by `read`.
    pub(crate) fn get(
        &self,
        key: &str,
        read: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let generation = match self.look(key) {
            Ok(record) => return Ok(Some(record)),
            Err(generation) => generation,
        };
        let found = read()?.map(Arc::new);
        if let Some(record) = &found {
            self.put(key, record, generation);
        }
        Ok(found)
    }

    /// The record with this key, if it is in memory; else what [`Cache::put`] has to be told.
    pub(crate) fn look(&self, key: &str) -> Result<Arc<T>, u64> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.records.get(key).map(Arc::clone).ok_or(known.generation)
    }

    /// Keeps what was read, unless records have changed since the look.
    pub(crate) fn put(&self, key: &str, record: &Arc<T>, generation: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation != generation {
            return;
        }
        if known.records.len() >= MOST {
            known.records.clear();
        }
        known.records.insert(key.to_owned(), Arc::clone(record));
    }

    fn clear(&self) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        known.records.clear();
    }
}
