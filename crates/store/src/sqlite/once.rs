//! Things of others that may be used once: the table `used_once`.

use async_trait::async_trait;
use grantor_core::secret::Digest;
use grantor_core::store::{Once, OnceStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use crate::records::once::key;

#[async_trait]
impl OnceStore for Sqlite {
    async fn first_use(
        &self,
        kind: Once,
        digest: &Digest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = key(kind, digest);
        self.write(move |db| {
            // One that is forgotten may still lie there.
            let first = db.run(
                "INSERT INTO used_once (id, expires_at) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?3",
                params![key, until.epoch(), now.epoch()],
            )?;
            Ok(first == 1)
        })
        .await
    }
}
