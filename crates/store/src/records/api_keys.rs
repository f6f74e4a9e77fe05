//! API keys of services: the rows of `api_key`.

use grantor_core::model::{ApiKey, PreviousSecret};

use crate::columns::{Columns, Unreadable, Value, json_column, values};

/// The columns of an API key, those of the table that is named: `""`, or `"x."`.
macro_rules! api_key_columns {
    ($of:literal) => {
        crate::columns::listed!(
            $of:
            id, service, digest, previous_digest, previous_until, rights,
            created_at, expires_at, revoked_at, last_used_at
        )
    };
}
pub(crate) use api_key_columns;

/// What is bound for [`api_key_columns`].
pub(crate) fn row(key: &ApiKey) -> Result<[Value<'_>; 10], Unreadable> {
    let previous = key.previous.as_ref();
    Ok(values![
        &key.id,
        &key.service,
        key.digest,
        previous.map(|previous| previous.digest),
        previous.map(|previous| previous.until),
        json_column(&key.rights)?,
        key.created_at,
        key.expires_at,
        key.revoked_at,
        key.last_used_at,
    ])
}

/// What is bound for the key that replaces another one: `id`, `service`, `digest`,
/// `previous_digest`, `previous_until`, `rights`, `expires_at` and `revoked_at`.
pub(crate) fn changes<'v>(id: &'v str, key: &'v ApiKey) -> Result<[Value<'v>; 8], Unreadable> {
    let previous = key.previous.as_ref();
    Ok(values![
        id,
        &key.service,
        key.digest,
        previous.map(|previous| previous.digest),
        previous.map(|previous| previous.until),
        json_column(&key.rights)?,
        key.expires_at,
        key.revoked_at,
    ])
}

/// Whether a key is as it was read, but for its last use.
pub(crate) fn is_still(there: Option<ApiKey>, before: &ApiKey) -> bool {
    there.is_some_and(|there| ApiKey { last_used_at: before.last_used_at, ..there } == *before)
}

/// Reads [`api_key_columns`].
pub(crate) fn key(columns: &mut Columns<'_>) -> Result<ApiKey, Unreadable> {
    Ok(ApiKey {
        id: columns.value()?,
        service: columns.value()?,
        digest: columns.digest()?,
        previous: columns.optional(2, |columns| {
            Ok(PreviousSecret { digest: columns.digest()?, until: columns.time()? })
        })?,
        rights: columns.json()?,
        created_at: columns.time()?,
        expires_at: columns.optional_time()?,
        revoked_at: columns.optional_time()?,
        last_used_at: columns.optional_time()?,
    })
}
