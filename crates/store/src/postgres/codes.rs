//! Authorization codes: RFC 6749 §4.1; the table `authorization_code`.

use async_trait::async_trait;
use grantor_core::id::{CodeId, RequestId};
use grantor_core::model::{Code, Consent};
use grantor_core::secret::Digest;
use grantor_core::store::{Answer, Answered, CodeStore, CodeView, Issued, Redeemed, StoreError};
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::Db;
use super::{Postgres, consents, requests, tokens};
use crate::columns::values;
use crate::records::codes::{code_columns, row, state, view};
use crate::records::users::user_columns;

const SELECT: &str = concat!(
    "SELECT ",
    code_columns!("c."),
    ", ",
    user_columns!("u."),
    " FROM authorization_code c LEFT JOIN user_account u ON u.id = c.user_id WHERE c.id = $1"
);

const INSERT: &str = concat!(
    "INSERT INTO authorization_code (",
    code_columns!(""),
    ", spent_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20)"
);

#[async_trait]
impl CodeStore for Postgres {
    async fn answer_request(
        &self,
        answer: Answer,
        request: Option<RequestId>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<Answered, StoreError> {
        self.write((answer, request, consent, now), |db, (given, request, consent, now)| {
            Box::pin(answer_with(db, given, *request, consent.as_ref(), *now))
        })
        .await
    }

    async fn code(&self, id: CodeId, digest: &Digest) -> Result<Option<CodeView>, StoreError> {
        let found = self.look(SELECT, &values![id.0], view).await?;
        Ok(found.filter(|view| view.code.digest == *digest))
    }

    async fn redeem_code(
        &self,
        id: CodeId,
        digest: &Digest,
        issued: Issued,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.write((id, *digest, issued, now), |db, (id, digest, issued, now)| {
            Box::pin(redeem(db, *id, digest, Some(issued), *now))
        })
        .await
    }

    async fn spend_code(
        &self,
        id: CodeId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.write((id, *digest, now), |db, (id, digest, now)| {
            Box::pin(redeem(db, *id, digest, None, *now))
        })
        .await
    }
}

async fn answer_with(
    db: Db<'_>,
    answer: &Answer,
    request: Option<RequestId>,
    consent: Option<&Consent>,
    now: Timestamp,
) -> Result<Answered, Fault> {
    if let Some(tokens) = &answer.tokens {
        tokens::alone(db, tokens).await?;
    }
    if let Some(request) = request
        && !requests::take(db, request, now).await?
    {
        return Ok(Answered::Gone);
    }
    if let Some(consent) = consent {
        consents::remember(db, consent).await?;
    }
    if let Some(code) = &answer.code {
        insert(db, code).await?;
    }
    if let Some(tokens) = &answer.tokens {
        tokens::issue(db, tokens, now).await?;
    }
    Ok(Answered::Done)
}

async fn redeem(
    db: Db<'_>,
    id: CodeId,
    digest: &Digest,
    issued: Option<&Issued>,
    now: Timestamp,
) -> Result<Redeemed, Fault> {
    if spend(db, id, digest, issued, now).await? {
        return Ok(if issued.is_some() { Redeemed::Done } else { Redeemed::Gone });
    }
    let spent = "SELECT digest, redeemed_as FROM authorization_code WHERE id = $1";
    let found = db.one(spent, &values![id.0], state).await?;
    let family = found.filter(|code| code.digest == *digest).and_then(|code| code.redeemed_as);
    // RFC 6749 §4.1.2: a code used twice must be denied, and what was issued for it be revoked.
    let Some(family) = family else {
        return Ok(Redeemed::Gone);
    };
    tokens::revoke(db, family, now).await?;
    Ok(Redeemed::Replayed { family })
}

/// Spends a code that is alive and was not spent; `false` for every other one. That the caller knows
/// the code was found out before, by `code`, in constant time.
async fn spend(
    db: Db<'_>,
    id: CodeId,
    digest: &Digest,
    issued: Option<&Issued>,
    now: Timestamp,
) -> Result<bool, Fault> {
    if let Some(issued) = issued {
        tokens::alone(db, issued).await?;
    }
    let redeemed_as = issued.map(|issued| issued.family.id.0);
    let spent = db
        .run(
            "UPDATE authorization_code SET spent_at = $2, redeemed_as = $3
             WHERE id = $1 AND digest = $4 AND spent_at IS NULL AND expires_at > $2",
            &values![id.0, now, redeemed_as, digest],
        )
        .await?;
    if let (1, Some(issued)) = (spent, issued) {
        tokens::issue(db, issued, now).await?;
    }
    Ok(spent == 1)
}

async fn insert(db: Db<'_>, code: &Code) -> Result<(), Fault> {
    db.run(INSERT, &row(code)?).await.map(drop)
}
