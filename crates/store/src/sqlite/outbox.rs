//! Mails on their way: the table `outbox_mail`.

use async_trait::async_trait;
use grantor_core::id::MailId;
use grantor_core::model::OutboxMail;
use grantor_core::store::{OutboxStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::columns::single;
use crate::records::mails::{mail, mail_columns, row};

const SELECT_DUE: &str = concat!(
    "SELECT ",
    mail_columns!(""),
    " FROM outbox_mail WHERE due_at <= ?1 AND expires_at > ?1 ORDER BY due_at, id LIMIT ?2"
);

#[async_trait]
impl OutboxStore for Sqlite {
    async fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxMail>, StoreError> {
        // Asked every moment, and nearly always there is none.
        if self.read(|db| db.one(SELECT_DUE, params![now.epoch(), 1], mail))?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |db| claim(db, now, until, limit)).await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.write(move |db| {
            db.run("DELETE FROM outbox_mail WHERE id = ?1", [bytes(&id.0)])?;
            Ok(())
        })
        .await
    }

    async fn retry_mail(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            let retry = "UPDATE outbox_mail SET due_at = ?2 WHERE id = ?1";
            db.run(retry, params![bytes(&id.0), at.epoch()])?;
            Ok(())
        })
        .await
    }

    async fn pending_mail(&self) -> Result<u32, StoreError> {
        let counted =
            self.read(|db| db.one("SELECT count(*) FROM outbox_mail", (), single::<u32>))?;
        Ok(counted.unwrap_or(0))
    }
}

fn claim(
    db: &Db<'_>,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<OutboxMail>, Fault> {
    let mut mails = db.all(SELECT_DUE, params![now.epoch(), limit], mail)?;
    for mail in &mut mails {
        mail.attempts += 1;
        mail.due_at = until;
        db.run(
            "UPDATE outbox_mail SET due_at = ?2, attempts = ?3 WHERE id = ?1",
            params![bytes(&mail.id.0), mail.due_at.epoch(), mail.attempts],
        )?;
    }
    Ok(mails)
}

/// Queues a mail.
pub(super) fn insert(db: &Db<'_>, mail: &OutboxMail) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO outbox_mail (",
            mail_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?)"
        ),
        bound(row(mail)),
    )?;
    Ok(())
}
