//! Mails on their way: the table `outbox_mail`.

use async_trait::async_trait;
use grantor_core::id::MailId;
use grantor_core::model::OutboxMail;
use grantor_core::store::{OutboxStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{single, values};
use crate::records::mails::{mail, mail_columns, row};

const INSERT: &str =
    concat!("INSERT INTO outbox_mail (", mail_columns!(""), ") VALUES ($1, $2, $3, $4, $5, $6)");

/// Those that another node claims at this moment are passed over. Gives when they were due last.
const CLAIM: &str = concat!(
    "WITH due AS (
        SELECT id, due_at FROM outbox_mail WHERE due_at <= $1 AND expires_at > $1
        ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
     UPDATE outbox_mail m SET due_at = $2, attempts = m.attempts + 1
     FROM due WHERE m.id = due.id
     RETURNING ",
    mail_columns!("m."),
    ", due.due_at"
);

#[async_trait]
impl OutboxStore for Postgres {
    async fn claim_mail(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxMail>, StoreError> {
        // Asked every moment, and nearly always there is none.
        let due = "SELECT 1 FROM outbox_mail WHERE due_at <= $1 AND expires_at > $1 LIMIT 1";
        if self.look(due, &values![now], |_| Ok(())).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write_one((now, until, limit), |db, (now, until, limit)| {
            Box::pin(async move {
                let mut mails = db
                    .all(CLAIM, &values![*now, *until, *limit], |columns| {
                        Ok((mail(columns)?, columns.time()?))
                    })
                    .await?;
                mails.sort_by_key(|(mail, due_at)| (*due_at, mail.id));
                Ok(mails.into_iter().map(|(mail, _)| mail).collect())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.write_one(id, |db, id| {
            Box::pin(async move {
                db.run("DELETE FROM outbox_mail WHERE id = $1", &values![id.0]).await.map(drop)
            })
        })
        .await
    }

    async fn retry_mail(&self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.write_one((id, at), |db, (id, at)| {
            Box::pin(async move {
                let retry = "UPDATE outbox_mail SET due_at = $2 WHERE id = $1";
                db.run(retry, &values![id.0, *at]).await.map(drop)
            })
        })
        .await
    }

    async fn pending_mail(&self) -> Result<u32, StoreError> {
        let counted = self.look("SELECT count(*) FROM outbox_mail", &[], single).await?;
        Ok(counted.unwrap_or(0))
    }
}

/// Queues a mail.
pub(super) async fn insert(db: Db<'_>, mail: &OutboxMail) -> Result<(), Fault> {
    db.run(INSERT, &row(mail)).await.map(drop)
}
