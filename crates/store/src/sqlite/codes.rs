//! Authorization codes: RFC 6749 §4.1; the table `authorization_code`.

use async_trait::async_trait;
use grantor_core::id::{CodeId, FamilyId, RequestId, SessionId, UserId};
use grantor_core::model::{Challenge, Code, Consent};
use grantor_core::secret::Digest;
use grantor_core::store::{Answer, Answered, CodeStore, CodeView, Issued, Redeemed, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Columns, Db, bytes, claims_column, list_column};
use super::users::{USER_COLUMNS, user, user_columns};
use super::{consents, requests, tokens};

const SELECT: &str = concat!(
    "SELECT c.id, c.digest, c.client_id, c.user_id, c.session_id, c.redirect_uri,
        c.redirect_uri_given, c.scope, c.resource, c.claims, c.nonce, c.challenge, c.auth_time,
        c.method, c.amr, c.acr, c.created_at, c.expires_at, c.redeemed_as, ",
    user_columns!(),
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

/// What is known of a code that cannot be spent.
struct State {
    digest: Digest,
    redeemed_as: Option<FamilyId>,
}

fn state(columns: &mut Columns<'_>) -> Result<State, Fault> {
    Ok(State { digest: columns.digest()?, redeemed_as: columns.optional_id()?.map(FamilyId) })
}

fn insert(db: &Db<'_>, code: &Code) -> Result<(), Fault> {
    let authentication = &code.authentication;
    db.run(
        "INSERT INTO authorization_code (id, digest, client_id, user_id, session_id, redirect_uri,
            redirect_uri_given, scope, resource, claims, nonce, challenge, auth_time, method, amr, acr,
            created_at, expires_at, spent_at, redeemed_as)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20)",
        params![
            bytes(&code.id.0),
            code.digest.as_bytes(),
            code.client_id,
            bytes(&code.user.0),
            bytes(&code.session.0),
            code.redirect_uri,
            code.redirect_uri_given,
            code.scope.as_str(),
            list_column(&code.resource)?,
            claims_column(&code.claims)?,
            code.nonce,
            code.challenge.as_ref().map(|challenge| challenge.0.as_bytes()),
            authentication.auth_time.epoch(),
            authentication.method.as_str(),
            authentication.amr.join(" "),
            authentication.acr,
            code.created_at.epoch(),
            code.expires_at.epoch(),
            code.redeemed_as.map(|_| code.created_at.epoch()),
            code.redeemed_as.as_ref().map(|family| bytes(&family.0)),
        ],
    )?;
    Ok(())
}

fn view(columns: &mut Columns<'_>) -> Result<CodeView, Fault> {
    Ok(CodeView { code: code(columns)?, user: columns.optional(USER_COLUMNS, user)? })
}

fn code(columns: &mut Columns<'_>) -> Result<Code, Fault> {
    Ok(Code {
        id: CodeId(columns.id()?),
        digest: columns.digest()?,
        client_id: columns.value()?,
        user: UserId(columns.id()?),
        session: SessionId(columns.id()?),
        redirect_uri: columns.value()?,
        redirect_uri_given: columns.value()?,
        scope: columns.scope()?,
        resource: columns.json_or_none()?,
        claims: columns.json_or_none()?,
        nonce: columns.value()?,
        challenge: columns.optional_digest()?.map(Challenge),
        authentication: columns.authentication()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
        redeemed_as: columns.optional_id()?.map(FamilyId),
    })
}
