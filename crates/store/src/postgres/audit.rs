//! The audit log: the table `audit_event`.

use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::{AuditStore, StoreError};

use super::Postgres;
use super::batch::Batcher;
use super::fault::Fault;
use super::pool::{As, Pool};
use super::rows::{Db, transposed};
use crate::columns::values;
use crate::records::audit::{audit_columns, entry, link, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", audit_columns!(""), " FROM audit_event ", $rest)
    };
}

const INSERT: &str = concat!(
    "INSERT INTO audit_event (",
    audit_columns!(""),
    ") SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::text[],
        $6::text[], $7::text[], $8::bytea[], $9::bytea[])"
);

#[async_trait]
impl AuditStore for Postgres {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        self.audited.add(events).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        // One that is too large comes after every entry.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.read((after, limit), |db, (after, limit)| {
            Box::pin(async move {
                let next = select!("WHERE sequence > $1 ORDER BY sequence LIMIT $2");
                db.all(next, &values![*after, *limit], entry).await
            })
        })
        .await
    }

    async fn last_audit(&self) -> Result<Option<AuditEntry>, StoreError> {
        self.look(select!("ORDER BY sequence DESC LIMIT 1"), &[], entry).await
    }
}

/// Entries of many callers are added together, those of one caller beside each other.
pub(super) fn batches(pool: &Arc<Pool>) -> Batcher<Vec<AuditEvent>, ()> {
    Batcher::start(pool, As::Transaction, |db, calls: &Vec<Vec<AuditEvent>>| {
        Box::pin(async move {
            append(db, calls.iter().flatten()).await?;
            Ok(vec![(); calls.len()])
        })
    })
}

/// Adds entries. The log is locked from here to the end of the transaction.
pub(super) async fn append<'e>(
    db: Db<'_>,
    events: impl Iterator<Item = &'e AuditEvent> + Send,
) -> Result<(), Fault> {
    let events: Vec<_> = events.collect();
    if events.is_empty() {
        return Ok(());
    }
    db.lock("audit").await?;
    let last = "SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1";
    let mut last = db.one(last, &[], link).await?.unwrap_or_default();
    let chain = events.into_iter().map(|event| {
        last = last.next(event);
        (event, last)
    });
    let chain: Vec<_> = chain.collect();
    let rows = chain.iter().map(|(event, link)| row(event, link)).collect::<Result<_, _>>()?;
    db.run(INSERT, &transposed(rows)).await.map(drop)
}
