//! API keys of services: the table `api_key`.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::model::ApiKey;
use grantor_core::store::{Added, ApiKeyStore, Recorded, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::recorded;
use super::rows::{Db, bound};
use crate::records::api_keys::{self, api_key_columns, changes, key, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", api_key_columns!(""), " FROM api_key ", $rest)
    };
}

const SELECT_ONE: &str = select!("WHERE id = ?1");

#[async_trait]
impl ApiKeyStore for Sqlite {
    async fn add_api_key(&self, key: ApiKey, recorded: Recorded) -> Result<Added, StoreError> {
        self.write_cached(move |db| {
            if !insert(db, &key)? {
                return Ok(Added::Exists);
            }
            recorded::write(db, &recorded)?;
            Ok(Added::Done)
        })
        .await
    }

    async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>, StoreError> {
        match self.caches.api_keys.find(id) {
            Ok(known) => Ok(Some(known)),
            Err(missing) => {
                let found = self.read(|db| db.one(SELECT_ONE, [id], key))?;
                Ok(self.caches.api_keys.keep(id, found, missing))
            }
        }
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.read(|db| db.all(select!("ORDER BY created_at, id"), (), key))
    }

    async fn replace_api_key(
        &self,
        before: &ApiKey,
        after: ApiKey,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        let before = before.clone();
        self.write_cached(move |db| {
            if !is_still(db, &before)? {
                return Ok(false);
            }
            update(db, &before.id, &after)?;
            recorded::write(db, &recorded)?;
            Ok(true)
        })
        .await
    }

    async fn touch_api_keys(&self, used: &[(String, Timestamp)]) -> Result<(), StoreError> {
        let used = used.to_vec();
        self.write(move |db| {
            used.iter().try_for_each(|(id, at)| {
                let touch = "UPDATE api_key SET last_used_at = ?2
                             WHERE id = ?1 AND coalesce(last_used_at < ?2, true)";
                db.run(touch, params![id, at.epoch()]).map(drop)
            })
        })
        .await
    }
}

/// Whether a key is as it was read, but for its last use.
fn is_still(db: &Db<'_>, before: &ApiKey) -> Result<bool, Fault> {
    let there = db.one(SELECT_ONE, [&before.id], key)?;
    Ok(api_keys::is_still(there, before))
}

fn insert(db: &Db<'_>, key: &ApiKey) -> Result<bool, Fault> {
    let inserted = db.run(
        concat!(
            "INSERT INTO api_key (",
            api_key_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        ),
        bound(row(key)?),
    )?;
    Ok(inserted == 1)
}

/// Replaces everything but the id and when it was made and last used.
fn update(db: &Db<'_>, id: &str, key: &ApiKey) -> Result<(), Fault> {
    db.run(
        "UPDATE api_key
         SET service = ?2, digest = ?3, previous_digest = ?4, previous_until = ?5, rights = ?6,
             expires_at = ?7, revoked_at = ?8
         WHERE id = ?1",
        bound(changes(id, key)?),
    )?;
    Ok(())
}
