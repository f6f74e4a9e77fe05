//! Wrapped data keys, found by the key-encryption key that wraps them: columns of `credential`.

use grantor_core::id::ConnectionId;
use grantor_core::store::WrappedDataKey;
use rusqlite::params;

use super::fault::Fault;
use super::rows::{Db, bytes};
use crate::columns::{Columns, Unreadable, single};

/// How many data keys each key-encryption key wraps.
pub(super) fn uses(db: &Db<'_>) -> Result<Vec<([u8; 8], u64)>, Fault> {
    db.all(
        "SELECT key_id, count(*) FROM credential INDEXED BY credential_of_key
         GROUP BY key_id ORDER BY key_id",
        (),
        |columns| Ok((columns.value()?, columns.value()?)),
    )
}

/// The next data keys that other keys wrap.
pub(super) fn not_under(
    db: &Db<'_>,
    key_id: &[u8; 8],
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<WrappedDataKey>, Fault> {
    let mut found = Vec::new();
    for other in other_keys(db, key_id)? {
        let after = after.as_ref().map_or(&[][..], |id| bytes(&id.0));
        found.extend(db.all(
            "SELECT k.connection_id, c.integration, k.data_key
             FROM credential k INDEXED BY credential_of_key
             CROSS JOIN connection c ON c.number = k.number
             WHERE k.key_id = ?1 AND k.connection_id > ?2 ORDER BY k.connection_id LIMIT ?3",
            params![other, after, limit],
            data_key,
        )?);
    }
    found.sort_by_key(|key| key.connection);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The keys that wrap data keys, but for `key_id`: each is looked up after the one before.
fn other_keys(db: &Db<'_>, key_id: &[u8; 8]) -> Result<Vec<[u8; 8]>, Fault> {
    let next = "SELECT key_id FROM credential INDEXED BY credential_of_key
                WHERE key_id > ?1 ORDER BY key_id LIMIT 1";
    let mut others = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while let Some(key) = db.one(next, [&last], single::<[u8; 8]>)? {
        last = key.to_vec();
        if key != *key_id {
            others.push(key);
        }
    }
    Ok(others)
}

/// Replaces data keys that are still what was read; says how many.
pub(super) fn rewrap(db: &Db<'_>, keys: &[(WrappedDataKey, Vec<u8>)]) -> Result<u32, Fault> {
    let mut replaced = 0;
    for (before, data_key) in keys {
        replaced += db.run(
            "UPDATE credential SET data_key = ?3
             WHERE number = (SELECT number FROM connection WHERE id = ?1) AND data_key = ?2",
            params![bytes(&before.connection.0), before.data_key, data_key],
        )?;
    }
    Ok(u32::try_from(replaced).unwrap_or(u32::MAX))
}

fn data_key(columns: &mut Columns<'_>) -> Result<WrappedDataKey, Unreadable> {
    Ok(WrappedDataKey {
        connection: ConnectionId(columns.id()?),
        integration: columns.value()?,
        data_key: columns.value()?,
    })
}
