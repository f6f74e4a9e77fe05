//! Integrations whose client is refused: the rows of `integration_pause`.

use grantor_core::model::Pause;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a pause, those of the table that is named: `""`, or `"x."`.
macro_rules! pause_columns {
    ($of:literal) => {
        crate::columns::listed!($of: integration, error, detail, fingerprint, since, next_at)
    };
}
pub(crate) use pause_columns;

/// What is bound for [`pause_columns`].
pub(crate) fn row(pause: &Pause) -> [Value<'_>; 6] {
    values![
        &pause.integration,
        &pause.error,
        &pause.detail,
        &pause.fingerprint,
        pause.since,
        pause.next_at,
    ]
}

/// Reads [`pause_columns`].
pub(crate) fn pause(columns: &mut Columns<'_>) -> Result<Pause, Unreadable> {
    Ok(Pause {
        integration: columns.value()?,
        error: columns.value()?,
        detail: columns.value()?,
        fingerprint: columns.value()?,
        since: columns.time()?,
        next_at: columns.time()?,
    })
}
