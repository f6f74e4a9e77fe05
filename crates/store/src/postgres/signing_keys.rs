//! Signing keys, sealed: the table `signing_key`.

use async_trait::async_trait;
use grantor_core::model::SealedSigningKey;
use grantor_core::store::{KeyStore, RotationOutcome, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{single, values};
use crate::records::signing_keys::{key, row, signing_key_columns};

const INSERT: &str = concat!(
    "INSERT INTO signing_key (",
    signing_key_columns!(""),
    ", place) SELECT $1, $2, $3, $4, $5, $6, coalesce(max(place), 0) + 1 FROM signing_key"
);

#[async_trait]
impl KeyStore for Postgres {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.read(now, |db, now| {
            Box::pin(async move {
                let kept = concat!(
                    "SELECT ",
                    signing_key_columns!(""),
                    " FROM signing_key WHERE retires_at IS NULL OR retires_at > $1
                      ORDER BY created_at, place"
                );
                db.all(kept, &values![*now], key).await
            })
        })
        .await
    }

    async fn add_signing_key(
        &self,
        key: SealedSigningKey,
        expected_newest: Option<&str>,
        others_retire_at: Timestamp,
    ) -> Result<RotationOutcome, StoreError> {
        let expected = expected_newest.map(str::to_owned);
        self.write((key, expected, others_retire_at), |db, (key, expected, retire_at)| {
            Box::pin(add(db, key, expected.as_deref(), *retire_at))
        })
        .await
    }

    async fn reseal_signing_key(
        &self,
        kid: &str,
        before: &[u8],
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let own = (kid.to_owned(), before.to_vec(), sealed);
        self.write_one(own, |db, (kid, before, sealed)| {
            Box::pin(async move {
                let reseal = "UPDATE signing_key SET sealed = $3 WHERE kid = $1 AND sealed = $2";
                Ok(db.run(reseal, &values![kid, before, sealed]).await? == 1)
            })
        })
        .await
    }
}

async fn add(
    db: Db<'_>,
    key: &SealedSigningKey,
    expected_newest: Option<&str>,
    others_retire_at: Timestamp,
) -> Result<RotationOutcome, Fault> {
    db.lock("signing_key").await?;
    let algorithm = key.algorithm.as_str();
    let newest = "SELECT kid FROM signing_key WHERE algorithm = $1
                  ORDER BY created_at DESC, place DESC LIMIT 1";
    let newest = db.one(newest, &values![algorithm], single::<String>).await?;
    if newest.as_deref() != expected_newest {
        return Ok(RotationOutcome::Raced);
    }
    let retire = "UPDATE signing_key SET retires_at = $2
                  WHERE algorithm = $1 AND retires_at IS NULL";
    db.run(retire, &values![algorithm, others_retire_at]).await?;
    db.run(INSERT, &row(key)).await?;
    Ok(RotationOutcome::Done)
}
