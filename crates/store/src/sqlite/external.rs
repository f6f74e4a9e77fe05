//! Sign-ins on the operator's own page that are half done: the table `external_sign_in`.

use async_trait::async_trait;
use grantor_core::id::{ExternalId, RequestId};
use grantor_core::model::{ExternalAnswer, ExternalSignIn};
use grantor_core::secret::Digest;
use grantor_core::store::{ExternalStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Columns, Db, bytes, json_column};

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
        "SELECT id, request_id, then_path, browser, answer, verifier, created_at, expires_at
         FROM external_sign_in WHERE id = ?1 AND expires_at > ?2",
        params![bytes(&id.0), now.epoch()],
        sign_in,
    )
}

fn insert(db: &Db<'_>, sign_in: &ExternalSignIn) -> Result<(), Fault> {
    db.run(
        "INSERT INTO external_sign_in (id, request_id, then_path, browser, answer, verifier,
                                       created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            bytes(&sign_in.id.0),
            sign_in.request.as_ref().map(|request| bytes(&request.0)),
            sign_in.then,
            sign_in.browser.as_bytes(),
            sign_in.answer.as_ref().map(json_column).transpose()?,
            sign_in.verifier.as_ref().map(Digest::as_bytes),
            sign_in.created_at.epoch(),
            sign_in.expires_at.epoch(),
        ],
    )?;
    Ok(())
}

fn sign_in(columns: &mut Columns<'_>) -> Result<ExternalSignIn, Fault> {
    Ok(ExternalSignIn {
        id: ExternalId(columns.id()?),
        request: columns.optional_id()?.map(RequestId),
        then: columns.value()?,
        browser: columns.digest()?,
        answer: columns.optional_json()?,
        verifier: columns.optional_digest()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
