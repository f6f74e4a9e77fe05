//! What the writer has done, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters since the store was opened. Differences of two readings are rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Groups that were committed.
    pub commits: u64,
    /// Writes in them; divided by `commits`, the size of a group.
    pub writes: u64,
    /// The largest group.
    pub largest_group: u64,
    /// Time spent in commits, which is mostly waiting for the disk.
    pub commit_time: Duration,
    /// The longest commit.
    pub longest_commit: Duration,
    /// Groups that could not be committed.
    pub failures: u64,
    /// Writes that wait.
    pub queued: u64,
    /// Frames in the write-ahead log at the last checkpoint.
    pub wal_frames: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    largest_group: AtomicU64,
    commit_nanos: AtomicU64,
    longest_nanos: AtomicU64,
    failures: AtomicU64,
    wal_frames: AtomicU64,
}

impl Counters {
    pub(super) fn committed(&self, writes: usize, took: Duration) {
        let writes = u64::try_from(writes).unwrap_or(u64::MAX);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes, Ordering::Relaxed);
        self.largest_group.fetch_max(writes, Ordering::Relaxed);
        self.commit_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn checkpointed(&self, frames: u64) {
        self.wal_frames.store(frames, Ordering::Relaxed);
    }

    pub(super) fn read(&self, queued: usize) -> Stats {
        Stats {
            commits: self.commits.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            largest_group: self.largest_group.load(Ordering::Relaxed),
            commit_time: Duration::from_nanos(self.commit_nanos.load(Ordering::Relaxed)),
            longest_commit: Duration::from_nanos(self.longest_nanos.load(Ordering::Relaxed)),
            failures: self.failures.load(Ordering::Relaxed),
            queued: u64::try_from(queued).unwrap_or(u64::MAX),
            wal_frames: self.wal_frames.load(Ordering::Relaxed),
        }
    }
}
