//! The writer: one thread, one transaction for all that waits, answers after the commit.
//!
//! While a commit waits for the disk, more writes gather, and go into the next one together. No
//! savepoints: when one write fails for a reason of its own, the group is rolled back and each of
//! its writes done again in a transaction of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use grantor_core::store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::checkpoint::Checkpointer;
use super::fault::Fault;
use super::queue::{Answers, Effect, Job, Queue, Reply, Taken, Task};
use super::rows::Db;
use super::snapshots::Snapshots;
use super::stats::{Counters, Stats};
use crate::cache::Caches;

/// How often the writer looks whether another process has written; the port allows a second.
const LOOK: Duration = Duration::from_millis(300);

/// The most writes that go into one commit.
const LARGEST: usize = 256;

/// How often a group gives way to those who would join it: where they are busy that saves a commit,
/// and each time costs half a microsecond.
const PATIENCE: u32 = 4;

/// The writer's end that callers hold.
pub(super) struct Writer {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        checkpointer: Checkpointer,
        caches: Arc<Caches>,
        snapshots: Arc<Snapshots>,
        counters: Arc<Counters>,
    ) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let mut thread = Thread {
            connection,
            checkpointer,
            caches,
            snapshots,
            queue: Arc::clone(&queue),
            counters: Arc::clone(&counters),
            looked: Instant::now(),
            seen: None,
        };
        let handle = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.serve())
            .map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { queue, counters, thread: Mutex::new(Some(handle)) })
    }

    /// Does `work` in a transaction and answers when it is durable. Once polled, the work happens
    /// whether or not anybody still waits for it.
    pub(super) async fn write<T, F>(&self, effect: Effect, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Box::new(Task { work, outcome: None, reply, effect }))?;
        let Ok(Reply { outcome, others }) = answer.await else {
            return Err(StoreError::Unavailable(
                "the store was closed before the write".to_owned(),
            ));
        };
        drop(others);
        outcome
    }

    pub(super) fn stats(&self) -> Stats {
        self.counters.read(self.queue.len())
    }

    /// Finishes what waits, moves the log into the database and ends the thread.
    pub(super) fn close(&self) {
        self.queue.close();
        let handle = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if handle.is_some_and(|handle| handle.join().is_err()) {
            tracing::error!("the writer thread of the store has panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

struct Thread {
    connection: Connection,
    checkpointer: Checkpointer,
    caches: Arc<Caches>,
    snapshots: Arc<Snapshots>,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    looked: Instant,
    /// `PRAGMA data_version`, which changes when another connection has written.
    seen: Option<i64>,
}

impl Thread {
    fn serve(&mut self) {
        let mut jobs = Vec::new();
        loop {
            match self.queue.take(&mut jobs, LOOK) {
                Taken::Jobs => self.group(&mut jobs),
                Taken::Nothing => {}
                Taken::Closed => break,
            }
            if self.looked.elapsed() >= LOOK {
                self.look_for_others();
            }
        }
        self.checkpointer.close();
    }

    fn group(&mut self, jobs: &mut Vec<Box<dyn Job>>) {
        match self.transact(jobs) {
            Ok(()) => Answers::to(jobs.drain(..), || None).tell_first(),
            Err(fault) if jobs.len() == 1 || fault.of_the_file() => {
                self.counters.failed();
                tracing::warn!(?fault, writes = jobs.len(), "a group of writes was not committed");
                Answers::to(jobs.drain(..), || Some(fault.told())).tell_first();
            }
            Err(_) => {
                for job in jobs.drain(..) {
                    self.group(&mut vec![job]);
                }
            }
        }
    }

    /// Everything or nothing.
    fn transact(&self, jobs: &mut Vec<Box<dyn Job>>) -> Result<(), Fault> {
        let db = Db(&self.connection);
        let done = self.attempt(&db, jobs);
        if done.is_err() && !self.connection.is_autocommit() {
            db.run("ROLLBACK", ())?;
        }
        // Before anybody is answered; after a failure too, for it may be that the commit has happened.
        match jobs.iter().map(|job| job.effect()).max() {
            None | Some(Effect::Logged) => {}
            Some(Effect::Changed) => self.snapshots.committed(),
            Some(Effect::ChangedCached) => {
                self.snapshots.committed();
                self.caches.clear();
            }
        }
        done
    }

    fn attempt(&self, db: &Db<'_>, jobs: &mut Vec<Box<dyn Job>>) -> Result<(), Fault> {
        db.run("BEGIN IMMEDIATE", ())?;
        let (mut done, mut patience) = (0, PATIENCE);
        while done < jobs.len() {
            let job = &mut jobs[done];
            catch_unwind(AssertUnwindSafe(|| job.run(db))).unwrap_or(Err(Fault::Panicked))?;
            done += 1;
            if done == jobs.len() && done < LARGEST {
                self.take_more(jobs, &mut patience);
            }
        }
        let start = Instant::now();
        db.run("COMMIT", ())?;
        self.counters.committed(jobs.len(), start.elapsed());
        self.checkpointer.written(jobs.len());
        Ok(())
    }

    /// What has arrived meanwhile goes into the same commit. With company, the threads that make
    /// writes get a moment to bring theirs; a write that is alone does not wait.
    fn take_more(&self, jobs: &mut Vec<Box<dyn Job>>, patience: &mut u32) {
        let before = jobs.len();
        self.queue.take_now(jobs);
        while jobs.len() == before && before > 1 && *patience > 0 {
            *patience -= 1;
            std::thread::yield_now();
            self.queue.take_now(jobs);
        }
    }

    fn look_for_others(&mut self) {
        self.looked = Instant::now();
        self.snapshots.end_old();
        let version = self.connection.query_row("PRAGMA data_version", (), |row| row.get(0)).ok();
        if version.is_none() || version != self.seen {
            self.caches.clear();
        }
        self.seen = version;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use grantor_core::store::Store as _;
    use tempfile::TempDir;

    use super::*;
    use crate::sqlite::{Options, Sqlite};

    fn open(folder: &Path) -> Sqlite {
        Sqlite::open(&folder.join("grantor.db"), &Options::default()).expect("opens")
    }

    fn queued(store: &Sqlite) -> Result<Option<i64>, StoreError> {
        let count = "SELECT count(*) FROM outbox_mail";
        store.read(|db| db.one(count, (), crate::columns::single))
    }

    fn insert(db: &Db<'_>, n: u8) -> Result<(), Fault> {
        let row = "INSERT INTO outbox_mail VALUES (?1, x'00', 1, 0, 0, 0)";
        db.run(row, [[n; 16]]).map(drop)
    }

    #[tokio::test]
    async fn a_write_that_fails_takes_nothing_with_it_but_itself() {
        let folder = TempDir::new().expect("a folder");
        let store = open(folder.path());
        // The first one keeps the writer busy, so that the others make one group.
        let slow = store.write(|_| {
            std::thread::sleep(Duration::from_millis(100));
            Ok(())
        });
        let good = store.write(|db| insert(db, 1));
        let broken = store.write(|db| {
            insert(db, 2)?;
            insert(db, 1)
        });
        let panicking = store.write(|db| {
            insert(db, 3)?;
            if db.0.is_autocommit() { Ok(()) } else { panic!("a bug") }
        });
        let unreadable = store.write::<(), _>(|db| {
            insert(db, 4)?;
            Err(Fault::Record("half".to_owned()))
        });
        let last = store.write(|db| insert(db, 5));
        let (slow, good, broken, panicking, unreadable, last) =
            tokio::join!(slow, good, broken, panicking, unreadable, last);
        assert!(slow.is_ok() && good.is_ok() && last.is_ok(), "{good:?} {last:?}");
        assert!(matches!(broken, Err(StoreError::Corrupt(_))), "{broken:?}");
        assert!(matches!(panicking, Err(StoreError::Unavailable(_))), "{panicking:?}");
        assert!(matches!(unreadable, Err(StoreError::Corrupt(_))), "{unreadable:?}");
        assert_eq!(queued(&store).expect("read"), Some(2));
        store.ping().await.expect("goes on");
    }

    #[tokio::test]
    async fn writes_that_wait_are_committed_together() {
        let folder = TempDir::new().expect("a folder");
        let store = open(folder.path());
        let slow = store.write(|_| {
            std::thread::sleep(Duration::from_millis(100));
            Ok(())
        });
        let (one, two) = (store.write(|db| insert(db, 1)), store.write(|db| insert(db, 2)));
        let done = tokio::join!(slow, one, two);
        assert!(done.0.is_ok() && done.1.is_ok() && done.2.is_ok());
        let stats = store.stats();
        // One group, or one for the first and one for the others.
        assert!(stats.commits <= 2 && stats.largest_group >= 2, "{stats:?}");
        assert_eq!((stats.writes, stats.failures), (3, 0));
    }
}
