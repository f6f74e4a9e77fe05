//! The audit log: the rows of `audit_event`.

use grantor_core::id::AuditId;
use grantor_core::model::{AuditEntry, AuditEvent};

use crate::columns::{Columns, Unreadable, Value, number, values};

/// The columns of an entry, those of the table that is named: `""`, or `"x."`.
macro_rules! audit_columns {
    ($of:literal) => {
        crate::columns::listed!($of: sequence, id, at, action, actor, target, details, mac, hash)
    };
}
pub(crate) use audit_columns;

/// How many they are.
pub(crate) const AUDIT_COLUMNS: usize = 9;

/// The place of an entry in the chain, and the hash over it and those before.
#[derive(Clone, Copy, Default)]
pub(crate) struct Link {
    pub(crate) sequence: u64,
    pub(crate) hash: [u8; 32],
}

impl Link {
    /// That of the entry which follows.
    pub(crate) fn next(self, event: &AuditEvent) -> Self {
        let sequence = self.sequence + 1;
        Self { sequence, hash: AuditEntry::hash_of(&self.hash, sequence, &event.mac) }
    }
}

/// What is bound for [`audit_columns`].
pub(crate) fn row<'v>(
    event: &'v AuditEvent,
    link: &'v Link,
) -> Result<[Value<'v>; AUDIT_COLUMNS], Unreadable> {
    Ok(values![
        number(link.sequence)?,
        event.id.0,
        event.at,
        &event.action,
        &event.actor,
        &event.target,
        &event.details,
        &event.mac,
        &link.hash,
    ])
}

/// Reads the columns `sequence` and `hash`.
pub(crate) fn link(columns: &mut Columns<'_>) -> Result<Link, Unreadable> {
    Ok(Link { sequence: columns.value()?, hash: columns.value()? })
}

/// Reads [`audit_columns`].
pub(crate) fn entry(columns: &mut Columns<'_>) -> Result<AuditEntry, Unreadable> {
    Ok(AuditEntry {
        sequence: columns.value()?,
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
