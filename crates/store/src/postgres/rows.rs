//! Statements: the one place that hands values to Postgres and takes rows from it.

use std::borrow::Cow;
use std::error::Error;

use bytes::BytesMut;
use deadpool_postgres::ClientWrapper;
use grantor_core::secret::Digest;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::fault::Fault;
use crate::columns::{Cell, Cells, Columns, Unreadable, Value};

/// A connection with its prepared statements.
#[derive(Clone, Copy)]
pub(super) struct Db<'c>(pub(super) &'c ClientWrapper);

impl Db<'_> {
    /// Runs a statement and says how many rows it changed.
    pub(super) async fn run(self, sql: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.execute(&statement, &bound(values)).await?)
    }

    /// The first row, if there is one.
    pub(super) async fn one<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Fault> {
        let rows = self.rows(sql, values).await?;
        Ok(rows.first().map(|row| read(&mut Columns::of(row))).transpose()?)
    }

    /// All rows.
    pub(super) async fn all<T>(
        self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.rows(sql, values).await?;
        Ok(rows.iter().map(|row| read(&mut Columns::of(row))).collect::<Result<_, _>>()?)
    }

    /// All rows as they are.
    pub(super) async fn rows(self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let statement = self.0.prepare_cached(sql).await?;
        Ok(self.0.query(&statement, &bound(values)).await?)
    }

    /// Locks what these parts name until the end of the transaction, and now and then something else
    /// with it. No transaction locks two such things.
    pub(super) async fn lock_named(self, parts: &[&[u8]]) -> Result<(), Fault> {
        let number = Digest::of("lock", parts).as_bytes()[0] % NUMBERED;
        self.lock(&number.to_string()).await
    }

    /// Locks one of the rows of `store_lock` until the end of the transaction.
    pub(super) async fn lock(self, name: &str) -> Result<(), Fault> {
        let lock = "SELECT 1 FROM store_lock WHERE name = $1 FOR UPDATE";
        match self.one(lock, &[name.into()], |_| Ok(())).await? {
            Some(()) => Ok(()),
            None => Err(Fault::Record(format!("store_lock has no row {name:?}"))),
        }
    }
}

/// The numbered rows of `store_lock`.
const NUMBERED: u8 = 64;

fn bound<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Each of `rows`, a column at a time, for `unnest`.
pub(super) fn transposed<'v, const N: usize>(rows: Vec<[Value<'v>; N]>) -> [Value<'v>; N] {
    let mut columns = [const { Vec::new() }; N];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns.map(Value::List)
}

impl Cells for Row {
    fn cell(&self, place: usize) -> Result<Cell<'_>, Unreadable> {
        self.try_get(place).map_err(|error| {
            Unreadable(format!("column {place}: {}", super::fault::describe(&error)))
        })
    }
}

impl<'r> FromSql<'r> for Cell<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::BOOL => Cell::Flag(bool::from_sql(kind, raw)?),
            Type::INT4 => Cell::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Cell::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA => Cell::Bytes(raw),
            _ => Cell::Text(with_nul(<&str>::from_sql(kind, raw)?)),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(kind: &Type) -> bool {
        let plain = [Type::BOOL, Type::INT4, Type::INT8, Type::BYTEA];
        plain.contains(kind) || <&str as FromSql>::accepts(kind)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql_checked(kind, out),
            Self::Flag(flag) => flag.to_sql_checked(kind, out),
            Self::Text(text) => (&*without_nul(text)).to_sql_checked(kind, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(kind, out),
            Self::Id(id) => (&id.as_bytes()[..]).to_sql_checked(kind, out),
            Self::Digest(digest) => (&digest.as_bytes()[..]).to_sql_checked(kind, out),
            Self::List(values) => values.to_sql(kind, out),
        }
    }

    /// Each value looks for itself whether it fits.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The last two code points, of no meaning by definition. Postgres does not take the character NUL
/// in text, and whoever talks to the server may send it: it is stored as the first followed by `0`,
/// and the first itself as it is followed by `1`.
const ESCAPE: char = '\u{10FFFE}';

fn without_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let escaped = text.replace(ESCAPE, "\u{10FFFE}1").replace('\0', "\u{10FFFE}0");
    Cow::Owned(escaped)
}

fn with_nul(text: &str) -> Cow<'_, str> {
    if !text.contains(ESCAPE) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{10FFFE}0", "\0").replace("\u{10FFFE}1", "\u{10FFFE}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back_as_it_was(text in "[\u{0}01a\u{10FFFE}\u{10FFFF}]{0,12}") {
            let stored = without_nul(&text).into_owned();
            prop_assert!(!stored.contains('\0'));
            prop_assert_eq!(&*with_nul(&stored), &*text);
        }
    }
}
