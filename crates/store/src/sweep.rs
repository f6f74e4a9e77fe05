//! How a table is walked that has no index by expiry: a slice at a time, in the order of its key.

/// Rows looked at for each row that may be removed, and the most that are looked at in one go.
const LOOK: u32 = 8;
const MOST_LOOKED_AT: u32 = 4_096;

/// Rows removed in one write, so that others are not held up.
pub(crate) const GROUP: usize = 128;

/// How many rows are looked at where `limit` may be removed.
pub(crate) fn slice(limit: u32) -> u32 {
    limit.saturating_mul(LOOK).clamp(1, MOST_LOOKED_AT)
}

/// The keys of the rows that are dead, `limit` at most, and the key after which to go on: `start`
/// when the table was walked to its end.
pub(crate) fn divide<K: Clone>(
    rows: Vec<(K, bool)>,
    slice: u32,
    limit: u32,
    start: &K,
) -> (Vec<K>, K) {
    let whole = rows.len() < usize::try_from(slice).unwrap_or(usize::MAX);
    let mut dead = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while let Some((key, is_dead)) = rows.next() {
        if is_dead {
            dead.push(key.clone());
        }
        let full = dead.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        if full && rows.peek().is_some() || rows.peek().is_none() && !whole {
            return (dead, key);
        }
    }
    (dead, start.clone())
}
