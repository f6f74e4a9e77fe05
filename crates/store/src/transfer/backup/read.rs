//! Reading a backup: first the whole of it, to see whether it is as it was written, then its records.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::secret::Checksum;
use grantor_core::store::StoreError;
use serde_json::Value as Json;

use super::{BackupError, FORMAT, Header, Heading, Part, Trailer};
use crate::transfer::{Column, ColumnKind, Record, Snapshot, Source, Sum, Table, Value};

/// A file that was found to be as it was written.
pub struct Backup {
    path: PathBuf,
    /// Its first line.
    pub header: Header,
    /// Its last line.
    pub trailer: Trailer,
}

impl Backup {
    /// Reads the whole file, and tells how many records are read.
    pub fn open(path: &Path, tell: &dyn Fn(u64)) -> Result<Self, BackupError> {
        let (header, trailer) = verify(BufReader::new(File::open(path)?), tell)?;
        Ok(Self { path: path.to_owned(), header, trailer })
    }
}

/// Reads everything, and refuses what is not as it was written.
pub fn verify(file: impl BufRead, tell: &dyn Fn(u64)) -> Result<(Header, Trailer), BackupError> {
    let (mut reader, header) = Reader::begin(file)?;
    let mut tables: BTreeMap<Table, Sum> = BTreeMap::new();
    let mut records = 0;
    let trailer = loop {
        match reader.line()? {
            Line::Heading => {}
            Line::Record(record) => {
                tables.entry(record.table).or_default().add(&record)?;
                records += 1;
                if records % 500 == 0 {
                    tell(records);
                }
            }
            Line::Trailer(trailer) => break trailer,
        }
    };
    let tables = tables.into_iter().map(|(table, sum)| {
        (table.name().to_owned(), Part { records: sum.records, sha256: sum.sha256() })
    });
    // What the older version of a record has is not all that this one writes.
    let differ = !reader.is_older && tables.collect::<BTreeMap<_, _>>() != trailer.tables;
    if differ || records != trailer.records {
        return Err(BackupError::Damaged("its records are not those that its end tells of".into()));
    }
    reader.end()?;
    Ok((header, trailer))
}

#[async_trait]
impl Source for Backup {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        let begun = File::open(&self.path)
            .map_err(BackupError::from)
            .and_then(|file| Reader::begin(BufReader::new(file)));
        let (reader, header) = begun.map_err(|error| self.told(error))?;
        if header != self.header {
            return Err(self.told(BackupError::Damaged("it was replaced".to_owned())));
        }
        Ok(Box::new(Reading { reader, ahead: None, of: self }))
    }
}

impl Backup {
    fn told(&self, error: BackupError) -> StoreError {
        let path = self.path.display();
        match error {
            BackupError::Store(error) => error,
            BackupError::File(error) => StoreError::Unavailable(format!("{path}: {error}")),
            BackupError::Foreign | BackupError::OtherVersion(_) | BackupError::Damaged(_) => {
                StoreError::Corrupt(format!("{path}: {error}"))
            }
        }
    }
}

/// Reads the records, one table after the other as they stand in the file.
struct Reading<'b> {
    reader: Reader<BufReader<File>>,
    /// The first record of a table whose turn has not come.
    ahead: Option<Record>,
    of: &'b Backup,
}

#[async_trait]
impl Snapshot for Reading<'_> {
    async fn count(&mut self, table: Table) -> Result<u64, StoreError> {
        Ok(self.of.trailer.tables.get(table.name()).map_or(0, |part| part.records))
    }

    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError> {
        let mut page = Vec::new();
        while page.len() < limit {
            let record = match self.ahead.take() {
                Some(record) => Some(record),
                None => self.reader.record().map_err(|error| self.of.told(error))?,
            };
            match record {
                Some(record) if record.table == table => page.push(record),
                other => {
                    self.ahead = other;
                    break;
                }
            }
        }
        Ok(page)
    }
}

/// The file, line by line.
struct Reader<F> {
    file: F,
    line: Vec<u8>,
    sum: Checksum,
    table: Option<(Table, Vec<Place>)>,
    /// Whether columns are missing that tables have by now.
    is_older: bool,
    ended: bool,
}

/// Where in a line the value of a column is; `None` for a column that is newer than the file.
type Place = Option<usize>;

enum Line {
    Heading,
    Record(Record),
    Trailer(Trailer),
}

impl<F: BufRead> Reader<F> {
    fn begin(file: F) -> Result<(Self, Header), BackupError> {
        let sum = Checksum::new();
        let mut own =
            Self { file, line: Vec::new(), sum, table: None, is_older: false, ended: false };
        own.read()?;
        let header: Json = serde_json::from_slice(&own.line).map_err(|_| BackupError::Foreign)?;
        match header["grantor_backup"].as_u64() {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(BackupError::OtherVersion(format!(
                    "it has the form {format}, and this version of Grantor reads the form {FORMAT}"
                )));
            }
            None => return Err(BackupError::Foreign),
        }
        let header = serde_json::from_value(header);
        let header = header.map_err(|error| damaged("its first line", &error))?;
        own.sum.add(&own.line);
        Ok((own, header))
    }

    /// The next record; `None` after the last one.
    fn record(&mut self) -> Result<Option<Record>, BackupError> {
        while !self.ended {
            match self.line()? {
                Line::Heading => {}
                Line::Record(record) => return Ok(Some(record)),
                Line::Trailer(_) => self.ended = true,
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Line, BackupError> {
        self.read()?;
        if self.line.first() == Some(&b'[') {
            let record = self.parse()?;
            self.sum.add(&self.line);
            return Ok(Line::Record(record));
        }
        if let Ok(trailer) = serde_json::from_slice::<Trailer>(&self.line) {
            if trailer.sha256 != self.sum.hex() {
                return Err(BackupError::Damaged("its checksum is another one".to_owned()));
            }
            return Ok(Line::Trailer(trailer));
        }
        let heading = serde_json::from_slice::<Heading>(&self.line);
        self.table = Some(self.columns(&heading.map_err(|error| damaged("a line", &error))?)?);
        self.sum.add(&self.line);
        Ok(Line::Heading)
    }

    /// One line with its end, which the file has to have.
    fn read(&mut self) -> Result<(), BackupError> {
        self.line.clear();
        self.file.read_until(b'\n', &mut self.line)?;
        if self.line.ends_with(b"\n") {
            return Ok(());
        }
        Err(BackupError::Damaged("its end is missing".to_owned()))
    }

    fn end(&mut self) -> Result<(), BackupError> {
        match self.file.fill_buf()?.is_empty() {
            true => Ok(()),
            false => Err(BackupError::Damaged("there is something after its end".to_owned())),
        }
    }

    /// Where the columns of a table are. One that may be empty may be missing.
    fn columns(&mut self, heading: &Heading) -> Result<(Table, Vec<Place>), BackupError> {
        let newer = |what: &str| {
            BackupError::OtherVersion(format!(
                "it has {what}, which this version of Grantor does not know: restore it with the version that has written it"
            ))
        };
        let table = Table::named(&heading.table)
            .ok_or_else(|| newer(&format!("a table {}", heading.table)))?;
        let known = |(name, kind): &(String, String)| {
            table.columns().iter().any(|own| own.name == name && own.kind.name() == kind)
        };
        if let Some((name, _)) = heading.columns.iter().find(|own| !known(own)) {
            return Err(newer(&format!("a column {name} in {}", table.name())));
        }
        let place = |column: &Column| {
            let place = heading.columns.iter().position(|(name, _)| name == column.name);
            match place {
                None if !column.nullable => Err(BackupError::OtherVersion(format!(
                    "it has no column {} in {}: restore it with the version that has written it, and upgrade then",
                    column.name,
                    table.name()
                ))),
                place => Ok(place),
            }
        };
        let places: Vec<_> = table.columns().iter().map(place).collect::<Result<_, _>>()?;
        self.is_older |= places.iter().any(Option::is_none);
        Ok((table, places))
    }

    fn parse(&self) -> Result<Record, BackupError> {
        let values: Vec<Json> =
            serde_json::from_slice(&self.line).map_err(|error| damaged("a record", &error))?;
        let Some((table, places)) = &self.table else {
            return Err(BackupError::Damaged("a record stands before its table".to_owned()));
        };
        let value = |(place, column): (&Place, &Column)| match place {
            Some(place) => values.get(*place).and_then(|own| value(own, column.kind)),
            None => Some(Value::Null),
        };
        let values: Option<_> = places.iter().zip(table.columns()).map(value).collect();
        let record = values.and_then(|values| Record::new(*table, values).ok());
        record.ok_or_else(|| {
            BackupError::Damaged(format!("a record of {} does not read", table.name()))
        })
    }
}

fn value(own: &Json, kind: ColumnKind) -> Option<Value> {
    match (own, kind) {
        (Json::Null, _) => Some(Value::Null),
        (own, ColumnKind::Integer | ColumnKind::Flag) => own.as_i64().map(Value::Integer),
        (own, ColumnKind::Text) => Some(Value::Text(own.as_str()?.to_owned())),
        (own, ColumnKind::Blob | ColumnKind::Id) => {
            URL_SAFE_NO_PAD.decode(own.as_str()?).ok().map(Value::Blob)
        }
    }
}

fn damaged(what: &str, error: &serde_json::Error) -> BackupError {
    BackupError::Damaged(format!("{what} does not read ({error})"))
}
