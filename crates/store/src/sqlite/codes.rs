//! Authorization codes: RFC 6749 §4.1; the table `authorization_code`.

use async_trait::async_trait;
use grantor_core::id::{CodeId, RequestId};
use grantor_core::model::{Code, Consent};
use grantor_core::secret::Digest;
use grantor_core::store::{Answer, Answered, CodeStore, CodeView, Issued, Redeemed, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use super::{consents, requests, tokens};
use crate::records::codes::{code_columns, row, state, view};
use crate::records::users::user_columns;

const SELECT: &str = concat!(
    "SELECT ",
    code_columns!("c."),
    ", ",
    user_columns!("u."),
    " FROM authorization_code c LEFT JOIN user_account u ON u.id = c.user_id WHERE c.id = ?1"
);

#[async_trait]
impl CodeStore for Sqlite {
    async fn answer_request(
        &self,
        answer: Answer,
        request: Option<RequestId>,
        consent: Option<Consent>,
        now: Timestamp,
    ) -> Result<Answered, StoreError> {
        self.write(move |db| {
            if let Some(request) = request
                && !requests::take(db, request, now)?
            {
                return Ok(Answered::Gone);
            }
            consent.iter().try_for_each(|consent| consents::remember(db, consent))?;
            answer.code.iter().try_for_each(|code| insert(db, code))?;
            answer.tokens.iter().try_for_each(|tokens| tokens::issue(db, tokens, now))?;
            Ok(Answered::Done)
        })
        .await
    }

    async fn code(&self, id: CodeId, digest: &Digest) -> Result<Option<CodeView>, StoreError> {
        let found = self.read(|db| db.one(SELECT, [bytes(&id.0)], view))?;
        Ok(found.filter(|view| view.code.digest == *digest))
    }

    async fn redeem_code(
        &self,
        id: CodeId,
        digest: &Digest,
        issued: Issued,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let digest = *digest;
        self.write(move |db| redeem(db, id, &digest, Some(&issued), now)).await
    }

    async fn spend_code(
        &self,
        id: CodeId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        let digest = *digest;
        self.write(move |db| redeem(db, id, &digest, None, now)).await
    }
}

fn redeem(
    db: &Db<'_>,
    id: CodeId,
    digest: &Digest,
    issued: Option<&Issued>,
    now: Timestamp,
) -> Result<Redeemed, Fault> {
    if spend(db, id, digest, issued, now)? {
        return Ok(if issued.is_some() { Redeemed::Done } else { Redeemed::Gone });
    }
    let found = db.one(
        "SELECT digest, redeemed_as FROM authorization_code WHERE id = ?1",
        [bytes(&id.0)],
        state,
    )?;
    let family = found.filter(|code| code.digest == *digest).and_then(|code| code.redeemed_as);
    // RFC 6749 §4.1.2: a code used twice must be denied, and what was issued for it be revoked.
    let Some(family) = family else {
        return Ok(Redeemed::Gone);
    };
    tokens::revoke(db, family, now)?;
    Ok(Redeemed::Replayed { family })
}

/// Spends a code that is alive and was not spent; `false` for every other one. That the caller knows
/// the code was found out before, by `code`, in constant time.
fn spend(
    db: &Db<'_>,
    id: CodeId,
    digest: &Digest,
    issued: Option<&Issued>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let redeemed_as = issued.map(|issued| bytes(&issued.family.id.0));
    let spent = db.run(
        "UPDATE authorization_code SET spent_at = ?2, redeemed_as = ?3
         WHERE id = ?1 AND digest = ?4 AND spent_at IS NULL AND expires_at > ?2",
        params![bytes(&id.0), now.epoch(), redeemed_as, digest.as_bytes()],
    )?;
    if let (1, Some(issued)) = (spent, issued) {
        tokens::issue(db, issued, now)?;
    }
    Ok(spent == 1)
}

fn insert(db: &Db<'_>, code: &Code) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO authorization_code (",
            code_columns!(""),
            ", spent_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(code)?),
    )?;
    Ok(())
}
