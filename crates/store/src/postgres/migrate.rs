//! Brings the schema up to date. A step adds what the next release needs, and takes away only what
//! the release before has stopped to use, so that both run side by side.

use grantor_core::store::StoreError;
use tokio_postgres::error::SqlState;

use super::connect::Connector;
use super::fault::{Fault, describe};
use super::rows::Db;
use crate::columns::values;
use crate::migrations::{Applied, Step, check, not_up_to_date};

const STEPS: [Step; 1] =
    [Step { name: "initial", sql: include_str!("../migrations/postgres/0001_initial.sql") }];

/// For each step, the oldest schema version whose Grantor can work with it.
const WORKS_FROM: [i64; STEPS.len()] = [1];

/// How often a node tries to make the first tables; others may do so at the same moment, which
/// Postgres does not take well.
const TRIES: u32 = 20;

/// What the lock and the steps are kept in.
const FIRST_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS store_lock (
        name    text   NOT NULL PRIMARY KEY,
        used_at bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS schema_migration (
        version    bigint NOT NULL PRIMARY KEY,
        name       text   NOT NULL,
        checksum   bytea  NOT NULL,
        works_from bigint NOT NULL,
        applied_at bigint NOT NULL
    );
    INSERT INTO store_lock (name, used_at) VALUES ('migration', 0) ON CONFLICT DO NOTHING";

/// Applies the steps that are missing. Of several nodes that start at once, one does.
pub(super) async fn run(db: Db<'_>, connector: &Connector) -> Result<(), StoreError> {
    let place = connector.place();
    let explain = |fault: Fault| explain(&fault, &place);
    if check(&STEPS, &applied(db).await.map_err(explain)?, &place)? == STEPS.len() {
        return Ok(());
    }
    first_tables(db).await.map_err(explain)?;
    // Steps take their time, and so does waiting for another node that makes them.
    execute(db, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'")
        .await
        .map_err(explain)?;
    let done = apply_missing(db, &place).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = execute(db, end).await.map_err(explain);
    done.and(ended)
}

/// Whether there are tables of ours; refuses those that are not up to date.
pub(super) async fn is_there(db: Db<'_>, connector: &Connector) -> Result<bool, StoreError> {
    let place = connector.place();
    let applied = applied(db).await.map_err(|fault| explain(&fault, &place))?;
    let known = check(&STEPS, &applied, &place)?;
    if known == 0 || known == STEPS.len() {
        return Ok(known > 0);
    }
    Err(not_up_to_date(&place, known, STEPS.len()))
}

async fn apply_missing(db: Db<'_>, place: &str) -> Result<(), StoreError> {
    let explain = |fault: Fault| explain(&fault, place);
    db.lock("migration").await.map_err(explain)?;
    // Again under the lock: another node may just have done it.
    let known = check(&STEPS, &applied(db).await.map_err(explain)?, place)?;
    for (at, step) in STEPS.iter().enumerate().skip(known) {
        apply(db, at, step).await.map_err(explain)?;
    }
    Ok(())
}

async fn apply(db: Db<'_>, at: usize, step: &Step) -> Result<(), Fault> {
    execute(db, step.sql).await?;
    let version = i64::try_from(at + 1).unwrap_or(i64::MAX);
    db.run(
        "INSERT INTO schema_migration (version, name, checksum, works_from, applied_at)
         VALUES ($1, $2, $3, $4, extract(epoch FROM current_timestamp)::bigint)",
        &values![version, step.name, step.checksum(), WORKS_FROM[at]],
    )
    .await?;
    Ok(())
}

async fn first_tables(db: Db<'_>) -> Result<(), Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match execute(db, FIRST_TABLES).await {
            Err(fault) if tries < TRIES && made_by_another(&fault) => {}
            done => return done,
        }
    }
}

/// `IF NOT EXISTS` looks first and makes then.
fn made_by_another(fault: &Fault) -> bool {
    let Fault::Sql(error) = fault else {
        return false;
    };
    let raced = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::DUPLICATE_TABLE,
        &SqlState::DUPLICATE_OBJECT,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::INTERNAL_ERROR,
    ];
    error.code().is_some_and(|state| raced.contains(&state))
}

async fn applied(db: Db<'_>) -> Result<Vec<Applied>, Fault> {
    let select = "SELECT version, checksum, works_from FROM schema_migration ORDER BY version";
    let applied = db.all(select, &[], |columns| {
        Ok(Applied {
            version: columns.value()?,
            checksum: columns.digest()?,
            works_from: columns.value()?,
        })
    });
    match applied.await {
        Err(Fault::Sql(error)) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
            Ok(Vec::new())
        }
        applied => applied,
    }
}

async fn execute(db: Db<'_>, sql: &str) -> Result<(), Fault> {
    Ok(db.0.batch_execute(sql).await?)
}

/// What a fault means for whoever starts the server.
fn explain(fault: &Fault, place: &str) -> StoreError {
    let Fault::Sql(error) = fault else {
        return fault.told();
    };
    let ours = [&SqlState::DUPLICATE_TABLE, &SqlState::UNDEFINED_COLUMN];
    if error.code().is_some_and(|state| ours.contains(&state)) {
        return StoreError::Corrupt(format!(
            "{place} has tables of another program ({}). Give Grantor a database or a schema of its \
             own.",
            describe(error),
        ));
    }
    match fault.told() {
        StoreError::Unavailable(text) => StoreError::Unavailable(format!("{place}: {text}")),
        StoreError::Corrupt(text) => StoreError::Corrupt(format!("{place}: {text}")),
    }
}
