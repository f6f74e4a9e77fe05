//! The audit log: the table `audit_event`.

use async_trait::async_trait;
use grantor_core::id::AuditId;
use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::{AuditStore, StoreError};
use rusqlite::params;

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Columns, Db, bytes, number};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, id, at, action, actor, target, details, mac, hash FROM audit_event ",
            $rest
        )
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
    let last = db.one(last, (), |columns| Ok((columns.count()?, columns.value()?)))?;
    let (mut sequence, mut hash) = last.unwrap_or((0, [0; 32]));
    for event in events {
        sequence += 1;
        hash = AuditEntry::hash_of(&hash, sequence, &event.mac);
        db.run(
            "INSERT INTO audit_event (sequence, id, at, action, actor, target, details, mac, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                number(sequence)?,
                bytes(&event.id.0),
                event.at.epoch(),
                event.action,
                event.actor,
                event.target,
                event.details,
                event.mac,
                hash,
            ],
        )?;
    }
    Ok(())
}

fn entry(columns: &mut Columns<'_>) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        sequence: columns.count()?,
        event: AuditEvent {
            id: AuditId(columns.id()?),
            at: columns.time()?,
            action: columns.value()?,
            actor: columns.value()?,
            target: columns.value()?,
            details: columns.value()?,
            mac: columns.value()?,
        },
        hash: columns.value()?,
    })
}
