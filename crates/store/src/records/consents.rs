//! Remembered consents: the rows of `consent`.

use grantor_core::id::UserId;
use grantor_core::model::Consent;

use crate::columns::{Columns, Unreadable, Value, values};

/// The columns of a consent, those of the table that is named: `""`, or `"x."`.
macro_rules! consent_columns {
    ($of:literal) => {
        crate::columns::listed!($of: user_id, client_id, scope, created_at, updated_at)
    };
}
pub(crate) use consent_columns;

/// How many they are.
pub(crate) const CONSENT_COLUMNS: usize = 5;

/// What is bound for [`consent_columns`].
pub(crate) fn row(consent: &Consent) -> [Value<'_>; CONSENT_COLUMNS] {
    values![
        consent.user.0,
        &consent.client_id,
        consent.scope.as_str(),
        consent.created_at,
        consent.updated_at,
    ]
}

/// Reads [`consent_columns`]
pub(crate) fn consent(columns: &mut Columns<'_>) -> Result<Consent, Unreadable> {
    Ok(Consent {
        user: UserId(columns.id()?),
        client_id: columns.value()?,
        scope: columns.scope()?,
        created_at: columns.time()?,
        updated_at: columns.time()?,
    })
}
