//! The whole file, carried to another store or from one: every record as it is.
//!
//! `PRAGMA user_version` is 1 while the file is the half of a copy.

use async_trait::async_trait;
use grantor_core::store::StoreError;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::Sqlite;
use super::fault::Fault;
use super::open;
use super::rows::Db;
use crate::columns::single;
use crate::transfer::{Column, Record, Snapshot, Source, Table, Transfer, Value, cells};

/// Pages of the file that a reader of everything keeps, in KiB: it reads each only once.
const CACHE_KIB: u32 = 1_024;

#[async_trait]
impl Source for Sqlite {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        let connection = open::reader(&self.path, &self.options, CACHE_KIB);
        let begun = connection.and_then(|connection| {
            // A read transaction begins with its first read.
            connection.execute_batch("BEGIN; SELECT 1 FROM schema_migration")?;
            Ok(Reading { connection, last: None })
        });
        Ok(Box::new(begun.map_err(|fault| open::explain(&self.path, &fault))?))
    }
}

#[async_trait]
impl Transfer for Sqlite {
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.write_cached(move |db| records.iter().try_for_each(|record| put(db, record))).await
    }

    async fn remove(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.write_cached(move |db| records.iter().try_for_each(|record| delete(db, record))).await
    }

    async fn is_half(&self) -> Result<bool, StoreError> {
        let version = self.read(|db| db.one("PRAGMA user_version", (), single::<i64>))?;
        Ok(version != Some(0))
    }

    async fn set_half(&self, half: bool) -> Result<(), StoreError> {
        let half = i64::from(half);
        self.write(move |db| Ok(db.0.pragma_update(None, "user_version", half)?)).await
    }
}

/// One read transaction, in which everything is as it was when it began.
struct Reading {
    connection: Connection,
    /// Where it is.
    last: Option<(Table, Vec<Value>)>,
}

#[async_trait]
impl Snapshot for Reading {
    async fn count(&mut self, table: Table) -> Result<u64, StoreError> {
        let count = format!("SELECT count(*) FROM {}", table.name());
        let count = self.connection.query_row(&count, (), |row| row.get::<_, i64>(0));
        let count = count.map_err(|error| Fault::Sql(error).told())?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError> {
        let page = self.page(table, limit).map_err(|fault| fault.told())?;
        let page = page.into_iter().map(|values| Record::new(table, values));
        let page: Vec<_> = page.collect::<Result<_, _>>()?;
        if let Some(last) = page.last() {
            self.last = Some((table, last.key().to_vec()));
        }
        Ok(page)
    }
}

impl Reading {
    fn page(&self, table: Table, limit: usize) -> Result<Vec<Vec<Value>>, Fault> {
        let after = self.last.as_ref().filter(|(own, _)| *own == table).map(|(_, key)| key);
        let mut statement =
            self.connection.prepare_cached(&select(table, after.is_some(), limit))?;
        let after = params_from_iter(after.into_iter().flatten());
        let mut rows = statement.query(after)?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            page.push(cells(row, table)?);
        }
        Ok(page)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn select(table: Table, further: bool, limit: usize) -> String {
    // A credential is found by the number of its connection, and so read in the order of those.
    let (from, key) = match table == Table::Credential {
        true => (
            "(SELECT number, id FROM connection) CROSS JOIN credential USING (number)",
            "id".to_owned(),
        ),
        false => (table.name(), list(table.key(), sql_name)),
    };
    let columns = list(table.columns(), sql_name);
    let places = list(table.key(), |_| "?");
    let after = if further { format!("WHERE ({key}) > ({places})") } else { String::new() };
    format!("SELECT {columns} FROM {from} {after} ORDER BY {key} LIMIT {limit}")
}

/// The name of a column here: what counts the signing keys is the number of the row.
fn sql_name(column: &Column) -> &'static str {
    if column.name == "place" { "rowid" } else { column.name }
}

fn list(columns: &[Column], each: impl Fn(&Column) -> &'static str) -> String {
    columns.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn put(db: &Db<'_>, record: &Record) -> Result<(), Fault> {
    if record.table == Table::AuditEvent {
        return put_entry(db, record);
    }
    if record.table == Table::Credential {
        return put_credential(db, record);
    }
    run(db, &upsert(record.table), &record.values).map(drop)
}

fn upsert(table: Table) -> String {
    let columns = list(table.columns(), sql_name);
    let places = list(table.columns(), |_| "?");
    let (name, key) = (table.name(), list(table.key(), sql_name));
    let set = set(&table.columns()[table.key_columns()..]);
    format!(
        "INSERT INTO {name} ({columns}) VALUES ({places}) ON CONFLICT ({key}) DO UPDATE SET {set}"
    )
}

fn set(columns: &[Column]) -> String {
    let one = |column: &Column| format!("{0} = excluded.{0}", sql_name(column));
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// An entry that is there as it is, is left alone: the table refuses it a second time.
fn put_entry(db: &Db<'_>, record: &Record) -> Result<(), Fault> {
    let table = record.table;
    let columns = list(table.columns(), sql_name);
    let places = list(table.columns(), |_| "?");
    let there = format!("SELECT 1 FROM audit_event WHERE ({columns}) = ({places})");
    let mut there = db.0.prepare_cached(&there)?;
    if there.exists(params_from_iter(&record.values))? {
        return Ok(());
    }
    run(db, &format!("INSERT INTO audit_event ({columns}) VALUES ({places})"), &record.values)
        .map(drop)
}

fn put_credential(db: &Db<'_>, record: &Record) -> Result<(), Fault> {
    let columns = record.table.columns();
    let places: Vec<_> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let sql = format!(
        "INSERT INTO credential (number, {}) SELECT number, {} FROM connection WHERE id = ?1
         ON CONFLICT (number) DO UPDATE SET {}",
        list(columns, sql_name),
        places.join(", "),
        set(columns),
    );
    match run(db, &sql, &record.values)? {
        0 => Err(Fault::Record("a credential of a connection that is not there".to_owned())),
        _ => Ok(()),
    }
}

/// With a connection its credential goes, which could not be found any more.
fn delete(db: &Db<'_>, record: &Record) -> Result<(), Fault> {
    let credential =
        "DELETE FROM credential WHERE number = (SELECT number FROM connection WHERE id = ?1)";
    let (own, key) = (record.table, record.key());
    if matches!(own, Table::Connection | Table::Credential) {
        run(db, credential, key)?;
    }
    if own == Table::Credential {
        return Ok(());
    }
    let (columns, places) = (list(own.key(), sql_name), list(own.key(), |_| "?"));
    run(db, &format!("DELETE FROM {} WHERE ({columns}) = ({places})", own.name()), key).map(drop)
}

fn run(db: &Db<'_>, sql: &str, values: &[Value]) -> Result<usize, Fault> {
    Ok(db.0.prepare_cached(sql)?.execute(params_from_iter(values))?)
}
