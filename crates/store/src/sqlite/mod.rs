//! The SQLite back end: one file, one writer thread with group commit, readers where they are
//! needed.

mod api_keys;
mod audit;
mod checkpoint;
mod client_rows;
mod clients;
mod codes;
mod connect_sessions;
mod connection_rows;
mod connections;
mod consents;
mod data_keys;
mod devices;
mod external;
mod fault;
mod initial_tokens;
mod limits;
mod migrate;
mod notices;
mod once;
mod open;
mod outbox;
mod pauses;
mod queue;
mod readers;
mod recorded;
mod refreshes;
mod requests;
mod rows;
mod selections;
mod server_secrets;
mod sessions;
mod sign_in;
mod signing_keys;
mod snapshots;
mod stats;
mod sweep;
mod token_rows;
mod tokens;
mod transfer;
mod users;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::Connection;

pub use stats::Stats;

use checkpoint::Checkpointer;
use fault::Fault;
use queue::Effect;
use readers::Readers;
use rows::Db;
use snapshots::Snapshots;
use stats::Counters;
use sweep::Sweeper;
use writer::Writer;

use crate::cache::Caches;

/// How the file is used. The defaults fit a server with a few tens of megabytes.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections that read; more than there are threads to read on are of no use.
    pub readers: usize,
    /// Page cache of each reader, in KiB.
    pub reader_cache_kib: u32,
    /// Page cache of each reader that keeps a snapshot for a while, in KiB. Filled as it is needed.
    pub snapshot_cache_kib: u32,
    /// Page cache of the writer, in KiB.
    pub writer_cache_kib: u32,
    /// How much of the file readers map into memory, in bytes. What is mapped counts as resident.
    pub mmap_bytes: u64,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// Frames (of 4 KiB) in the write-ahead log above which it is started over.
    pub wal_frames: u32,
    /// The most pages (of 4 KiB) that the file may have; `None` for as many as the disk holds.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let readers = threads.clamp(2, 8);
        Self {
            readers,
            // 6 MiB for all: the upper levels of the trees at a million rows.
            reader_cache_kib: 6_144 / u32::try_from(readers).unwrap_or(8),
            // 16 MiB for all: the same of the vault.
            snapshot_cache_kib: 16_384 / u32::try_from(readers).unwrap_or(8),
            writer_cache_kib: 4_096,
            mmap_bytes: 0,
            busy_timeout: Duration::from_secs(5),
            wal_frames: 8_192,
            max_pages: None,
        }
    }
}

/// A database file in use. Dropping it, or [`Sqlite::close`], finishes what was begun.
pub struct Sqlite {
    path: PathBuf,
    options: Options,
    writer: Writer,
    readers: Readers,
    snapshots: Arc<Snapshots>,
    caches: Arc<Caches>,
    sweeper: Sweeper,
}

impl Sqlite {
    /// Opens the file at `path`, makes it if it is not there, and brings its schema up to date.
    /// Blocks; the error says what to do.
    pub fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        open::file(path)?;
        let explain = |fault: Fault| open::explain(path, &fault);
        let connection = open::writer(path, options).map_err(explain)?;
        migrate::run(&connection, path)?;
        Self::start(connection, path, options)
    }

    /// Opens a file that has the schema of this version: its records are not changed. `None` when it
    /// is not there or has no tables.
    pub fn open_existing(path: &Path, options: &Options) -> Result<Option<Self>, StoreError> {
        if !open::is_there(path)? {
            return Ok(None);
        }
        let explain = |fault: Fault| open::explain(path, &fault);
        let connection = open::writer(path, options).map_err(explain)?;
        match migrate::is_there(&connection, path)? {
            true => Self::start(connection, path, options).map(Some),
            false => Ok(None),
        }
    }

    fn start(connection: Connection, path: &Path, options: &Options) -> Result<Self, StoreError> {
        let explain = |fault: Fault| open::explain(path, &fault);
        let readers = Readers::open(path, options).map_err(explain)?;
        let snapshots = Arc::new(Snapshots::open(path, options).map_err(explain)?);
        let counters = Arc::new(Counters::default());
        let checkpointer = Checkpointer::start(
            open::checkpointer(path).map_err(explain)?,
            options.wal_frames,
            Arc::clone(&snapshots),
            Arc::clone(&counters),
        )?;
        let caches = Arc::new(Caches::default());
        let writer = Writer::start(
            connection,
            checkpointer,
            Arc::clone(&caches),
            Arc::clone(&snapshots),
            counters,
        )?;
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            writer,
            readers,
            snapshots,
            caches,
            sweeper: Sweeper::default(),
        })
    }

    /// What the writer has done so far.
    pub fn stats(&self) -> Stats {
        self.writer.stats()
    }

    /// Finishes the writes that wait, moves the write-ahead log into the file and stops writing:
    /// later writes are unavailable. Blocks until that is done.
    pub fn close(&self) {
        self.writer.close();
    }

    /// Reads on the calling thread.
    fn read<T>(&self, read: impl FnOnce(&Db<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.readers.read(read).map_err(|fault| fault.told())
    }

    /// Reads what this process has written so far, and other processes some milliseconds ago.
    fn read_recent<T>(
        &self,
        read: impl FnOnce(&Db<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.snapshots.read(read).map_err(|fault| fault.told())
    }

    /// Writes in a transaction; `work` may run again after a rollback.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(Effect::Changed, work).await
    }

    /// The same, for what goes into the audit log alone, which [`Sqlite::read_recent`] never shows.
    async fn log<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(Effect::Logged, work).await
    }

    /// The same, for what changes records that are kept in memory.
    async fn write_cached<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.write(Effect::ChangedCached, work).await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|db| db.one("SELECT 1", (), |_| Ok(())))?;
        self.write(|_| Ok(())).await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.sweeper.sweep(self, now, limit).await
    }
}
