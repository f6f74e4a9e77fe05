//! Webhooks on their way: the table `webhook_notice`.

use async_trait::async_trait;
use grantor_core::id::NoticeId;
use grantor_core::model::Notice;
use grantor_core::store::{NoticeStore, StoreError};
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{single, values};
use crate::records::notices::{notice, notice_columns, row};

const INSERT: &str = concat!(
    "INSERT INTO webhook_notice (",
    notice_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7)"
);

/// Those that another node claims at this moment are passed over. Gives when they were due last.
const CLAIM: &str = concat!(
    "WITH due AS (
        SELECT id, due_at FROM webhook_notice
        WHERE endpoint = $1 AND due_at <= $2
        ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED)
     UPDATE webhook_notice n SET due_at = $3, attempts = n.attempts + 1
     FROM due WHERE n.id = due.id
     RETURNING ",
    notice_columns!("n."),
    ", due.due_at"
);

#[async_trait]
impl NoticeStore for Postgres {
    async fn claim_notices(
        &self,
        endpoint: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        // Asked every moment, and nearly always there is none.
        let due = "SELECT 1 FROM webhook_notice WHERE endpoint = $1 AND due_at <= $2 LIMIT 1";
        if self.look(due, &values![endpoint, now], |_| Ok(())).await?.is_none() {
            return Ok(Vec::new());
        }
        let part = (endpoint.to_owned(), now, until, limit);
        self.write_one(part, |db, (endpoint, now, until, limit)| {
            Box::pin(claim(db, endpoint, *now, *until, *limit))
        })
        .await
    }

    async fn remove_notice(&self, id: NoticeId) -> Result<(), StoreError> {
        self.write_one(id, |db, id| {
            Box::pin(async move {
                db.run("DELETE FROM webhook_notice WHERE id = $1", &values![id.0]).await.map(drop)
            })
        })
        .await
    }

    async fn retry_notice(&self, id: NoticeId, at: Timestamp) -> Result<(), StoreError> {
        self.write_one((id, at), |db, (id, at)| {
            Box::pin(async move {
                let retry = "UPDATE webhook_notice SET due_at = $2 WHERE id = $1";
                db.run(retry, &values![id.0, *at]).await.map(drop)
            })
        })
        .await
    }

    async fn pending_notices(&self) -> Result<u32, StoreError> {
        let counted = self.look("SELECT count(*) FROM webhook_notice", &[], single).await?;
        Ok(counted.unwrap_or(0))
    }
}

async fn claim(
    db: Db<'_>,
    endpoint: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Notice>, Fault> {
    let mut notices = db
        .all(CLAIM, &values![endpoint, now, until, limit], |columns| {
            Ok((notice(columns)?, columns.time()?))
        })
        .await?;
    notices.sort_by_key(|(notice, due_at)| (*due_at, notice.id));
    Ok(notices.into_iter().map(|(notice, _)| notice).collect())
}

/// Queues a webhook.
pub(super) async fn insert(db: Db<'_>, notice: &Notice) -> Result<(), Fault> {
    db.run(INSERT, &row(notice)).await.map(drop)
}
