//! Writing a backup.

use std::collections::BTreeMap;
use std::io::Write;

use grantor_core::secret::Checksum;

use super::{BackupError, Header, Heading, Part, Trailer};
use crate::transfer::{Snapshot, Sum, Table};

/// Records that are read in one go.
const PAGE: usize = 500;

/// Writes everything that a snapshot has, and tells how many records are written.
pub async fn write(
    snapshot: &mut dyn Snapshot,
    header: &Header,
    file: &mut (dyn Write + Send),
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Trailer, BackupError> {
    let mut lines = Lines { file, sum: Checksum::new() };
    lines.add(&json(header)?)?;
    let (mut tables, mut written) = (BTreeMap::new(), 0);
    for table in Table::ALL {
        let sum =
            table_lines(snapshot, table, &mut lines, &|records| tell(written + records)).await?;
        written += sum.records;
        if sum.records > 0 {
            let part = Part { records: sum.records, sha256: sum.sha256() };
            tables.insert(table.name().to_owned(), part);
        }
    }
    let trailer = Trailer { records: written, tables, sha256: lines.sum.hex() };
    lines.add(&json(&trailer)?)?;
    lines.file.flush()?;
    Ok(trailer)
}

async fn table_lines(
    snapshot: &mut dyn Snapshot,
    table: Table,
    lines: &mut Lines<'_>,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Sum, BackupError> {
    let mut sum = Sum::default();
    loop {
        let page = snapshot.next(table, PAGE).await?;
        if page.is_empty() {
            return Ok(sum);
        }
        if sum.records == 0 {
            lines.add(&json(&Heading::of(table))?)?;
        }
        for record in page {
            let line = record.line()?;
            sum.add_line(&line);
            lines.add(&line)?;
        }
        tell(sum.records);
    }
}

struct Lines<'f> {
    file: &'f mut (dyn Write + Send),
    sum: Checksum,
}

impl Lines<'_> {
    fn add(&mut self, line: &[u8]) -> Result<(), BackupError> {
        self.sum.add(line);
        Ok(self.file.write_all(line)?)
    }
}

impl Heading {
    fn of(table: Table) -> Self {
        let columns = table.columns().iter();
        let columns = columns.map(|own| (own.name.to_owned(), own.kind.name().to_owned()));
        Self { table: table.name().to_owned(), columns: columns.collect() }
    }
}

fn json(line: &impl serde::Serialize) -> Result<Vec<u8>, BackupError> {
    let mut line = serde_json::to_vec(line).map_err(std::io::Error::from)?;
    line.push(b'\n');
    Ok(line)
}
