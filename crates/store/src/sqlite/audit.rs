//! The audit log: the table `audit_event`.

use async_trait::async_trait;
use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::{AuditStore, StoreError};
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Db, bound};
use crate::records::audit::{audit_columns, entry, link, row};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", audit_columns!(""), " FROM audit_event ", $rest)
    };
}

#[async_trait]
impl AuditStore for Sqlite {
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        self.log(move |db| append(db, &events)).await
    }

    async fn audit(&self, after: u64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        // One that is too large comes after every entry.
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let next = select!("WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
        self.read(|db| db.all(next, params![after, limit], entry))
    }

    async fn last_audit(&self) -> Result<Option<AuditEntry>, StoreError> {
        self.read(|db| db.one(select!("ORDER BY sequence DESC LIMIT 1"), (), entry))
    }
}

/// Adds entries. The last one is read in the same transaction: another process may write too.
pub(super) fn append(db: &Db<'_>, events: &[AuditEvent]) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    let last = "SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1";
    let mut last = db.one(last, (), link)?.unwrap_or_default();
    for event in events {
        last = last.next(event);
        db.run(
            concat!(
                "INSERT INTO audit_event (",
                audit_columns!(""),
                ")
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            ),
            bound(row(event, &last)?),
        )?;
    }
    Ok(())
}
