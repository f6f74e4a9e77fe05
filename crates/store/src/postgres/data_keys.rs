//! Wrapped data keys, found by the key-encryption key that wraps them: columns of `credential`.

use grantor_core::id::ConnectionId;
use grantor_core::store::WrappedDataKey;

use super::fault::Fault;
use super::rows::{Db, transposed};
use crate::columns::{Columns, Unreadable, single, values};

/// How many data keys each key-encryption key wraps.
pub(super) async fn uses(db: Db<'_>) -> Result<Vec<([u8; 8], u64)>, Fault> {
    let count = "SELECT key_id, count(*) FROM credential GROUP BY key_id ORDER BY key_id";
    db.all(count, &[], |columns| Ok((columns.value()?, columns.value()?))).await
}

/// The next data keys that other keys wrap.
pub(super) async fn not_under(
    db: Db<'_>,
    key_id: &[u8; 8],
    after: Option<ConnectionId>,
    limit: u32,
) -> Result<Vec<WrappedDataKey>, Fault> {
    let mut found = Vec::new();
    for other in other_keys(db, key_id).await? {
        let after = after.as_ref().map_or(&[][..], |id| id.0.as_bytes());
        let next = "SELECT k.connection_id, c.integration, k.data_key
            FROM credential k JOIN connection c ON c.id = k.connection_id
            WHERE k.key_id = $1 AND k.connection_id > $2 ORDER BY k.connection_id LIMIT $3";
        found.extend(db.all(next, &values![&other, after, limit], data_key).await?);
    }
    found.sort_by_key(|key| key.connection);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The keys that wrap data keys, but for `key_id`: each is looked up after the one before.
async fn other_keys(db: Db<'_>, key_id: &[u8; 8]) -> Result<Vec<[u8; 8]>, Fault> {
    let next = "SELECT key_id FROM credential WHERE key_id > $1 ORDER BY key_id LIMIT 1";
    let mut others = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while let Some(key) = db.one(next, &values![&last], single::<[u8; 8]>).await? {
        last = key.to_vec();
        if key != *key_id {
            others.push(key);
        }
    }
    Ok(others)
}

/// Replaces data keys that are still what was read; says how many.
pub(super) async fn rewrap(db: Db<'_>, keys: &[(WrappedDataKey, Vec<u8>)]) -> Result<u32, Fault> {
    let rows = keys
        .iter()
        .map(|(before, data_key)| values![before.connection.0, &before.data_key, data_key]);
    let replaced = db
        .run(
            "UPDATE credential k SET data_key = new.data_key
             FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS new (id, before, data_key)
             WHERE k.connection_id = new.id AND k.data_key = new.before",
            &transposed(rows.collect()),
        )
        .await?;
    Ok(u32::try_from(replaced).unwrap_or(u32::MAX))
}

fn data_key(columns: &mut Columns<'_>) -> Result<WrappedDataKey, Unreadable> {
    Ok(WrappedDataKey {
        connection: ConnectionId(columns.id()?),
        integration: columns.value()?,
        data_key: columns.value()?,
    })
}
