//! Connections that only read, used where the caller stands: a read is a few microseconds, which
//! is less than handing it to another thread would take.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::Options;
use super::fault::Fault;
use super::open;
use super::rows::Db;

/// The pool.
pub(super) struct Readers {
    pool: Vec<Mutex<Connection>>,
}

impl Readers {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, Fault> {
        let pool = (0..options.readers.max(1))
            .map(|_| open::reader(path, options, options.reader_cache_kib).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { pool })
    }

    /// Reads in a transaction of its own.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Db<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let connection = free(&self.pool);
        read(&Db(&connection))
    }
}

/// One that nobody uses, the one that this thread has used before if possible.
pub(super) fn free<T>(pool: &[Mutex<T>]) -> MutexGuard<'_, T> {
    let own = own_number() % pool.len();
    let (before, after) = pool.split_at(own);
    let free = after.iter().chain(before).find_map(|one| one.try_lock().ok());
    free.unwrap_or_else(|| pool[own].lock().unwrap_or_else(PoisonError::into_inner))
}

/// A number for each thread, so that threads keep out of each other's way.
fn own_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    OWN.with(|own| *own)
}
