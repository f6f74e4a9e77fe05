//! Whole stores: carried from one to another, or into a file and back.
//!
//! A [`Transfer`] gives its records out and takes others in, as they are: what is sealed stays
//! sealed, digests stay digests. Every back end gives out the same records for the same store, in the
//! same order, so that checksums can be compared.

pub mod backup;
mod copy;
mod memory;
mod record;
mod spent;
mod table;

use async_trait::async_trait;
use grantor_core::store::StoreError;

pub use copy::{Copied, CopyError, Progress, Stage, TableCopied, contents, copy, sums};
pub use memory::{Changes, changes, records};
pub(crate) use record::cells;
pub use record::{Record, Sum, Value};
pub use spent::Unspent;
pub(crate) use spent::{Fate, Judge};
pub use table::{Column, ColumnKind, Table};

/// What records are read from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Begins to read. What is written meanwhile is not seen, where the store can do that: in a
    /// Redis, each record is as it is when it is read.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError>;
}

/// A store as whole stores are carried to and from it, beside its port.
#[async_trait]
pub trait Transfer: Source {
    /// Stores records of one table, instead of those with the same keys: all or none, where the store
    /// can do that. What the store makes of its records by itself follows. Entries of the audit log
    /// come in their order; SQLite refuses to change one.
    async fn import(&self, records: Vec<Record>) -> Result<(), StoreError>;

    /// Removes the records of one table that have the keys of these.
    async fn remove(&self, records: Vec<Record>) -> Result<(), StoreError>;

    /// Whether what is in the store is the half of a copy: nobody must use it until that is done.
    async fn is_half(&self) -> Result<bool, StoreError>;

    /// Remembers or forgets that it is.
    async fn set_half(&self, half: bool) -> Result<(), StoreError>;
}

/// Records being read, table by table in the order of [`Table::ALL`]; of each table in the order of
/// their keys, text and bytes by their bytes.
#[async_trait]
pub trait Snapshot: Send {
    /// How many records of a table there are, or a few more.
    async fn count(&mut self, table: Table) -> Result<u64, StoreError>;

    /// The next records of a table, about `limit`; none after the last one.
    async fn next(&mut self, table: Table, limit: usize) -> Result<Vec<Record>, StoreError>;
}

/// Refuses a store that is the half of a copy.
pub async fn refuse_half(store: &dyn Transfer) -> Result<(), StoreError> {
    if !store.is_half().await? {
        return Ok(());
    }
    Err(StoreError::Corrupt(
        "what is in the store is the half of a copy or of a restore that was stopped: run \
         `grantor store copy` or `grantor store restore` again, which goes on"
            .to_owned(),
    ))
}
