//! Signing keys, sealed: the table `signing_key`.

use async_trait::async_trait;
use grantor_core::model::SealedSigningKey;
use grantor_core::store::{KeyStore, RotationOutcome, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound};
use crate::columns::single;
use crate::records::signing_keys::{key, row, signing_key_columns};

#[async_trait]
impl KeyStore for Sqlite {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SealedSigningKey>, StoreError> {
        self.read(|db| {
            db.all(
                concat!(
                    "SELECT ",
                    signing_key_columns!(""),
                    " FROM signing_key WHERE retires_at IS NULL OR retires_at > ?1
                      ORDER BY created_at, rowid"
                ),
                [now.epoch()],
                key,
            )
        })
    }

    async fn add_signing_key(
        &self,
        key: SealedSigningKey,
        expected_newest: Option<&str>,
        others_retire_at: Timestamp,
    ) -> Result<RotationOutcome, StoreError> {
        let expected = expected_newest.map(str::to_owned);
        self.write(move |db| add(db, &key, expected.as_deref(), others_retire_at)).await
    }

    async fn reseal_signing_key(
        &self,
        kid: &str,
        before: &[u8],
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let (kid, before) = (kid.to_owned(), before.to_vec());
        self.write(move |db| {
            let replaced = db.run(
                "UPDATE signing_key SET sealed = ?3 WHERE kid = ?1 AND sealed = ?2",
                params![kid, before, sealed],
            )?;
            Ok(replaced == 1)
        })
        .await
    }
}

fn add(
    db: &Db<'_>,
    key: &SealedSigningKey,
    expected_newest: Option<&str>,
    others_retire_at: Timestamp,
) -> Result<RotationOutcome, Fault> {
    let newest = db.one(
        "SELECT kid FROM signing_key WHERE algorithm = ?1 ORDER BY created_at DESC, rowid DESC",
        [key.algorithm.as_str()],
        single::<String>,
    )?;
    if newest.as_deref() != expected_newest {
        return Ok(RotationOutcome::Raced);
    }
    db.run(
        "UPDATE signing_key SET retires_at = ?2 WHERE algorithm = ?1 AND retires_at IS NULL",
        params![key.algorithm.as_str(), others_retire_at.epoch()],
    )?;
    db.run(
        concat!(
            "INSERT INTO signing_key (",
            signing_key_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?)"
        ),
        bound(row(key)),
    )?;
    Ok(RotationOutcome::Done)
}
