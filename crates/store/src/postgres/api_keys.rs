//! API keys of services: the table `api_key`.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::model::ApiKey;
use grantor_core::store::{Added, ApiKeyStore, Recorded, StoreError};
use grantor_core::time::Timestamp;

use super::batch::Batcher;
use super::fault::Fault;
use super::pool::{As, Pool};
use super::rows::{Db, transposed};
use super::{Postgres, recorded};
use crate::columns::values;
use crate::records::api_keys::{api_key_columns, changes, is_still, key, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", api_key_columns!(""), " FROM api_key ", $rest)
    };
}

const SELECT_ONE: &str = select!("WHERE id = $1");

const INSERT: &str = concat!(
    "INSERT INTO api_key (",
    api_key_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
);

/// In the order of the keys, so that two nodes do not wait for each other.
const TOUCH: &str = "UPDATE api_key k SET last_used_at = used.at
    FROM (SELECT id, max(at) AS at FROM unnest($1::text[], $2::bigint[]) AS each (id, at)
          GROUP BY id ORDER BY id) used
    WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at)";

#[async_trait]
impl ApiKeyStore for Postgres {
    async fn add_api_key(&self, key: ApiKey, recorded: Recorded) -> Result<Added, StoreError> {
        self.write_cached((key, recorded), |db, (key, recorded)| {
            Box::pin(async move {
                if db.run(INSERT, &row(key)?).await? == 0 {
                    return Ok(Added::Exists);
                }
                recorded::write(db, recorded).await?;
                Ok(Added::Done)
            })
        })
        .await
    }

    async fn api_key(&self, id: &str) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let cache = &self.caches.api_keys;
        let missing = match cache.find(id) {
            Ok(known) if self.watch.is_fresh() => return Ok(Some(known)),
            Ok(_) => cache.missing(),
            Err(missing) => missing,
        };
        let found = self.look(SELECT_ONE, &values![id], key).await?;
        Ok(cache.keep(id, found, missing))
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let keys = self.read((), |db, ()| Box::pin(db.all(select!(""), &[], key))).await;
        let mut keys = keys?;
        // Byte by byte, which is not the order of every database.
        keys.sort_by(|a, b| a.created_at.cmp(&b.created_at).then(a.id.cmp(&b.id)));
        Ok(keys)
    }

    async fn replace_api_key(
        &self,
        before: &ApiKey,
        after: ApiKey,
        recorded: Recorded,
    ) -> Result<bool, StoreError> {
        self.write_cached((before.clone(), after, recorded), |db, (before, after, recorded)| {
            Box::pin(replace(db, before, after, recorded))
        })
        .await
    }

    async fn touch_api_keys(&self, used: &[(String, Timestamp)]) -> Result<(), StoreError> {
        self.used_keys.add(used.to_vec()).await
    }
}

/// Replaces a key that is still what was read. Keys are changed one at a time, so it stays so.
async fn replace(
    db: Db<'_>,
    before: &ApiKey,
    after: &ApiKey,
    recorded: &Recorded,
) -> Result<bool, Fault> {
    let there = db.one(SELECT_ONE, &values![&before.id], key).await?;
    if !is_still(there, before) {
        return Ok(false);
    }
    db.run(
        "UPDATE api_key
         SET service = $2, digest = $3, previous_digest = $4, previous_until = $5, rights = $6,
             expires_at = $7, revoked_at = $8
         WHERE id = $1",
        &changes(&before.id, after)?,
    )
    .await?;
    recorded::write(db, recorded).await?;
    Ok(true)
}

/// Uses that many have noted are written together.
pub(super) fn batches(pool: &Arc<Pool>) -> Batcher<Vec<(String, Timestamp)>, ()> {
    Batcher::start(pool, As::Statement, |db, calls: &Vec<Vec<(String, Timestamp)>>| {
        Box::pin(async move {
            let used = calls.iter().flatten().map(|(id, at)| values![id, *at]).collect();
            db.run(TOUCH, &transposed(used)).await?;
            Ok(vec![(); calls.len()])
        })
    })
}
