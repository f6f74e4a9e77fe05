//! Brings the schema up to date: numbered steps, forward only, each remembered with a checksum.

use std::path::Path;

use grantor_core::store::StoreError;
use rusqlite::{Connection, params};

use super::fault::Fault;
use super::open;
use super::rows::Db;
use crate::columns::single;
use crate::migrations::{self, Applied, Step};

const STEPS: &[Step] = &[
    Step { name: "initial", sql: include_str!("../migrations/sqlite/0001_initial.sql") },
    Step { name: "token_api", sql: include_str!("../migrations/sqlite/0002_token_api.sql") },
    Step { name: "vault", sql: include_str!("../migrations/sqlite/0003_vault.sql") },
    Step { name: "rate_limit", sql: include_str!("../migrations/sqlite/0004_rate_limit.sql") },
];

/// Marks the file as ours ("GRNT"), so that no other program's database is taken for one.
const APPLICATION_ID: i64 = 0x4752_4e54;
const OWN_ID: &str = "PRAGMA application_id";

/// Applies the steps that are missing. Of several processes that start at once, one does.
pub(super) fn run(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let db = Db(connection);
    let explain = |fault: Fault| open::explain(path, &fault);
    refuse_foreign(&db, path)?;
    if check(&applied(&db).map_err(explain)?, path)? == STEPS.len() {
        return Ok(());
    }
    db.run("BEGIN IMMEDIATE", ()).map_err(explain)?;
    let done = apply_missing(&db, path);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = db.run(end, ()).map_err(explain);
    done.and(ended.map(drop))
}

/// Whether there are tables of ours; refuses those that are not up to date.
pub(super) fn is_there(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let db = Db(connection);
    refuse_foreign(&db, path)?;
    let known = check(&applied(&db).map_err(|fault| open::explain(path, &fault))?, path)?;
    if known == 0 || known == STEPS.len() {
        return Ok(known > 0);
    }
    Err(migrations::not_up_to_date(&path.display().to_string(), known, STEPS.len()))
}

fn apply_missing(db: &Db<'_>, path: &Path) -> Result<(), StoreError> {
    let explain = |fault: Fault| open::explain(path, &fault);
    // Again under the lock: another process may just have done it.
    let known = check(&applied(db).map_err(explain)?, path)?;
    for (place, step) in STEPS.iter().enumerate().skip(known) {
        apply(db, place + 1, step).map_err(explain)?;
    }
    Ok(())
}

fn apply(db: &Db<'_>, version: usize, step: &Step) -> Result<(), Fault> {
    if version == 1 {
        db.0.pragma_update(None, "application_id", APPLICATION_ID)?;
        db.0.execute_batch(
            "CREATE TABLE schema_migration (
                version    INTEGER NOT NULL PRIMARY KEY,
                name       TEXT    NOT NULL,
                checksum   BLOB    NOT NULL,
                applied_at INTEGER NOT NULL
            ) STRICT",
        )?;
    }
    db.0.execute_batch(step.sql)?;
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    db.run(
        "INSERT INTO schema_migration (version, name, checksum, applied_at)
         VALUES (?1, ?2, ?3, unixepoch())",
        params![version, step.name, step.checksum().as_bytes()],
    )?;
    Ok(())
}

/// How many of our steps the file has; refuses one that has others.
fn check(applied: &[Applied], path: &Path) -> Result<usize, StoreError> {
    migrations::check(STEPS, applied, &path.display().to_string())
}

fn applied(db: &Db<'_>) -> Result<Vec<Applied>, Fault> {
    let there = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'";
    if db.one(there, (), |_| Ok(()))?.is_none() {
        return Ok(Vec::new());
    }
    db.all("SELECT version, checksum FROM schema_migration ORDER BY version", (), |columns| {
        // One process uses the file at a time, as a rule: no step was made for those before.
        let version = columns.value()?;
        Ok(Applied { version, checksum: columns.digest()?, works_from: version })
    })
}

fn refuse_foreign(db: &Db<'_>, path: &Path) -> Result<(), StoreError> {
    // In this order: another process may be making the tables right now, with the id.
    let found = db
        .one("SELECT count(*) FROM sqlite_schema", (), single::<i64>)
        .and_then(|tables| Ok((tables, db.one(OWN_ID, (), single::<i64>)?)));
    match found.map_err(|fault| open::explain(path, &fault))? {
        (Some(0) | None, _) | (_, Some(APPLICATION_ID)) => Ok(()),
        _ => Err(StoreError::Corrupt(format!(
            "{} is a SQLite database of another program. Name another file.",
            path.display(),
        ))),
    }
}
