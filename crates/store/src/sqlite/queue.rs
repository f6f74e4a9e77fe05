//! Writes on their way to the writer thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantor_core::store::StoreError;
use tokio::sync::oneshot;

use super::fault::Fault;
use super::rows::Db;

/// The most writes that wait; more would only wait longer than their callers do.
const MOST: usize = 10_000;

/// Who has to see what a write changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Those who read the audit log alone.
    Logged,
    /// Every read from now on.
    Changed,
    /// Every read from now on, and it is of a kind that is kept in memory.
    ChangedCached,
}

/// A write that owns all that it needs, so that nobody has to wait for it to happen.
/// It may be run again after its transaction was rolled back.
pub(super) trait Job: Send {
    /// Does the work and keeps the outcome for later.
    fn run(&mut self, db: &Db<'_>) -> Result<(), Fault>;

    /// Who has to see what the work changes.
    fn effect(&self) -> Effect;

    /// Tells the outcome, or why there is none, and hands on the answers of others. The caller may
    /// have gone away.
    fn answer(self: Box<Self>, failure: Option<StoreError>, others: Answers);
}

/// Answers that one caller passes on to others when it drops them. The writer wakes the first caller
/// of a group, and that one, on a thread of the runtime, the rest: waking a task from there costs no
/// system call, from the writer's thread nearly always one.
#[derive(Default)]
pub(super) struct Answers(Vec<(Box<dyn Job>, Option<StoreError>)>);

impl Answers {
    /// The answers to a group that was committed, or not: then with the reason for each.
    pub(super) fn to(
        jobs: impl Iterator<Item = Box<dyn Job>>,
        failure: impl Fn() -> Option<StoreError>,
    ) -> Self {
        Self(jobs.map(|job| (job, failure())).collect())
    }

    /// Wakes the first caller, with the rest.
    pub(super) fn tell_first(mut self) {
        if let Some((first, failure)) = self.0.pop() {
            first.answer(failure, self);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        for (job, failure) in self.0.drain(..) {
            job.answer(failure, Self::default());
        }
    }
}

/// What a caller is told.
pub(super) struct Reply<T> {
    pub(super) outcome: Result<T, StoreError>,
    /// Dropped as soon as it is here.
    pub(super) others: Answers,
}

/// A job made of a closure.
pub(super) struct Task<T, F> {
    pub(super) work: F,
    pub(super) outcome: Option<T>,
    pub(super) reply: oneshot::Sender<Reply<T>>,
    pub(super) effect: Effect,
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

    fn effect(&self) -> Effect {
        self.effect
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>, others: Answers) {
        let outcome = match (failure, self.outcome) {
            (None, Some(outcome)) => Ok(outcome),
            (Some(failure), _) => Err(failure),
            (None, None) => Err(Fault::Panicked.told()),
        };
        // A caller that has stopped waiting does not need it; what it would have passed on comes back
        // and is told here.
        drop(self.reply.send(Reply { outcome, others }));
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

    /// Adds the jobs that wait to `into`, without waiting for any.
    pub(super) fn take_now(&self, into: &mut Vec<Box<dyn Job>>) {
        into.append(&mut self.state().jobs);
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
