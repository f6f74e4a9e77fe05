//! Integrations whose client is refused: the table `integration_pause`.

use grantor_core::model::Pause;

use super::fault::Fault;
use super::rows::{Db, bound};
use crate::records::pauses::{pause, pause_columns, row};

/// Pauses an integration, or changes its pause.
pub(super) fn put(db: &Db<'_>, pause: &Pause) -> Result<(), Fault> {
    db.run(
        concat!(
            "INSERT OR REPLACE INTO integration_pause (",
            pause_columns!(""),
            ")
             VALUES (?, ?, ?, ?, ?, ?)"
        ),
        bound(row(pause)),
    )?;
    Ok(())
}

/// Ends a pause; `false` when there was none.
pub(super) fn remove(db: &Db<'_>, integration: &str) -> Result<bool, Fault> {
    Ok(db.run("DELETE FROM integration_pause WHERE integration = ?1", [integration])? == 1)
}

pub(super) fn list(db: &Db<'_>) -> Result<Vec<Pause>, Fault> {
    db.all(
        concat!("SELECT ", pause_columns!(""), " FROM integration_pause ORDER BY integration"),
        (),
        pause,
    )
}
