//! A record on its way from one store to another.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::secret::Checksum;
use grantor_core::store::StoreError;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

use crate::columns::{Cell, Cells, Unreadable};

use super::table::{Column, ColumnKind, Table};

/// What is in a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number, seconds since the epoch, or 0 or 1 for a flag.
    Integer(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Whether it may stand in `column`.
    pub fn fits(&self, column: &Column) -> bool {
        match (self, column.kind) {
            (Self::Null, _) => column.nullable,
            (Self::Integer(value), ColumnKind::Flag) => matches!(value, 0 | 1),
            (Self::Blob(bytes), ColumnKind::Id) => bytes.len() == 16,
            (Self::Integer(_), kind) => kind == ColumnKind::Integer,
            (Self::Text(_), kind) => kind == ColumnKind::Text,
            (Self::Blob(_), kind) => kind == ColumnKind::Blob,
        }
    }
}

impl Serialize for Value {
    /// As it stands in a backup: bytes in base64url.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Blob(bytes) => serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes)),
        }
    }
}

/// A record: what is in each column of its table, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The table.
    pub table: Table,
    /// What is in its columns.
    pub values: Vec<Value>,
}

impl Record {
    /// A record of these values, if each may stand in its column.
    pub fn new(table: Table, values: Vec<Value>) -> Result<Self, StoreError> {
        let columns = table.columns();
        let fits = |(value, column): (&Value, &Column)| value.fits(column);
        if values.len() == columns.len() && values.iter().zip(columns).all(fits) {
            return Ok(Self { table, values });
        }
        let wrong = values.iter().zip(columns).find(|pair| !fits(*pair));
        let place = wrong.map_or("its number of columns", |(_, column)| column.name);
        Err(StoreError::Corrupt(format!(
            "a record of {} has in {place} what does not belong there",
            table.name()
        )))
    }

    /// The values of the key, which order the records of a table.
    pub fn key(&self) -> &[Value] {
        &self.values[..self.table.key_columns()]
    }

    /// What is in a column.
    pub fn value(&self, column: &str) -> Result<&Value, StoreError> {
        Ok(&self.values[self.table.place(column)?])
    }

    /// Puts something else into a column.
    pub fn set(&mut self, column: &str, value: Value) -> Result<(), StoreError> {
        let place = self.table.place(column)?;
        self.values[place] = value;
        Ok(())
    }

    /// The line that it is in a backup, with its end.
    pub fn line(&self) -> Result<Vec<u8>, StoreError> {
        let mut line = serde_json::to_vec(self).map_err(|error| {
            StoreError::Corrupt(format!("a record of {}: {error}", self.table.name()))
        })?;
        line.push(b'\n');
        Ok(line)
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.values.len()))?;
        self.values.iter().try_for_each(|value| values.serialize_element(value))?;
        values.end()
    }
}

/// The values of a row that has the columns of `table`, in their order.
pub(crate) fn cells(row: &dyn Cells, table: Table) -> Result<Vec<Value>, Unreadable> {
    let value = |at| {
        Ok(match row.cell(at)? {
            Cell::Null => Value::Null,
            Cell::Integer(value) => Value::Integer(value),
            Cell::Flag(flag) => Value::Integer(flag.into()),
            Cell::Text(text) => Value::Text(text.into_owned()),
            Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
        })
    };
    (0..table.columns().len()).map(value).collect()
}

/// How many records of a table there are, and a checksum over their lines in the order of their keys:
/// the same in every store that has the same records.
#[derive(Clone, Default)]
pub struct Sum {
    /// How many.
    pub records: u64,
    checksum: Checksum,
}

impl Sum {
    /// Adds the next record.
    pub fn add(&mut self, record: &Record) -> Result<(), StoreError> {
        self.add_line(&record.line()?);
        Ok(())
    }

    /// The same, by its line.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        self.records += 1;
        self.checksum.add(line);
    }

    /// The checksum: SHA-256 in hexadecimal digits.
    pub fn sha256(&self) -> String {
        self.checksum.hex()
    }
}

impl PartialEq for Sum {
    fn eq(&self, other: &Self) -> bool {
        self.records == other.records && self.sha256() == other.sha256()
    }
}

impl std::fmt::Debug for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} records, {}", self.records, self.sha256())
    }
}
