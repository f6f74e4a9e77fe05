//! Sign-ins on the operator's own page that are half done: the table `external_sign_in`.

use async_trait::async_trait;
use grantor_core::id::ExternalId;
use grantor_core::model::{ExternalAnswer, ExternalSignIn};
use grantor_core::secret::Digest;
use grantor_core::store::{ExternalStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{json_column, values};
use crate::records::external::{external_columns, row, sign_in};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            external_columns!(""),
            " FROM external_sign_in WHERE id = $1 AND expires_at > $2",
            $rest
        )
    };
}

const INSERT: &str = concat!(
    "INSERT INTO external_sign_in (",
    external_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
);

#[async_trait]
impl ExternalStore for Postgres {
    async fn add_external(&self, sign_in: ExternalSignIn) -> Result<(), StoreError> {
        self.write_one(sign_in, |db, sign_in| {
            Box::pin(async move { db.run(INSERT, &row(sign_in)?).await.map(drop) })
        })
        .await
    }

    async fn external(
        &self,
        id: ExternalId,
        now: Timestamp,
    ) -> Result<Option<ExternalSignIn>, StoreError> {
        self.look(select!(""), &values![id.0, now], sign_in).await
    }

    async fn answer_external(
        &self,
        id: ExternalId,
        answer: ExternalAnswer,
        verifier: &Digest,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one((id, answer, *verifier, now), |db, (id, answer, verifier, now)| {
            Box::pin(async move {
                let keep = "UPDATE external_sign_in SET answer = $2, verifier = $3
                            WHERE id = $1 AND answer IS NULL AND expires_at > $4";
                let answer = json_column(answer)?;
                Ok(db.run(keep, &values![id.0, answer, verifier, *now]).await? == 1)
            })
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
        self.write((id, *verifier, *browser, now), |db, (id, verifier, browser, now)| {
            Box::pin(take(db, *id, verifier, browser, *now))
        })
        .await
    }
}

async fn take(
    db: Db<'_>,
    id: ExternalId,
    verifier: &Digest,
    browser: &Digest,
    now: Timestamp,
) -> Result<Option<ExternalSignIn>, Fault> {
    let alive = db.one(select!(" FOR UPDATE"), &values![id.0, now], sign_in).await?;
    let theirs =
        alive.filter(|sign_in| sign_in.verifier == Some(*verifier) && sign_in.browser == *browser);
    if theirs.is_some() {
        db.run("DELETE FROM external_sign_in WHERE id = $1", &values![id.0]).await?;
    }
    Ok(theirs)
}
