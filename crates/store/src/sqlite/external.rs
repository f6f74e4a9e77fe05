//! Sign-ins on the operator's own page that are half done: the table `external_sign_in`.

use async_trait::async_trait;
use grantor_core::id::ExternalId;
use grantor_core::model::{ExternalAnswer, ExternalSignIn};
use grantor_core::secret::Digest;
use grantor_core::store::{ExternalStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::columns::json_column;
use crate::records::external::{external_columns, row, sign_in};

#[async_trait]
impl ExternalStore for Sqlite {
    async fn add_external(&self, sign_in: ExternalSignIn) -> Result<(), StoreError> {
        self.write(move |db| insert(db, &sign_in)).await
    }

    async fn external(
        &self,
        id: ExternalId,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError> {
        self.read(|db| alive(db, id, now))
    }

    async fn answer_external(
        &self,
        id: ExternalId,
        answer: ExternalAnswer,
        verifier: &Digest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let verifier = *verifier;
        self.write(move |db| {
            let answered = db.run(
                "UPDATE external_sign_in SET answer = ?2, verifier = ?3
                 WHERE id = ?1 AND answer IS NULL AND expires_at > ?4",
                params![bytes(&id.0), json_column(&answer)?, verifier.as_bytes(), now.epoch()],
            )?;
            Ok(answered == 1)
        })
        .await
    }

    async fn take_external(
        &self,
        id: ExternalId,
        verifier: &Digest,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError> {
        let (verifier, browser) = (*verifier, *browser);
        self.write(move |db| {
            let theirs = alive(db, id, now)?
                .filter(|sign_in| sign_in.verifier == Some(verifier) && sign_in.browser == browser);
            if theirs.is_some() {
                db.run("DELETE FROM external_sign_in WHERE id = ?1", [bytes(&id.0)])?;
            }
            Ok(theirs)
        })
        .await
    }
}

fn alive(db: &Db<'_>, id: ExternalId, now: Timestamp) -> Result<Option<ExternalSignIn>, Fault> {
    db.one(
        concat!(
            "SELECT ",
            external_columns!(""),
            " FROM external_sign_in WHERE id = ?1 AND expires_at > ?2"
        ),
        params![bytes(&id.0), now.epoch()],
        sign_in,
    )
}

fn insert(db: &Db<'_>, sign_in: &ExternalSignIn) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO external_sign_in (",
            external_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(sign_in)?),
    )?;
    Ok(())
}
