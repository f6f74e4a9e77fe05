//! What is written together with a change.

use grantor_core::store::Recorded;

use super::fault::Fault;
use super::rows::Db;
use super::{audit, notices};

/// Adds the entries to the audit log and queues the webhooks.
pub(super) fn write(db: &Db<'_>, recorded: &Recorded) -> Result<(), Fault> {
    audit::append(db, &recorded.audit)?;
    recorded.notices.iter().try_for_each(|notice| notices::insert(db, notice))
}
