//! Sign-ins by admin token that are half done: the table `sign_in_attempt`.

use async_trait::async_trait;
use grantor_core::id::{AttemptId, RequestId};
use grantor_core::model::{OutboxMail, SignInAttempt};
use grantor_core::secret::Digest;
use grantor_core::store::{AttemptLimits, SignInStore, Started, StoreError, Tried};
use grantor_core::time::{Seconds, Timestamp};
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::outbox;
use super::rows::{Columns, Db, bytes};

const HOUR: Seconds = Seconds::hours(1);

const SELECT: &str =
    "SELECT id, request_id, browser, email, token, tries_left, created_at, expires_at
    FROM sign_in_attempt WHERE id = ?1";

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
        params![email, now.minus(HOUR.max(limits.pause)).epoch(), limits.per_hour.max(1)],
        |columns| Ok(Timestamp::from_epoch(columns.value()?)),
    )?;
    let after_pause = asked.first().map(|last| last.plus(limits.pause));
    let full = asked.len() >= usize::try_from(limits.per_hour).unwrap_or(usize::MAX);
    let after_hour = asked.last().filter(|_| full).map(|first| first.plus(HOUR));
    let none_at_all = (limits.per_hour == 0).then(|| now.plus(HOUR));
    let until = after_pause.into_iter().chain(after_hour).chain(none_at_all).max();
    Ok(until.filter(|until| now < *until))
}

fn alive(
    db: &Db<'_>,
    id: AttemptId,
    browser: &Digest,
    now: Timestamp,
) -> Result<Option<SignInAttempt>, Fault> {
    let found = db.one(SELECT, [bytes(&id.0)], attempt)?;
    Ok(found.filter(|attempt| {
        attempt.browser == *browser && attempt.tries_left > 0 && now < attempt.expires_at
    }))
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
        "INSERT INTO sign_in_attempt (id, request_id, browser, email, token, tries_left,
                                      created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            bytes(&attempt.id.0),
            attempt.request.as_ref().map(|request| bytes(&request.0)),
            attempt.browser.as_bytes(),
            attempt.email,
            attempt.token.as_bytes(),
            attempt.tries_left,
            attempt.created_at.epoch(),
            attempt.expires_at.epoch(),
        ],
    )?;
    Ok(())
}

fn attempt(columns: &mut Columns<'_>) -> Result<SignInAttempt, Fault> {
    Ok(SignInAttempt {
        id: AttemptId(columns.id()?),
        request: columns.optional_id()?.map(RequestId),
        browser: columns.digest()?,
        email: columns.value()?,
        token: columns.digest()?,
        tries_left: columns.value()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
