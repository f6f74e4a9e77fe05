//! The file of a backup: lines of JSON, which any language reads.
//!
//! The first line says what it is. Then, for each table that has records, a line with its name and
//! its columns, and a line for each record: an array with a value for each column, bytes in base64url
//! without padding, flags as 0 and 1. The last line has the number of records of each table, with the
//! SHA-256 of their lines, and the SHA-256 of all lines before it: `head -n -1 FILE | sha256sum`.
//!
//! What is sealed in the store is sealed in the file, and needs the same key-encryption key.

mod read;
mod write;

use std::collections::BTreeMap;
use std::io;

use grantor_core::store::StoreError;
use serde::{Deserialize, Serialize};

pub use read::{Backup, verify};
pub use write::write;

/// The form of the file. A later one that this version cannot read has a greater number.
const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the file.
    #[serde(rename = "grantor_backup")]
    pub format: u32,
    /// The version of Grantor that has written it.
    pub version: String,
    /// What kind of store it is of.
    pub store: String,
    /// When it was begun, as text.
    pub made_at: String,
}

impl Header {
    /// The header of a file that is written now.
    pub fn new(version: &str, store: &str, made_at: &str) -> Self {
        let [version, store, made_at] = [version, store, made_at].map(str::to_owned);
        Self { format: FORMAT, version, store, made_at }
    }
}

/// The line before the records of a table.
#[derive(Serialize, Deserialize)]
struct Heading {
    table: String,
    /// Name and kind of each column.
    columns: Vec<(String, String)>,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// How many records there are.
    pub records: u64,
    /// How many each table has, by its name, and their checksum.
    pub tables: BTreeMap<String, Part>,
    /// Of all lines before this one.
    pub sha256: String,
}

/// The records of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many.
    pub records: u64,
    /// Of their lines.
    pub sha256: String,
}

/// Why a backup was not written or not read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file does not read or write.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It is something else.
    #[error("it is not a backup of Grantor")]
    Foreign,
    /// It was written by a version whose backups this one cannot read.
    #[error("{0}")]
    OtherVersion(String),
    /// It is not as it was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The store that is backed up does not read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
