//! What can go wrong in SQLite, told in plain words.

use grantor_core::store::StoreError;
use rusqlite::ErrorCode;

use crate::columns::Unreadable;

/// Why a read or a write did not happen.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite refused.
    Sql(rusqlite::Error),
    /// A row does not read back as a record.
    Record(String),
    /// The work itself panicked: a bug, kept away from the work of others.
    Panicked,
}

impl Fault {
    /// Whether any other work would have failed in the same way: locked, full, damaged.
    pub(super) fn of_the_file(&self) -> bool {
        match self {
            Self::Sql(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::CannotOpen
                        | ErrorCode::ReadOnly
                        | ErrorCode::NotADatabase
                )
            ),
            Self::Record(_) | Self::Panicked => false,
        }
    }

    /// What the caller of the store is told.
    pub(super) fn told(&self) -> StoreError {
        match self {
            Self::Sql(error) => sql(error),
            Self::Record(text) => StoreError::Corrupt(text.clone()),
            Self::Panicked => StoreError::Unavailable(
                "the write stopped with an internal error; nothing of it was kept".to_owned(),
            ),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Unreadable> for Fault {
    fn from(Unreadable(why): Unreadable) -> Self {
        Self::Record(why)
    }
}

fn sql(error: &rusqlite::Error) -> StoreError {
    let unavailable = |text: &str| StoreError::Unavailable(format!("{text} ({error})"));
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            unavailable("another process keeps the database locked")
        }
        Some(ErrorCode::DiskFull) => unavailable("the disk is full; nothing was written"),
        Some(ErrorCode::SystemIoFailure) => unavailable("the disk does not read or write"),
        Some(ErrorCode::CannotOpen) => unavailable("the database file cannot be opened"),
        Some(ErrorCode::ReadOnly) => unavailable("the database cannot be written"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(format!("the database file is damaged ({error})"))
        }
        Some(ErrorCode::OutOfMemory) => unavailable("out of memory"),
        _ => StoreError::Corrupt(format!("the database does not do what it should ({error})")),
    }
}
