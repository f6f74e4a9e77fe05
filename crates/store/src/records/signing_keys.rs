//! Signing keys, sealed: the rows of `signing_key`.

use grantor_core::model::SealedSigningKey;

use super::clients::algorithm;
use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a signing key, those of the table that is named: `""`, or `"x."`.
macro_rules! signing_key_columns {
    ($of:literal) => {
        crate::columns::listed!($of: kid, algorithm, sealed, created_at, active_from, retires_at)
    };
}
pub(crate) use signing_key_columns;

/// What is bound for [`signing_key_columns`].
pub(crate) fn row(key: &SealedSigningKey) -> [Value<'_>; 6] {
    values![
        &key.kid,
        key.algorithm.as_str(),
        &key.sealed,
        key.created_at,
        key.active_from,
        key.retires_at,
    ]
}

/// Reads [`signing_key_columns`].
pub(crate) fn key(columns: &mut Columns<'_>) -> Result<SealedSigningKey, Unreadable> {
    Ok(SealedSigningKey {
        kid: columns.value()?,
        algorithm: algorithm(columns)?,
        sealed: columns.value()?,
        created_at: columns.time()?,
        active_from: columns.time()?,
        retires_at: columns.optional_time()?,
    })
}
