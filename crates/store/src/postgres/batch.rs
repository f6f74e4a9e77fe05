//! Writes of many callers that go into one statement: those that come while one is under way make
//! up the next. Each is answered after the commit.

use std::sync::Arc;

use grantor_core::store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::fault::Fault;
use super::pool::{As, Pool, Work};

/// The most writes of a kind that wait; more would only wait longer than their callers do.
const MOST: usize = 10_000;

/// The most writes that go into one statement.
const LARGEST: usize = 512;

/// Takes writes of one kind. They happen whether or not anybody still waits for them.
pub(super) struct Batcher<J, T> {
    queue: mpsc::Sender<Job<J, T>>,
    pool: Arc<Pool>,
}

struct Job<J, T> {
    what: J,
    reply: Reply<T>,
}

/// Who waits for an outcome. The write is under way until this is dropped.
struct Reply<T> {
    caller: oneshot::Sender<Result<T, StoreError>>,
    _begun: OwnedSemaphorePermit,
}

impl<J: Send + Sync + 'static, T: Send + 'static> Batcher<J, T> {
    /// Starts to take writes; `work` does those of a batch, and answers each in its place.
    pub(super) fn start(pool: &Arc<Pool>, how: As, work: impl Work<Vec<J>, Vec<T>>) -> Self {
        let (sender, queue) = mpsc::channel(MOST);
        tokio::spawn(serve(queue, Arc::clone(pool), how, Arc::new(work)));
        Self { queue: sender, pool: Arc::clone(pool) }
    }

    /// Has a write done, and answers when it is durable.
    pub(super) async fn add(&self, what: J) -> Result<T, StoreError> {
        let begun = self.pool.begin().map_err(|fault| fault.told())?;
        let (caller, answer) = oneshot::channel();
        let reply = Reply { caller, _begun: begun };
        self.queue.try_send(Job { what, reply }).map_err(|_| {
            StoreError::Unavailable("too many writes wait for the database".to_owned())
        })?;
        answer.await.unwrap_or_else(|_| Err(Fault::Panicked.told()))
    }
}

async fn serve<J: Send + Sync + 'static, T: Send + 'static>(
    mut queue: mpsc::Receiver<Job<J, T>>,
    pool: Arc<Pool>,
    how: As,
    work: Arc<impl Work<Vec<J>, Vec<T>>>,
) {
    let mut jobs = Vec::new();
    while queue.recv_many(&mut jobs, LARGEST).await > 0 {
        let jobs = std::mem::take(&mut jobs);
        let batch = batch(Arc::clone(&pool), how, Arc::clone(&work), jobs);
        // In a task of its own, so that a bug does not end this one.
        if let Err(error) = tokio::spawn(batch).await {
            tracing::error!(%error, "a batch of writes stopped");
        }
    }
}

/// Does all of it at once or, when one write fails for a reason of its own, each by itself.
async fn batch<J: Send + Sync, T: Send>(
    pool: Arc<Pool>,
    how: As,
    work: Arc<impl Work<Vec<J>, Vec<T>>>,
    jobs: Vec<Job<J, T>>,
) {
    let (what, replies): (Vec<_>, Vec<_>) =
        jobs.into_iter().map(|job| (job.what, job.reply)).unzip();
    match pool.run(how, &what, &*work).await {
        Ok(answers) => {
            for (reply, answer) in replies.into_iter().zip(answers) {
                tell(reply, Ok(answer));
            }
        }
        Err(fault) if what.len() == 1 || fault.of_the_store() => {
            tracing::warn!(?fault, writes = what.len(), "a batch of writes was not committed");
            for reply in replies {
                tell(reply, Err(fault.told()));
            }
        }
        Err(_) => {
            for (one, reply) in what.into_iter().zip(replies) {
                let answer = pool.run(how, &vec![one], &*work).await;
                let answer = answer.map_err(|fault| fault.told());
                tell(reply, answer.and_then(|mut one| one.pop().ok_or(Fault::Panicked.told())));
            }
        }
    }
}

fn tell<T>(reply: Reply<T>, answer: Result<T, StoreError>) {
    // A caller that has stopped waiting does not need it.
    drop(reply.caller.send(answer));
}
