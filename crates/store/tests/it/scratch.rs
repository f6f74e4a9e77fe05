//! A database in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantor_core::id::Id;
use grantor_core::secret::Digest;
use grantor_core::store::StoreError;
use grantor_store::sqlite::{Options, Sqlite};
use tempfile::TempDir;

pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("grantor.db")
    }

    pub(crate) fn open(&self) -> Arc<Sqlite> {
        self.open_with(&Options::default())
    }

    pub(crate) fn open_with(&self, options: &Options) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(&self.path(), options).expect("the database opens"))
    }

    /// The error that opening gives.
    pub(crate) fn refused(&self) -> StoreError {
        match Sqlite::open(&self.path(), &Options::default()) {
            Ok(_) => panic!("the database was opened"),
            Err(error) => error,
        }
    }

    /// The file as another program sees it.
    pub(crate) fn shell(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).expect("the file opens")
    }
}

/// The `n`th id of `kind`; later ones sort later, as real ones do.
pub(crate) fn ordered(kind: u8, n: u64) -> Id {
    let mut bytes = [kind; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Id::from_bytes(bytes)
}

/// The digest that goes with an id in these tests.
pub(crate) fn digest_of(id: Id) -> Digest {
    Digest::of("test", &[id.as_bytes()])
}
