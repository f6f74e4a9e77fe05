//! Integrations whose client is refused: the table `integration_pause`.

use grantor_core::model::Pause;

use super::fault::Fault;
use super::rows::Db;
use crate::columns::values;
use crate::records::pauses::{pause, pause_columns, row};

const PUT: &str = concat!(
    "INSERT INTO integration_pause (",
    pause_columns!(""),
    ") VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (integration) DO UPDATE
     SET error = excluded.error, detail = excluded.detail, fingerprint = excluded.fingerprint,
         since = excluded.since, next_at = excluded.next_at"
);

/// Pauses an integration, or changes its pause.
pub(super) async fn put(db: Db<'_>, pause: &Pause) -> Result<(), Fault> {
    db.run(PUT, &row(pause)).await.map(drop)
}

/// Ends a pause; `false` when there was none.
pub(super) async fn remove(db: Db<'_>, integration: &str) -> Result<bool, Fault> {
    let remove = "DELETE FROM integration_pause WHERE integration = $1";
    Ok(db.run(remove, &values![integration]).await? == 1)
}

pub(super) async fn list(db: Db<'_>) -> Result<Vec<Pause>, Fault> {
    let all = concat!("SELECT ", pause_columns!(""), " FROM integration_pause");
    let mut pauses = db.all(all, &[], pause).await?;
    // Byte by byte, which is not the order of every database.
    pauses.sort_by(|a, b| a.integration.cmp(&b.integration));
    Ok(pauses)
}
