//! Checkpoints, on a connection and a thread of their own: the writer never waits while pages are
//! copied from the write-ahead log into the database, and the log does not grow without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use grantor_core::store::StoreError;
use rusqlite::Connection;

use super::snapshots::Snapshots;
use super::stats::Counters;

/// Writes after which the log is worth copying.
const ENOUGH: usize = 4_000;

/// How long the log may wait when there is less to copy.
const PATIENCE: Duration = Duration::from_secs(1);

/// The end that the writer holds.
pub(super) struct Checkpointer {
    written: Arc<AtomicUsize>,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread. The log is started over when it has more than `most_frames`.
    pub(super) fn start(
        connection: Connection,
        most_frames: u32,
        snapshots: Arc<Snapshots>,
        counters: Arc<Counters>,
    ) -> Result<Self, StoreError> {
        let written = Arc::new(AtomicUsize::new(0));
        let (wake, woken) = sync_channel(1);
        let thread = Thread {
            connection,
            written: Arc::clone(&written),
            snapshots,
            counters,
            most_frames: u64::from(most_frames),
        };
        let handle = std::thread::Builder::new()
            .name("sqlite-checkpoint".to_owned())
            .spawn(move || thread.serve(&woken))
            .map_err(|error| StoreError::Unavailable(format!("cannot start a thread: {error}")))?;
        Ok(Self { written, wake: Some(wake), thread: Some(handle) })
    }

    /// Counts writes, and wakes the thread when there are enough.
    pub(super) fn written(&self, writes: usize) {
        let before = self.written.fetch_add(writes, Ordering::Relaxed);
        if before + writes < ENOUGH {
            return;
        }
        match self.wake.as_ref().map(|wake| wake.try_send(())) {
            // Full: it is awake already.
            Some(Ok(()) | Err(TrySendError::Full(()))) | None => {}
            Some(Err(TrySendError::Disconnected(()))) => {
                tracing::error!("the checkpoint thread of the store is gone; its log will grow");
            }
        }
    }

    /// Copies what is left and ends the thread.
    pub(super) fn close(&mut self) {
        self.wake = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the checkpoint thread of the store has panicked");
        }
    }
}

struct Thread {
    connection: Connection,
    written: Arc<AtomicUsize>,
    snapshots: Arc<Snapshots>,
    counters: Arc<Counters>,
    most_frames: u64,
}

impl Thread {
    fn serve(&self, woken: &Receiver<()>) {
        let mut dirty = true;
        while woken.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Disconnected) {
            let busy = self.written.swap(0, Ordering::Relaxed) > 0;
            if busy {
                self.catch_up();
            } else if dirty {
                self.start_over("PRAGMA wal_checkpoint(TRUNCATE)");
            }
            dirty = busy;
        }
        self.start_over("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Copies while the writer goes on. Under load that never reaches the end of the log, so when
    /// the log is long, the rest is copied with the writer held up, which then starts it over.
    fn catch_up(&self) {
        let frames = self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
        if frames > self.most_frames {
            self.start_over("PRAGMA wal_checkpoint(RESTART)");
        }
    }

    fn start_over(&self, pragma: &str) {
        self.snapshots.resting(|| self.checkpoint(pragma));
    }

    fn checkpoint(&self, pragma: &str) -> u64 {
        match self.connection.query_row(pragma, (), |row| row.get::<_, i64>(1)) {
            Ok(frames) => {
                let frames = u64::try_from(frames).unwrap_or(0);
                self.counters.checkpointed(frames);
                frames
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log was not copied; trying again later");
                0
            }
        }
    }
}
