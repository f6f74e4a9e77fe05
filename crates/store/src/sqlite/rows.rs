//! Statements: the one place that hands values to SQLite and takes rows from it.

use std::borrow::Cow;

use grantor_core::id::Id;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Params, Row, ToSql, params_from_iter};

use super::fault::Fault;
use crate::columns::{Cell, Cells, Columns, Unreadable, Value};

/// A connection with its prepared statements.
pub(super) struct Db<'c>(pub(super) &'c Connection);

impl Db<'_> {
    /// Runs a statement that gives no rows, and says how many it changed.
    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, Fault> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(read(&mut Columns::of(row))?))
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&mut Columns::of(row))?);
        }
        Ok(found)
    }
}

impl Cells for Row<'_> {
    fn cell(&self, place: usize) -> Result<Cell<'_>, Unreadable> {
        let unreadable = |why: &str| Unreadable(format!("column {place}: {why}"));
        match self.get_ref(place).map_err(|error| unreadable(&error.to_string()))? {
            ValueRef::Null => Ok(Cell::Null),
            ValueRef::Integer(number) => Ok(Cell::Integer(number)),
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map(|text| Cell::Text(Cow::Borrowed(text)))
                .map_err(|_| unreadable("text that is not UTF-8")),
            ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes)),
            ValueRef::Real(_) => Err(unreadable("a number with a point")),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Flag(flag) => ValueRef::Integer((*flag).into()),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Id(id) => ValueRef::Blob(id.as_bytes()),
            Self::Digest(digest) => ValueRef::Blob(digest.as_bytes()),
            Self::List(_) => {
                return Err(rusqlite::Error::ToSqlConversionFailure("SQLite has no lists".into()));
            }
        }))
    }
}

/// What is bound for a row, in the order of its columns.
pub(super) fn bound<const N: usize>(row: [Value<'_>; N]) -> impl Params {
    params_from_iter(row)
}

/// What is bound for an id: its bytes.
pub(super) fn bytes(id: &Id) -> &[u8] {
    id.as_bytes()
}
