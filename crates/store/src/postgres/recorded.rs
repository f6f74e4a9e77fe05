//! What is written together with a change.

use grantor_core::store::Recorded;

use super::fault::Fault;
use super::rows::Db;
use super::{audit, notices};

/// Adds the entries to the audit log and queues the webhooks. Comes last in a transaction: the log
/// is locked until its end.
pub(super) async fn write(db: Db<'_>, recorded: &Recorded) -> Result<(), Fault> {
    for notice in &recorded.notices {
        notices::insert(db, notice).await?;
    }
    audit::append(db, recorded.audit.iter()).await
}
