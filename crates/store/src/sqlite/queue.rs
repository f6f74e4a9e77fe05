//! Writes on their way to the writer thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantor_core::store::StoreError;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::rows::Db;

/// The most writes that wait; more would only wait longer than their callers do.
const MOST: usize = 10_000;

/// A write that owns all that it needs, so that nobody has to wait for it to happen.
/// It may be run again after its transaction was rolled back.
pub(super) trait Job: Send {
    /// Does the work and keeps the outcome for later.
    fn run(&mut self, db: &Db<'_>) -> Result<(), Fault>;

    /// Whether the work changes what is known about clients.
    fn changes_clients(&self) -> bool;

    /// Tells the outcome, or why there is none. The caller may have gone away.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
}

/// A job made of a closure.
pub(super) struct Task<T, F> {
    pub(super) work: F,
    pub(super) outcome: Option<T>,
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
    pub(super) changes_clients: bool,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnMut(&Db<'_>) -> Result<T, Fault> + Send,
{
    fn run(&mut self, db: &Db<'_>) -> Result<(), Fault> {
        self.outcome = Some((self.work)(db)?);
        Ok(())
    }

    fn changes_clients(&self) -> bool {
        self.changes_clients
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let answer = match (failure, self.outcome) {
            (None, Some(outcome)) => Ok(outcome),
            (Some(failure), _) => Err(failure),
            (None, None) => Err(Fault::Panicked.told()),
        };
        // A caller that has stopped waiting does not need it.
        drop(self.reply.send(answer));
    }
}

/// The queue: callers push one by one, the writer takes everything at once. The writer is woken
/// only when it sleeps; while it commits, callers cost it no system call.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Box<dyn Job>>,
    asleep: bool,
    closed: bool,
}

/// What the writer found.
pub(super) enum Taken {
    /// Jobs to do.
    Jobs,
    /// Nothing for as long as it wanted to wait.
    Nothing,
    /// Nothing, and nothing will come.
    Closed,
}

impl Queue {
    pub(super) fn push(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.closed {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        if state.jobs.len() >= MOST {
            return Err(StoreError::Unavailable("too many writes wait for the disk".to_owned()));
        }
        state.jobs.push(job);
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Moves all jobs to `into`, which must be empty, waiting at most `patience` for the first.
    pub(super) fn take(&self, into: &mut Vec<Box<dyn Job>>, patience: Duration) -> Taken {
        let mut state = self.state();
        if state.jobs.is_empty() && !state.closed {
            state.asleep = true;
            let wait = self.wake.wait_timeout_while(state, patience, |state| {
                state.jobs.is_empty() && !state.closed
            });
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
            state.asleep = false;
        }
        std::mem::swap(&mut state.jobs, into);
        match (into.is_empty(), state.closed) {
            (false, _) => Taken::Jobs,
            (true, false) => Taken::Nothing,
            (true, true) => Taken::Closed,
        }
    }

    /// Takes no more jobs.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
