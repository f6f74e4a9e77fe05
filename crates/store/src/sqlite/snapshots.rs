//! Reads that many callers make of the same snapshot. A read in a transaction of its own takes four
//! locks of the file, and forgets all pages when anything was committed since the one before, which
//! at many requests a second is always. Here a transaction is kept for some milliseconds, as long as
//! this process writes nothing that its readers would see.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Options;
use super::fault::Fault;
use super::open;
use super::readers::free;
use super::rows::Db;

/// How long a snapshot is read, and so how late what another process wrote may be seen. Some dozen
/// requests share one when there are many, and the write-ahead log can be started over soon.
const LASTS: Duration = Duration::from_millis(5);

/// The pool.
pub(super) struct Snapshots {
    pool: Vec<Mutex<Reader>>,
    /// Counts the commits that a reader has to see.
    commits: AtomicU64,
    resting: AtomicBool,
}

struct Reader {
    connection: Connection,
    open: Option<Open>,
}

struct Open {
    commits: u64,
    since: Instant,
}

impl Snapshots {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let reader = |connection| Mutex::new(Reader { connection, open: None });
        let pool = (0..options.readers.max(1))
            .map(|_| open::reader(path, options).map(reader))
            .collect::<Result<_, _>>()?;
        Ok(Self { pool, commits: AtomicU64::new(0), resting: AtomicBool::new(false) })
    }

    /// Reads what this process has committed so far, and others some milliseconds ago.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Db<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut reader = free(&self.pool);
        // Before the snapshot is taken: one that is younger than it says does no harm.
        let commits = self.commits.load(Ordering::Acquire);
        let resting = self.resting.load(Ordering::Acquire);
        reader.begin(commits)?;
        let done = read(&Db(&reader.connection));
        if done.is_err() || resting {
            reader.end()?;
        }
        done
    }

    /// What is committed now has to be seen by every read that begins from now on.
    pub(super) fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    /// Ends the snapshots that nobody has read for a while: they would keep the log from being
    /// started over.
    pub(super) fn end_old(&self) {
        for reader in self.pool.iter().filter_map(|reader| reader.try_lock().ok()) {
            Self::end(reader, LASTS);
        }
    }

    /// Does `work` while no snapshot outlives a read.
    pub(super) fn resting<T>(&self, work: impl FnOnce() -> T) -> T {
        self.resting.store(true, Ordering::Release);
        for reader in &self.pool {
            Self::end(reader.lock().unwrap_or_else(PoisonError::into_inner), Duration::ZERO);
        }
        let done = work();
        self.resting.store(false, Ordering::Release);
        done
    }

    fn end(mut reader: std::sync::MutexGuard<'_, Reader>, age: Duration) {
        if reader.open.as_ref().is_some_and(|open| open.since.elapsed() >= age)
            && let Err(fault) = reader.end()
        {
            tracing::warn!(?fault, "a read of the store did not end");
        }
    }
}

impl Reader {
    /// Makes sure that there is a snapshot that shows so many commits.
    fn begin(&mut self, commits: u64) -> Result<(), Fault> {
        let good = |open: &Open| open.commits == commits && open.since.elapsed() < LASTS;
        if self.open.as_ref().is_some_and(good) {
            return Ok(());
        }
        self.end()?;
        Db(&self.connection).run("BEGIN", ())?;
        self.open = Some(Open { commits, since: Instant::now() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.open.take().is_some() && !self.connection.is_autocommit() {
            Db(&self.connection).run("ROLLBACK", ())?;
        }
        Ok(())
    }
}
