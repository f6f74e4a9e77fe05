//! Webhooks on their way: the table `webhook_notice`.

use async_trait::async_trait;
use grantor_core::id::NoticeId;
use grantor_core::model::Notice;
use grantor_core::store::{NoticeStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound, bytes};
use crate::columns::single;
use crate::records::notices::{notice, notice_columns, row};

#[async_trait]
impl NoticeStore for Sqlite {
    async fn claim_notices(
        &self,
        endpoint: &str,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        // Asked every moment, and nearly always there is none.
        let due = "SELECT 1 FROM webhook_notice WHERE endpoint = ?1 AND due_at <= ?2 LIMIT 1";
        if self.read(|db| db.one(due, params![endpoint, now.epoch()], |_| Ok(())))?.is_none() {
            return Ok(Vec::new());
        }
        let endpoint = endpoint.to_owned();
        self.write(move |db| claim(db, &endpoint, now, until, limit)).await
    }

    async fn remove_notice(&self, id: NoticeId) -> Result<(), StoreError> {
        self.write(move |db| {
            db.run("DELETE FROM webhook_notice WHERE id = ?1", [bytes(&id.0)]).map(drop)
        })
        .await
    }

    async fn retry_notice(&self, id: NoticeId, at: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| {
            let retry = "UPDATE webhook_notice SET due_at = ?2 WHERE id = ?1";
            db.run(retry, params![bytes(&id.0), at.epoch()]).map(drop)
        })
        .await
    }

    async fn pending_notices(&self) -> Result<u32, StoreError> {
        let count = "SELECT count(*) FROM webhook_notice";
        Ok(self.read(|db| db.one(count, (), single::<u32>))?.unwrap_or(0))
    }
}

fn claim(
    db: &Db<'_>,
    endpoint: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Notice>, Fault> {
    let mut notices = db.all(
        concat!(
            "SELECT ",
            notice_columns!(""),
            " FROM webhook_notice
              WHERE endpoint = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3"
        ),
        params![endpoint, now.epoch(), limit],
        notice,
    )?;
    for notice in &mut notices {
        notice.attempts += 1;
        notice.due_at = until;
        db.run(
            "UPDATE webhook_notice SET due_at = ?2, attempts = ?3 WHERE id = ?1",
            params![bytes(&notice.id.0), notice.due_at.epoch(), notice.attempts],
        )?;
    }
    Ok(notices)
}

/// Queues a webhook.
pub(super) fn insert(db: &Db<'_>, notice: &Notice) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT INTO webhook_notice (",
            notice_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?, ?)"
        ),
        bound(row(notice)),
    )?;
    Ok(())
}
