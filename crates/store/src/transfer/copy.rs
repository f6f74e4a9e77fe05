//! A whole store, copied into another one.
//!
//! Both are read side by side, and what differs is written: so a copy that was stopped goes on where
//! it was, and needs to remember nothing but that it is not done. At the end everything is read once
//! more on both sides and compared, which finds what was written to the source meanwhile.

use std::cmp::Ordering;
use std::collections::VecDeque;

use grantor_core::store::StoreError;

use super::record::{Record, Sum};
use super::table::Table;
use super::{Snapshot, Source, Transfer};

/// Records that are read, and written, in one go.
const PAGE: usize = 500;

/// How far a copy is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What it does.
    pub stage: Stage,
    /// Records that are done.
    pub done: u64,
    /// About how many there are.
    pub total: u64,
}

/// What a copy does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Writes what the target does not have.
    Copying,
    /// Reads both stores again.
    Comparing,
}

/// What was copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Whether half of it was there before.
    pub resumed: bool,
    /// Table by table, in the order of [`Table::ALL`].
    pub tables: Vec<TableCopied>,
}

/// What was copied of a table.
#[derive(Clone, Debug)]
pub struct TableCopied {
    /// The table.
    pub table: Table,
    /// Records that were written; the others were there before.
    pub written: u64,
    /// Records that were removed from the target, because the source has them no more.
    pub removed: u64,
    /// What both stores have now.
    pub sum: Sum,
}

/// Why a store was not copied, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target has something, and is not the half of a copy.
    #[error("there is something in it already: {}", list(.0))]
    NotEmpty(Vec<(Table, u64)>),
    /// The source was written while it was copied; these tables differ.
    #[error("it was written while it was copied: {} {} changed", names(.0), has(.0))]
    Changed(Vec<Table>),
    /// The target does not give back what was written to it; these tables differ.
    #[error("it does not have what was copied into it: {} {} not the same", names(.0), is(.0))]
    Differs(Vec<Table>),
    /// The source could not be read.
    #[error("{0}")]
    Source(StoreError),
    /// The target could not be read or written.
    #[error("{0}")]
    Target(StoreError),
}

/// Copies everything from one store into another, which must be empty or the half of a copy, and
/// compares. A copy that fails on the way can be done again and goes on.
pub async fn copy(
    from: &dyn Source,
    to: &dyn Transfer,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Copied, CopyError> {
    let resumed = to.is_half().await.map_err(CopyError::Target)?;
    if !resumed {
        let there = contents(to).await.map_err(CopyError::Target)?;
        if !there.is_empty() {
            return Err(CopyError::NotEmpty(there));
        }
        to.set_half(true).await.map_err(CopyError::Target)?;
    }
    let tables = write(from, to, resumed, tell).await?;
    compare(from, to, &tables, tell).await?;
    to.set_half(false).await.map_err(CopyError::Target)?;
    Ok(Copied { resumed, tables })
}

/// What is in a store: nothing for an empty one.
pub async fn contents(store: &dyn Source) -> Result<Vec<(Table, u64)>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let mut there = Vec::new();
    for table in Table::ALL {
        let count = snapshot.count(table).await?;
        if count > 0 {
            there.push((table, count));
        }
    }
    Ok(there)
}

/// How many records each table has, and their checksums.
pub async fn sums(
    store: &dyn Source,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<Vec<(Table, Sum)>, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let (mut sums, mut done) = (Vec::new(), 0);
    for table in Table::ALL {
        let mut sum = Sum::default();
        loop {
            let page = snapshot.next(table, PAGE).await?;
            if page.is_empty() {
                break;
            }
            page.iter().try_for_each(|record| sum.add(record))?;
            tell(done + sum.records);
        }
        done += sum.records;
        sums.push((table, sum));
    }
    Ok(sums)
}

async fn write(
    from: &dyn Source,
    to: &dyn Transfer,
    resumed: bool,
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<TableCopied>, CopyError> {
    let mut from = from.snapshot().await.map_err(CopyError::Source)?;
    let mut there = match resumed {
        true => Some(to.snapshot().await.map_err(CopyError::Target)?),
        false => None,
    };
    let total = total(from.as_mut()).await.map_err(CopyError::Source)?;
    let (mut tables, mut before) = (Vec::new(), 0);
    for table in Table::ALL {
        let there = there.as_mut().map(|snapshot| Ahead::new(snapshot.as_mut(), table));
        let copying = |done| tell(Progress { stage: Stage::Copying, done: before + done, total });
        let done = write_table(from.as_mut(), to, there, table, &copying).await?;
        before += done.sum.records;
        tables.push(done);
    }
    Ok(tables)
}

async fn total(snapshot: &mut dyn Snapshot) -> Result<u64, StoreError> {
    let mut total = 0;
    for table in Table::ALL {
        total += snapshot.count(table).await?;
    }
    Ok(total)
}

async fn write_table(
    from: &mut dyn Snapshot,
    to: &dyn Transfer,
    mut there: Option<Ahead<'_>>,
    table: Table,
    tell: &(dyn Fn(u64) + Sync),
) -> Result<TableCopied, CopyError> {
    let mut done = TableCopied { table, written: 0, removed: 0, sum: Sum::default() };
    loop {
        let page = from.next(table, PAGE).await.map_err(CopyError::Source)?;
        let last = page.is_empty();
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        for record in page {
            done.sum.add(&record).map_err(CopyError::Source)?;
            let same = match there.as_mut() {
                Some(there) => there.has(&record, &mut gone).await.map_err(CopyError::Target)?,
                None => false,
            };
            if !same {
                new.push(record);
            }
        }
        if let Some(there) = there.as_mut().filter(|_| last) {
            there.rest(&mut gone).await.map_err(CopyError::Target)?;
        }
        done.written += count(&new);
        done.removed += count(&gone);
        change(to, new, gone).await.map_err(CopyError::Target)?;
        tell(done.sum.records);
        if last {
            return Ok(done);
        }
    }
}

/// Removes first: what is gone may have had a name that something new has.
async fn change(to: &dyn Transfer, new: Vec<Record>, gone: Vec<Record>) -> Result<(), StoreError> {
    if !gone.is_empty() {
        to.remove(gone).await?;
    }
    if !new.is_empty() {
        to.import(new).await?;
    }
    Ok(())
}

fn count(records: &[Record]) -> u64 {
    u64::try_from(records.len()).unwrap_or(u64::MAX)
}

async fn compare(
    from: &dyn Source,
    to: &dyn Transfer,
    written: &[TableCopied],
    tell: &(dyn Fn(Progress) + Sync),
) -> Result<(), CopyError> {
    let each = written.iter().map(|own| own.sum.records).sum::<u64>();
    let comparing = |done| tell(Progress { stage: Stage::Comparing, done, total: 2 * each });
    let from = sums(from, &comparing).await.map_err(CopyError::Source)?;
    let to = sums(to, &|done| comparing(each + done)).await.map_err(CopyError::Target)?;
    let differs =
        |(read, own): (&(Table, Sum), &TableCopied)| (read.1 != own.sum).then_some(read.0);
    let changed: Vec<_> = from.iter().zip(written).filter_map(differs).collect();
    if !changed.is_empty() {
        return Err(CopyError::Changed(changed));
    }
    let differing: Vec<_> = to.iter().zip(written).filter_map(differs).collect();
    if differing.is_empty() { Ok(()) } else { Err(CopyError::Differs(differing)) }
}

/// The records of a table, one after the other.
struct Ahead<'s> {
    snapshot: &'s mut dyn Snapshot,
    table: Table,
    page: VecDeque<Record>,
}

impl<'s> Ahead<'s> {
    fn new(snapshot: &'s mut dyn Snapshot, table: Table) -> Self {
        Self { snapshot, table, page: VecDeque::new() }
    }

    async fn next(&mut self) -> Result<Option<Record>, StoreError> {
        if self.page.is_empty() {
            self.page = self.snapshot.next(self.table, PAGE).await?.into();
        }
        Ok(self.page.pop_front())
    }

    /// Whether the record is among them as it is. Those before it are `gone`.
    async fn has(&mut self, record: &Record, gone: &mut Vec<Record>) -> Result<bool, StoreError> {
        while let Some(own) = self.next().await? {
            match own.key().cmp(record.key()) {
                Ordering::Less => gone.push(own),
                Ordering::Equal => return Ok(own == *record),
                Ordering::Greater => {
                    self.page.push_front(own);
                    break;
                }
            }
        }
        Ok(false)
    }

    /// All that are left are `gone`.
    async fn rest(&mut self, gone: &mut Vec<Record>) -> Result<(), StoreError> {
        while let Some(own) = self.next().await? {
            gone.push(own);
        }
        Ok(())
    }
}

fn list(there: &[(Table, u64)]) -> String {
    let one = |(table, count): &(Table, u64)| format!("{} {count}", table.name());
    there.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn names(tables: &[Table]) -> String {
    tables.iter().map(|table| table.name()).collect::<Vec<_>>().join(", ")
}

const fn has(tables: &[Table]) -> &'static str {
    if tables.len() == 1 { "has" } else { "have" }
}

const fn is(tables: &[Table]) -> &'static str {
    if tables.len() == 1 { "is" } else { "are" }
}
