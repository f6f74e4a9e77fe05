//! The whole database, carried to another store or from one: every record as it is.
//!
//! While it is the half of a copy, `store_lock` has a row `half`.

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use grantor_core::store::StoreError;

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{self, values};
use crate::transfer::{
    Column, ColumnKind, Record, Snapshot, Source, Table, Transfer, Value, cells,
};

/// Reading everything takes as long as whoever reads it needs, page by page.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = 0";

#[async_trait]
impl Source for Postgres {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        let begun = async {
            let opened = self.connector.open(None).await?;
            let connection = ClientWrapper::new(opened.client, opened.task);
            connection.batch_execute(BEGIN).await?;
            Ok(Reading { connection, last: None })
        };
        Ok(Box::new(begun.await.map_err(|fault: Fault| fault.told())?))
    }
}

#[async_trait]
impl Transfer for Postgres {
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let cached = records.iter().any(|own| is_cached(own.table));
        match cached {
            true => self.write_cached(records, |db, records| Box::pin(put(db, records))).await,
            false => self.write(records, |db, records| Box::pin(put(db, records))).await,
        }
    }

    async fn remove(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.write_cached(records, |db, records| Box::pin(delete(db, records))).await
    }

    async fn is_half(&self) -> Result<bool, StoreError> {
        let half = "SELECT 1 FROM store_lock WHERE name = 'half'";
        Ok(self.look(half, &[], |_| Ok(())).await?.is_some())
    }

    async fn set_half(&self, half: bool) -> Result<(), StoreError> {
        self.write_one(half, |db, half| {
            Box::pin(async move {
                let sql = match half {
                    true => {
                        "INSERT INTO store_lock (name, used_at) VALUES ('half', 0)
                         ON CONFLICT DO NOTHING"
                    }
                    false => "DELETE FROM store_lock WHERE name = 'half'",
                };
                db.run(sql, &[]).await.map(drop)
            })
        })
        .await
    }
}

/// Whether nodes keep records of the table in memory.
const fn is_cached(table: Table) -> bool {
    matches!(table, Table::Client | Table::ApiKey)
}

/// One transaction, in which everything is as it was when it began.
struct Reading {
    connection: ClientWrapper,
    /// Where it is.
    last: Option<(Table, Vec<Value>)>,
}

#[async_trait]
impl Snapshot for Reading {
    async fn count(&mut self, table: Table) -> Result<u64, StoreError> {
        let count = format!("SELECT count(*) FROM {}", table.name());
        let counted = Db(&self.connection).one(&count, &[], columns::single::<u64>).await;
        Ok(counted.map_err(|fault| fault.told())?.unwrap_or(0))
    }

    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError> {
        let page = self.page(table, limit).await.map_err(|fault| fault.told())?;
        let page = page.into_iter().map(|values| Record::new(table, values));
        let page: Vec<_> = page.collect::<Result<_, _>>()?;
        if let Some(last) = page.last() {
            self.last = Some((table, last.key().to_vec()));
        }
        Ok(page)
    }
}

impl Reading {
    async fn page(&self, table: Table, limit: usize) -> Result<Vec<Vec<Value>>, Fault> {
        let after = self.last.as_ref().filter(|(own, _)| *own == table).map(|(_, key)| key);
        let sql = select(table, after.is_some(), limit);
        let after = after.into_iter().flatten().zip(table.key());
        let after: Vec<_> = after.map(|(value, column)| bound(value, column)).collect();
        let rows = Db(&self.connection).rows(&sql, &after).await?;
        Ok(rows.iter().map(|row| cells(row, table)).collect::<Result<_, _>>()?)
    }
}

fn bound<'v>(value: &'v Value, column: &Column) -> columns::Value<'v> {
    match value {
        Value::Null => columns::Value::Null,
        Value::Integer(value) if column.kind == ColumnKind::Flag => (*value != 0).into(),
        Value::Integer(value) => (*value).into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => bytes.into(),
    }
}

/// Text is ordered by its bytes, as everywhere else.
fn select(table: Table, further: bool, limit: usize) -> String {
    let ordered = |column: &Column| match column.kind {
        ColumnKind::Text => format!("{} COLLATE \"C\"", column.name),
        ColumnKind::Integer | ColumnKind::Flag | ColumnKind::Blob | ColumnKind::Id => {
            column.name.to_owned()
        }
    };
    let (name, columns) = (table.name(), list(table.columns(), |column| column.name.to_owned()));
    let key = list(table.key(), ordered);
    let after = match further {
        true => format!("WHERE ({key}) > ({})", places(table.key(), |_| "")),
        false => String::new(),
    };
    format!("SELECT {columns} FROM {name} {after} ORDER BY {key} LIMIT {limit}")
}

fn list(columns: &[Column], each: impl Fn(&Column) -> String) -> String {
    columns.iter().map(each).collect::<Vec<_>>().join(", ")
}

fn places(columns: &[Column], cast: fn(&Column) -> &'static str) -> String {
    let one = |(at, column): (usize, &Column)| format!("${}{}", at + 1, cast(column));
    columns.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

fn as_list(column: &Column) -> &'static str {
    match column.kind {
        ColumnKind::Integer => "::bigint[]",
        ColumnKind::Flag => "::boolean[]",
        ColumnKind::Text => "::text[]",
        ColumnKind::Blob | ColumnKind::Id => "::bytea[]",
    }
}

async fn put(db: Db<'_>, records: &[Record]) -> Result<(), Fault> {
    let Some(table) = records.first().map(|own| own.table) else {
        return Ok(());
    };
    let name = |column: &Column| column.name.to_owned();
    let (own, columns) = (table.name(), list(table.columns(), name));
    let others = &table.columns()[table.key_columns()..];
    let set = list(others, |column| format!("{0} = excluded.{0}", column.name));
    let (key, lists) = (list(table.key(), name), places(table.columns(), as_list));
    let sql = format!(
        "INSERT INTO {own} ({columns}) SELECT * FROM unnest({lists})
         ON CONFLICT ({key}) DO UPDATE SET {set}"
    );
    db.run(&sql, &lists_of(records, table.columns())).await?;
    if table == Table::Connection { addresses(db, records).await } else { Ok(()) }
}

/// The column by which connections are found by address.
async fn addresses(db: Db<'_>, records: &[Record]) -> Result<(), Fault> {
    let email = Table::Connection.place("account_email").map_err(|error| record(&error))?;
    let address = |own: &Record| match &own.values[email] {
        Value::Text(text) => text.to_ascii_lowercase().into(),
        Value::Null | Value::Integer(_) | Value::Blob(_) => columns::Value::Null,
    };
    let ids = lists_of(records, Table::Connection.key());
    let addresses: Vec<_> = records.iter().map(address).collect();
    let set = "UPDATE connection SET account_address = own.address
               FROM unnest($1::bytea[], $2::text[]) AS own (id, address)
               WHERE connection.id = own.id";
    let [ids] =
        <[_; 1]>::try_from(ids).map_err(|_| Fault::Record("a key of several".to_owned()))?;
    db.run(set, &values![ids, addresses]).await.map(drop)
}

fn record(error: &StoreError) -> Fault {
    Fault::Record(error.to_string())
}

/// What is in each of the first columns, as lists.
fn lists_of<'r>(records: &'r [Record], columns: &[Column]) -> Vec<columns::Value<'r>> {
    let one = |(at, column)| {
        let values = records.iter().map(|own| bound(&own.values[at], column));
        columns::Value::List(values.collect())
    };
    columns.iter().enumerate().map(one).collect()
}

async fn delete(db: Db<'_>, records: &[Record]) -> Result<(), Fault> {
    let Some(table) = records.first().map(|own| own.table) else {
        return Ok(());
    };
    let (name, key) = (table.name(), list(table.key(), |column| column.name.to_owned()));
    let lists = places(table.key(), as_list);
    let sql = format!("DELETE FROM {name} WHERE ({key}) IN (SELECT * FROM unnest({lists}))");
    db.run(&sql, &lists_of(records, table.key())).await.map(drop)
}
