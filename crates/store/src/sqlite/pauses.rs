//! Integrations whose client is refused: the table `integration_pause`.

use grantor_core::model::Pause;
use rusqlite::params;

use super::fault::Fault;
use super::rows::{Columns, Db};

/// Pauses an integration, or changes its pause.
pub(super) fn put(db: &Db<'_>, pause: &Pause) -> Result<(), Fault> {
    db.run(
        "INSERT OR REPLACE INTO integration_pause (integration, error, detail, fingerprint, since,
            next_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            pause.integration,
            pause.error,
            pause.detail,
            pause.fingerprint,
            pause.since.epoch(),
            pause.next_at.epoch(),
        ],
    )?;
    Ok(())
}

/// Ends a pause; `false` when there was none.
pub(super) fn remove(db: &Db<'_>, integration: &str) -> Result<bool, Fault> {
    Ok(db.run("DELETE FROM integration_pause WHERE integration = ?1", [integration])? == 1)
}

pub(super) fn list(db: &Db<'_>) -> Result<Vec<Pause>, Fault> {
    db.all(
        "SELECT integration, error, detail, fingerprint, since, next_at
         FROM integration_pause ORDER BY integration",
        (),
        pause,
    )
}

fn pause(columns: &mut Columns<'_>) -> Result<Pause, Fault> {
    Ok(Pause {
        integration: columns.value()?,
        error: columns.value()?,
        detail: columns.value()?,
        fingerprint: columns.value()?,
        since: columns.time()?,
        next_at: columns.time()?,
    })
}
