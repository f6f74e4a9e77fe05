//! Removes what nothing can use any more.
//!
//! Hot tables have no index by expiry. Each sweep looks at one slice of each table, in the order of
//! its key, and goes on from there the next time; only dead rows are locked, in small groups. Nodes
//! sweep each for itself.

use std::sync::{Mutex, MutexGuard, PoisonError};

use grantor_core::store::StoreError;
use grantor_core::time::Timestamp;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{Cell, Columns, Unreadable, Value, values};
use crate::sweep::{self, GROUP};

/// A kind of row: how to walk its table from a key, and how to remove those that are dead still.
struct Kind {
    walk: &'static str,
    remove: &'static str,
    /// Before every key.
    start: Key,
}

/// What a row is found by.
#[derive(Clone, Debug)]
enum Key {
    Bytes(Vec<u8>),
    Text(String),
}

macro_rules! kind {
    ($table:literal, $key:literal, $start:expr, dead: $dead:literal) => {
        Kind {
            walk: concat!(
                "SELECT ",
                $key,
                ", coalesce(",
                $dead,
                ", false) FROM ",
                $table,
                " WHERE ",
                $key,
                " > $2 ORDER BY ",
                $key,
                " LIMIT $3"
            ),
            remove: concat!("DELETE FROM ", $table, " WHERE ", $key, " = ANY ($2) AND ", $dead),
            start: $start,
        }
    };
}

const HOW_MANY: usize = 18;

const ID: Key = Key::Bytes(Vec::new());
const NAME: Key = Key::Text(String::new());

/// `$1` is the present moment. A code that was redeemed is kept for an hour, to notice a replay,
/// and so is a device's; a revoked family for a day, for whoever looks into it; an attempt for as
/// long as it counts towards the limit of its address. A webhook that nobody has given up for a month
/// is for an endpoint that is not configured any more.
static KINDS: [Kind; HOW_MANY] = [
    kind!("access_token", "id", ID, dead: "expires_at <= $1"),
    kind!("token_family", "id", ID,
        dead: "(expires_at <= $1 OR revoked_at + 86400 <= $1)"),
    kind!("authorization_code", "id", ID,
        dead: "expires_at + CASE WHEN redeemed_as IS NULL THEN 0 ELSE 3600 END <= $1"),
    kind!("revoked_token", "id", ID, dead: "expires_at <= $1"),
    kind!("used_once", "id", ID, dead: "expires_at <= $1"),
    kind!("device_authorization", "id", ID,
        dead: "expires_at + CASE WHEN redeemed_as IS NULL THEN 0 ELSE 3600 END <= $1"),
    kind!("pending_request", "id", ID, dead: "expires_at <= $1"),
    kind!("external_sign_in", "id", ID, dead: "expires_at <= $1"),
    kind!("rate_limit", "key", ID, dead: "whole_at <= $1::bigint * 1000"),
    kind!("removed_client", "client_id", NAME, dead: "removed_at + 60 <= $1"),
    kind!("initial_access_token", "id", ID, dead: "expires_at <= $1"),
    kind!("session", "id", ID, dead: "least(idle_expires_at, expires_at) <= $1"),
    kind!("sign_in_attempt", "id", ID, dead: "greatest(expires_at, created_at + 3600) <= $1"),
    kind!("outbox_mail", "id", ID, dead: "expires_at <= $1"),
    kind!("connect_session", "id", ID, dead: "expires_at <= $1"),
    kind!("webhook_notice", "id", ID, dead: "expires_at + 2592000 <= $1"),
    kind!("refresh_attempt", "connection_id", ID, dead: "leased_until <= $1
        AND NOT EXISTS (SELECT 1 FROM connection WHERE id = refresh_attempt.connection_id)"),
    kind!("signing_key", "kid", NAME, dead: "retires_at <= $1"),
];

/// Where the next sweep goes on, for each of [`KINDS`].
pub(super) struct Sweeper(Mutex<[Key; HOW_MANY]>);

impl Default for Sweeper {
    fn default() -> Self {
        Self(Mutex::new(KINDS.each_ref().map(|kind| kind.start.clone())))
    }
}

impl Sweeper {
    pub(super) async fn sweep(
        &self,
        store: &Postgres,
        now: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let mut removed = 0;
        for (place, kind) in KINDS.iter().enumerate() {
            let dead = self.walk(store, place, now, limit).await?;
            for group in dead.chunks(GROUP) {
                let group = (kind.remove, group.to_vec(), now);
                removed += store
                    .write_one(group, |db, (sql, keys, now)| Box::pin(remove(db, sql, keys, *now)))
                    .await?;
            }
        }
        Ok(removed)
    }

    /// The dead rows of the next slice, `limit` at most; moves on behind the last one looked at.
    async fn walk(
        &self,
        store: &Postgres,
        place: usize,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Key>, StoreError> {
        let kind = &KINDS[place];
        let slice = sweep::slice(limit);
        let from = self.cursors()[place].clone();
        let rows = store
            .read((kind.walk, now, from, slice), |db, (sql, now, from, slice)| {
                Box::pin(async move {
                    let values = values![*now, from, *slice];
                    db.all(sql, &values, |columns| Ok((key(columns)?, columns.value()?))).await
                })
            })
            .await?;
        let (dead, cursor) = sweep::divide(rows, slice, limit, &kind.start);
        self.cursors()[place] = cursor;
        Ok(dead)
    }

    fn cursors(&self) -> MutexGuard<'_, [Key; HOW_MANY]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'v> From<&'v Key> for Value<'v> {
    fn from(key: &'v Key) -> Self {
        match key {
            Key::Bytes(bytes) => bytes.into(),
            Key::Text(text) => text.into(),
        }
    }
}

fn key(columns: &mut Columns<'_>) -> Result<Key, Unreadable> {
    match columns.cell()? {
        Cell::Bytes(bytes) => Ok(Key::Bytes(bytes.to_vec())),
        Cell::Text(text) => Ok(Key::Text(text.into_owned())),
        other => Err(Unreadable(format!("not a key: {other:?}"))),
    }
}

async fn remove(db: Db<'_>, sql: &str, keys: &[Key], now: Timestamp) -> Result<u32, Fault> {
    let keys: Vec<Value<'_>> = keys.iter().map(Value::from).collect();
    // Dead still: a family may have been used since.
    let removed = db.run(sql, &values![now, keys]).await?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}
