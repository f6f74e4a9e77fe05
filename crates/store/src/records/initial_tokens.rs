//! Initial access tokens: the rows of `initial_access_token`.

use grantor_core::id::InitialTokenId;
use grantor_core::model::InitialToken;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of an initial access token, those of the table that is named: `""`, or `"x."`.
macro_rules! initial_token_columns {
    ($of:literal) => {
        crate::columns::listed!($of: id, digest, note, uses_left, created_at, expires_at)
    };
}
pub(crate) use initial_token_columns;

/// What is bound for [`initial_token_columns`].
pub(crate) fn row(token: &InitialToken) -> [Value<'_>; 6] {
    values![
        token.id.0,
        token.digest,
        &token.note,
        token.uses_left,
        token.created_at,
        token.expires_at,
    ]
}

/// Reads [`initial_token_columns`].
pub(crate) fn token(columns: &mut Columns<'_>) -> Result<InitialToken, Unreadable> {
    Ok(InitialToken {
        id: InitialTokenId(columns.id()?),
        digest: columns.digest()?,
        note: columns.value()?,
        uses_left: columns.value()?,
        created_at: columns.time()?,
        expires_at: columns.time()?,
    })
}
