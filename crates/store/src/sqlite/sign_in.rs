//! Sign-ins by admin token that are half done: the table `sign_in_attempt`.

use async_trait::async_trait;
use grantor_core::id::AttemptId;
use grantor_core::model::{OutboxMail, SignInAttempt};
use grantor_core::secret::Digest;
use grantor_core::store::{AttemptLimits, SignInStore, Started, StoreError, Tried};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::outbox;
use super::rows::{Db, bound, bytes};
use crate::records::sign_in::{self, attempt, forgotten, is_alive, row, sign_in_columns};

const SELECT: &str =
    concat!("SELECT ", sign_in_columns!(""), " FROM sign_in_attempt WHERE id = ?1");

#[async_trait]
impl SignInStore for Sqlite {
    async fn start_attempt(
        &self,
        attempt: SignInAttempt,
        mail: Option<OutboxMail>,
        limits: AttemptLimits,
        now: Timestamp,
    ) -> Result<Started, StoreError> {
        self.write(move |db| {
            if let Some(until) = must_wait(db, &attempt.email, limits, now)? {
                return Ok(Started::Wait { until });
            }
            end_earlier(db, &attempt)?;
            insert(db, &attempt)?;
            mail.iter().try_for_each(|mail| outbox::insert(db, mail))?;
            Ok(Started::Done)
        })
        .await
    }

    async fn attempt(
        &self,
        id: AttemptId,
        browser: &Digest,
        now: Timestamp,
    ) -> Result<Option<SignInAttempt>, StoreError> {
        self.read(|db| alive(db, id, browser, now))
    }

    async fn try_token(
        &self,
        id: AttemptId,
        browser: &Digest,
        token: &Digest,
        now: Timestamp,
    ) -> Result<Tried, StoreError> {
        let (browser, token) = (*browser, *token);
        self.write(move |db| {
            let Some(attempt) = alive(db, id, &browser, now)? else {
                return Ok(Tried::Gone);
            };
            let right = attempt.token == token;
            let tries_left = if right { 0 } else { attempt.tries_left - 1 };
            let leave = "UPDATE sign_in_attempt SET tries_left = ?2 WHERE id = ?1";
            db.run(leave, params![bytes(&id.0), tries_left])?;
            Ok(if right { Tried::Right(attempt) } else { Tried::Wrong { tries_left } })
        })
        .await
    }
}

/// When the address may ask again, if that is not now.
fn must_wait(
    db: &Db<'_>,
    email: &str,
    limits: AttemptLimits,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let asked = db.all(
        "SELECT created_at FROM sign_in_attempt WHERE email = ?1 AND created_at > ?2
         ORDER BY created_at DESC LIMIT ?3",
        params![email, forgotten(limits, now).epoch(), limits.per_hour.max(1)],
        |columns| Ok(Timestamp::from_epoch(columns.value()?)),
    )?;
    Ok(sign_in::must_wait(&asked, limits, now))
}

fn alive(
    db: &Db<'_>,
    id: AttemptId,
    browser: &Digest,
    now: Timestamp,
) -> Result<Option<SignInAttempt>, Fault> {
    let found = db.one(SELECT, [bytes(&id.0)], attempt)?;
    Ok(found.filter(|attempt| is_alive(attempt, browser, now)))
}

fn end_earlier(db: &Db<'_>, attempt: &SignInAttempt) -> Result<(), Fault> {
    db.run(
        "UPDATE sign_in_attempt SET tries_left = 0
         WHERE email = ?1 AND browser = ?2 AND tries_left > 0",
        params![attempt.email, attempt.browser.as_bytes()],
    )?;
    Ok(())
}

fn insert(db: &Db<'_>, attempt: &SignInAttempt) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO sign_in_attempt (",
            sign_in_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(attempt)),
    )?;
    Ok(())
}
