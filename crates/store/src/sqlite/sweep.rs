//! Removes what nothing can use any more.
//!
//! Hot tables have no index by expiry. Each sweep looks at one slice of each table, in the order of
//! its key, and goes on from there the next time; live rows are passed over on a reader, and only
//! dead ones reach the writer, in small groups.

use std::sync::{Mutex, PoisonError};

use grantor_core::store::StoreError;
use grantor_core::time::Timestamp;
use rusqlite::params;
use rusqlite::types::Value;

use super::Sqlite;
use crate::columns::{Cell, Columns, Unreadable};
use crate::sweep::{self, GROUP};

/// A kind of row: how to walk its table from a key, and how to remove one if it is still dead.
struct Kind {
    walk: &'static str,
    remove: &'static str,
}

macro_rules! kind {
    ($table:literal, $key:literal, dead: $dead:literal) => {
        Kind {
            walk: concat!(
                "SELECT ",
                $key,
                ", ",
                $dead,
                " FROM ",
                $table,
                " WHERE ",
                $key,
                " > ?2 ORDER BY ",
                $key,
                " LIMIT ?3"
            ),
            remove: concat!("DELETE FROM ", $table, " WHERE ", $key, " = ?2 AND ", $dead),
        }
    };
}

/// `?1` is the present moment. A code that was redeemed is kept for an hour, to notice a replay,
/// and so is a device's; a revoked family for a day, for whoever looks into it; an attempt for as
/// long as it counts towards the limit of its address. A webhook that nobody has given up for a month
/// is for an endpoint that is not configured any more.
const KINDS: [Kind; 18] = [
    kind!("access_token", "id", dead: "expires_at <= ?1"),
    kind!("token_family", "id",
        dead: "(expires_at <= ?1 OR coalesce(revoked_at, ?1) <= ?1 - 86400)"),
    kind!("authorization_code", "id",
        dead: "expires_at + iif(redeemed_as IS NULL, 0, 3600) <= ?1"),
    kind!("revoked_token", "id", dead: "expires_at <= ?1"),
    kind!("used_once", "id", dead: "expires_at <= ?1"),
    kind!("device_authorization", "rowid",
        dead: "expires_at + iif(redeemed_as IS NULL, 0, 3600) <= ?1"),
    kind!("pending_request", "rowid", dead: "expires_at <= ?1"),
    kind!("external_sign_in", "rowid", dead: "expires_at <= ?1"),
    kind!("rate_limit", "key", dead: "whole_at <= ?1 * 1000"),
    kind!("removed_client", "rowid", dead: "removed_at + 60 <= ?1"),
    kind!("initial_access_token", "rowid", dead: "expires_at <= ?1"),
    kind!("session", "rowid", dead: "min(idle_expires_at, expires_at) <= ?1"),
    kind!("sign_in_attempt", "rowid", dead: "max(expires_at, created_at + 3600) <= ?1"),
    kind!("outbox_mail", "rowid", dead: "expires_at <= ?1"),
    kind!("connect_session", "rowid", dead: "expires_at <= ?1"),
    kind!("webhook_notice", "rowid", dead: "expires_at <= ?1 - 2592000"),
    kind!("refresh_attempt", "connection_id", dead: "leased_until <= ?1
        AND NOT EXISTS (SELECT 1 FROM connection WHERE id = connection_id)"),
    kind!("signing_key", "rowid", dead: "coalesce(retires_at, ?1 + 1) <= ?1"),
];

/// Before every key: in SQLite's order, numbers come before bytes.
const START: Value = Value::Integer(i64::MIN);

/// Where the next sweep goes on, for each of [`KINDS`].
pub(super) struct Sweeper(Mutex<[Value; KINDS.len()]>);

impl Default for Sweeper {
    fn default() -> Self {
        Self(Mutex::new([START; KINDS.len()]))
    }
}

impl Sweeper {
    pub(super) async fn sweep(
        &self,
        store: &Sqlite,
        now: Timestamp,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let mut removed = 0;
        for (place, kind) in KINDS.iter().enumerate() {
            let dead = self.walk(store, place, now, limit)?;
            for group in dead.chunks(GROUP) {
                removed += remove(store, kind, group.to_vec(), now).await?;
            }
        }
        Ok(removed)
    }

    /// The dead rows of the next slice, `limit` at most; moves on behind the last one looked at.
    fn walk(
        &self,
        store: &Sqlite,
        place: usize,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Value>, StoreError> {
        let slice = sweep::slice(limit);
        let from = self.cursors()[place].clone();
        let rows = store.read(|db| {
            db.all(KINDS[place].walk, params![now.epoch(), from, slice], |columns| {
                Ok((key(columns)?, columns.value::<bool>()?))
            })
        })?;
        let (dead, cursor) = sweep::divide(rows, slice, limit, &START);
        self.cursors()[place] = cursor;
        Ok(dead)
    }

    fn cursors(&self) -> std::sync::MutexGuard<'_, [Value; KINDS.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(columns: &mut Columns<'_>) -> Result<Value, Unreadable> {
    Ok(match columns.cell()? {
        Cell::Integer(number) => Value::Integer(number),
        Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
        other => return Err(Unreadable(format!("not a key: {other:?}"))),
    })
}

async fn remove(
    store: &Sqlite,
    kind: &'static Kind,
    keys: Vec<Value>,
    now: Timestamp,
) -> Result<u32, StoreError> {
    store
        .write(move |db| {
            let mut removed = 0;
            for key in &keys {
                // Dead still: a family may have been used since.
                removed += db.run(kind.remove, params![now.epoch(), key])?;
            }
            Ok(u32::try_from(removed).unwrap_or(u32::MAX))
        })
        .await
}
