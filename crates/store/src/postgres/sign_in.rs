//! Sign-ins by admin token that are half done: the table `sign_in_attempt`.

use async_trait::async_trait;
use grantor_core::id::AttemptId;
use grantor_core::model::{OutboxMail, SignInAttempt};
use grantor_core::secret::Digest;
use grantor_core::store::{AttemptLimits, SignInStore, Started, StoreError, Tried};
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::Db;
use super::{Postgres, outbox};
use crate::columns::{single, values};
use crate::records::sign_in::{attempt, forgotten, is_alive, must_wait, row, sign_in_columns};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", sign_in_columns!(""), " FROM sign_in_attempt WHERE id = $1", $rest)
    };
}

const INSERT: &str = concat!(
    "INSERT INTO sign_in_attempt (",
    sign_in_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
);

#[async_trait]
impl SignInStore for Postgres {
    async fn start_attempt(
        &self,
        attempt: SignInAttempt,
        mail: Option<OutboxMail>,
        limits: AttemptLimits,
        now: Timestamp,
    ) -> Result<Started, StoreError> {
        self.write((attempt, mail, limits, now), |db, (attempt, mail, limits, now)| {
            Box::pin(start(db, attempt, mail.as_ref(), *limits, *now))
        })
        .await
    }

    async fn attempt(
        &self,
        id: AttemptId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError> {
        let found = self.look(select!(""), &values![id.0], attempt).await?;
        Ok(found.filter(|attempt| is_alive(attempt, browser, now)))
    }

    async fn try_token(
        &self,
        id: AttemptId,
        browser: &Digest,
        token: &Digest,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        self.write((id, *browser, *token, now), |db, (id, browser, token, now)| {
            Box::pin(try_token(db, *id, browser, token, *now))
        })
        .await
    }
}

async fn start(
    db: Db<'_>,
    attempt: &SignInAttempt,
    mail: Option<&OutboxMail>,
    limits: AttemptLimits,
    now: Timestamp,
) -> Result<Started, Fault> {
    // An address has no row of its own that could be locked.
    db.lock_named(&[b"sign_in", attempt.email.as_bytes()]).await?;
    let asked = db
        .all(
            "SELECT created_at FROM sign_in_attempt WHERE email = $1 AND created_at > $2
             ORDER BY created_at DESC LIMIT $3",
            &values![&attempt.email, forgotten(limits, now), limits.per_hour.max(1)],
            single,
        )
        .await?;
    if let Some(until) = must_wait(&asked, limits, now) {
        return Ok(Started::Wait { until });
    }
    let end_earlier = "UPDATE sign_in_attempt SET tries_left = 0
                       WHERE email = $1 AND browser = $2 AND tries_left > 0";
    db.run(end_earlier, &values![&attempt.email, attempt.browser]).await?;
    db.run(INSERT, &row(attempt)).await?;
    if let Some(mail) = mail {
        outbox::insert(db, mail).await?;
    }
    Ok(Started::Done)
}

async fn try_token(
    db: Db<'_>,
    id: AttemptId,
    browser: &Digest,
    token: &Digest,
    now: Timestamp,
) -> Result<Tried, Fault> {
    let found = db.one(select!(" FOR UPDATE"), &values![id.0], attempt).await?;
    let Some(attempt) = found.filter(|attempt| is_alive(attempt, browser, now)) else {
        return Ok(Tried::Gone);
    };
    let right = attempt.token == *token;
    let tries_left = if right { 0 } else { attempt.tries_left - 1 };
    let leave = "UPDATE sign_in_attempt SET tries_left = $2 WHERE id = $1";
    db.run(leave, &values![id.0, tries_left]).await?;
    Ok(if right { Tried::Right(attempt) } else { Tried::Wrong { tries_left } })
}
