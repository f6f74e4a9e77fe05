//! Reads that many callers make of the same snapshot. A read in a transaction of its own takes four
//! locks of the file, and forgets all pages when anything was committed since the one before, which
//! at many requests a second is always. Here a transaction is kept for some milliseconds, as long as
//! this process writes nothing that its readers would see.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Options;
use super::fault::Fault;
use super::open;
use super::readers::free;
use super::rows::Db;

/// How long a snapshot is read at most, and so how late what another process wrote may be seen. The
/// longer, the more of what is read is in memory.
const LASTS: Duration = Duration::from_millis(250);

/// How long nobody may have read it: where few ask, each reads what is there now.
const PAUSE: Duration = Duration::from_millis(10);

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
    read: Instant,
}

impl Snapshots {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let reader = |connection| Mutex::new(Reader { connection, open: None });
        let pool = (0..options.readers.max(1))
            .map(|_| open::reader(path, options, options.snapshot_cache_kib).map(reader))
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
            Self::end(reader, PAUSE);
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

    fn end(mut reader: MutexGuard<'_, Reader>, pause: Duration) {
        if reader.open.as_ref().is_some_and(|open| open.read.elapsed() >= pause)
            && let Err(fault) = reader.end()
        {
            tracing::warn!(?fault, "a read of the store did not end");
        }
    }
}

impl Reader {
    /// Makes sure that there is a snapshot that shows so many commits.
    fn begin(&mut self, commits: u64) -> Result<(), Fault> {
        let now = Instant::now();
        let good = |open: &&mut Open| {
            open.commits == commits && now < open.since + LASTS && now < open.read + PAUSE
        };
        if let Some(open) = self.open.as_mut().filter(good) {
            open.read = now;
            return Ok(());
        }
        self.end()?;
        Db(&self.connection).run("BEGIN", ())?;
        self.open = Some(Open { commits, since: now, read: now });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.open.take().is_some() && !self.connection.is_autocommit() {
            Db(&self.connection).run("ROLLBACK", ())?;
        }
        Ok(())
    }
}
