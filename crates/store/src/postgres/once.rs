//! Things of others that may be used once: the table `used_once`.

use async_trait::async_trait;
use grantor_core::secret::Digest;
use grantor_core::store::{Once, OnceStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use crate::columns::values;
use crate::records::once::key;

/// One that is forgotten may still lie there.
const REMEMBER: &str = "INSERT INTO used_once (id, expires_at) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
    WHERE used_once.expires_at <= $3";

#[async_trait]
impl OnceStore for Postgres {
    async fn first_use(
        &self,
        kind: Once,
        digest: &Digest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one((key(kind, digest), until, now), |db, (key, until, now)| {
            Box::pin(async move { Ok(db.run(REMEMBER, &values![key, *until, *now]).await? == 1) })
        })
        .await
    }
}
