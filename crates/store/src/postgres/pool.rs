//! Connections that one piece of work has for itself: transactions, and statements that may wait.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime};
use grantor_core::store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_postgres::Config;

use super::Options;
use super::connect::{Connector, PoolConnect};
use super::fault::{Fault, describe};
use super::rows::Db;

/// How often work is done that is in the way of others, or they of it.
const TRIES: u32 = 8;

/// The most writes that are under way or wait; more would only wait longer than their callers do.
const MOST_WRITES: u32 = 20_000;

/// What a piece of work is made of: what it needs, and how it is done. It may be done again after
/// its transaction was rolled back.
pub(super) trait Work<A, T>:
    for<'w> Fn(Db<'w>, &'w A) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'w>>
    + Send
    + Sync
    + 'static
{
}

impl<A, T, F> Work<A, T> for F where
    F: for<'w> Fn(Db<'w>, &'w A) -> Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'w>>
        + Send
        + Sync
        + 'static
{
}

/// How work is made atomic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum As {
    /// It is one statement, which is a transaction of its own.
    Statement,
    /// All of its statements together.
    Transaction,
    /// The same, for what changes a record that nodes keep in memory. One such change happens at a
    /// time.
    Change,
}

impl As {
    /// What comes before the statements; `None` for nothing.
    const fn beginning(self) -> Option<&'static str> {
        match self {
            Self::Statement => None,
            Self::Transaction => Some("BEGIN ISOLATION LEVEL READ COMMITTED"),
            Self::Change => Some(
                "BEGIN ISOLATION LEVEL READ COMMITTED;
                 UPDATE cache_generation SET generation = generation + 1 WHERE name = 'records'",
            ),
        }
    }
}

/// The connections.
pub(super) struct Pool {
    pool: deadpool_postgres::Pool,
    size: usize,
    limit: Duration,
    /// One for each write that may begin.
    writes: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(connector: &Arc<Connector>, options: &Options) -> Result<Self, StoreError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connect = PoolConnect(Arc::clone(connector));
        let manager = Manager::from_connect(Config::new(), connect, recycling);
        let size = options.connections.max(1);
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(options.wait))
            .create_timeout(Some(options.statement))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let writes = Arc::new(Semaphore::new(MOST_WRITES as usize));
        Ok(Self { pool, size, limit: options.statement, writes })
    }

    /// Begins a write, which is under way until what is returned is dropped.
    pub(super) fn begin(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.writes).try_acquire_owned().map_err(|_| {
            Fault::Away("too many writes wait for the database, or the store was closed".to_owned())
        })
    }

    /// Waits until no write is under way, lets none begin, and closes the connections that nobody
    /// uses; those that are used are closed as they are given back.
    pub(super) async fn close(&self) {
        let all = self.writes.acquire_many(MOST_WRITES).await;
        self.writes.close();
        drop(all);
        self.pool.close();
    }

    /// Does `work`. Reads see what was committed before each statement; rows that must stay as they
    /// were read are locked.
    pub(super) async fn run<A: Sync, T: Send>(
        &self,
        how: As,
        args: &A,
        work: &impl Work<A, T>,
    ) -> Result<T, Fault> {
        let mut tries = 0;
        loop {
            let connection = self.connection().await?;
            tries += 1;
            match self.attempt(connection, how, args, work).await {
                Err(fault) if fault.may_pass() && tries < TRIES => {
                    sleep(Duration::from_millis(u64::from(tries * tries))).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Does `work` once, and gives the connection back if it is as it was.
    async fn attempt<A: Sync, T: Send>(
        &self,
        connection: Object,
        how: As,
        args: &A,
        work: &impl Work<A, T>,
    ) -> Result<T, Fault> {
        let outcome = timeout(self.limit, within(how, &connection, args, work)).await;
        let outcome = outcome
            .unwrap_or_else(|_| Err(Fault::Away("the database did not answer in time".to_owned())));
        let Err(fault) = &outcome else {
            return outcome;
        };
        let as_it_was = match how {
            _ if fault.of_the_connection() => false,
            As::Statement => true,
            As::Transaction | As::Change => {
                let rollback = timeout(self.limit, connection.batch_execute("ROLLBACK")).await;
                matches!(rollback, Ok(Ok(())))
            }
        };
        if !as_it_was {
            drop(Object::take(connection));
        }
        outcome
    }

    async fn connection(&self) -> Result<Object, Fault> {
        self.pool.get().await.map_err(|error| {
            Fault::Away(match error {
                PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => {
                    format!("all {} connections to the database are in use", self.size)
                }
                PoolError::Backend(error) => {
                    format!("the database cannot be reached: {}", describe(&error))
                }
                error => format!("there is no connection to the database: {error}"),
            })
        })
    }
}

async fn within<A: Sync, T: Send>(
    how: As,
    connection: &Object,
    args: &A,
    work: &impl Work<A, T>,
) -> Result<T, Fault> {
    let work = work(Db(connection), args);
    let Some(beginning) = how.beginning() else {
        return work.await;
    };
    // The first statement is sent right behind, without waiting for an answer. Where the beginning
    // fails the connection has broken, and the work fails too.
    let (begun, outcome) = tokio::join!(connection.batch_execute(beginning), work);
    begun?;
    let outcome = outcome?;
    connection.batch_execute("COMMIT").await?;
    Ok(outcome)
}
