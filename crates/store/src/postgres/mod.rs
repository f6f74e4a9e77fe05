//! The Postgres back end: one database for any number of nodes.
//!
//! Look-ups are sent over a few connections that all share; writes that may have to wait for each
//! other have a connection of their own for their short life; what comes often and in great numbers
//! is gathered, and written in one statement. Plain SQL only, so that databases that speak like
//! Postgres will do. Statements see what was committed before they began (READ COMMITTED), and what
//! must not change between two of them is locked.

mod api_keys;
mod audit;
mod batch;
mod clients;
mod codes;
mod connect;
mod connect_sessions;
mod connection_rows;
mod connections;
mod consents;
mod data_keys;
mod devices;
mod external;
mod fault;
mod guarantees;
mod initial_tokens;
mod limits;
mod lines;
mod migrate;
mod notices;
mod once;
mod outbox;
mod pauses;
mod pool;
mod recorded;
mod refreshes;
mod requests;
mod rows;
mod selections;
mod server_secrets;
mod sessions;
mod sign_in;
mod signing_keys;
mod sweep;
mod tls;
mod tokens;
mod transfer;
mod url;
mod users;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use grantor_core::id::ConnectionId;
use grantor_core::model::{AccessToken, AuditEvent};
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Timestamp;
use tokio::time::timeout;

use crate::cache::Caches;
use crate::columns::{Columns, Unreadable, Value, single};
use batch::Batcher;
use connect::Connector;
use fault::Fault;
use lines::Lines;
use pool::{As, Pool, Work};
use rows::Db;
use sweep::Sweeper;
use watch::Watch;

/// How the database is used. The defaults fit four nodes on a server with 100 connections.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections that look-ups share.
    pub lines: usize,
    /// Connections that a write has for itself; more writes at once wait for one.
    pub connections: usize,
    /// How long to wait for a connection before the store is unavailable.
    pub wait: Duration,
    /// How long a statement, or a whole transaction, may take.
    pub statement: Duration,
    /// The authorities that the server's certificate must be from, a file in PEM. They count where
    /// the URL has no `sslrootcert`; where it has no `sslmode` either, that is `verify-full` then.
    pub authorities: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lines: 2,
            connections: 16,
            wait: Duration::from_secs(2),
            statement: Duration::from_secs(5),
            authorities: None,
        }
    }
}

/// A database in use. Writes that were begun when it is dropped are finished by tasks of the runtime,
/// as long as there is one; [`Postgres::close`] waits for them.
pub struct Postgres {
    connector: Arc<Connector>,
    lines: Lines,
    pool: Arc<Pool>,
    caches: Arc<Caches>,
    watch: Arc<Watch>,
    sweeper: Sweeper,
    issued: Batcher<AccessToken, ()>,
    audited: Batcher<Vec<AuditEvent>, ()>,
    used_connections: Batcher<Vec<(ConnectionId, Timestamp)>, ()>,
    used_keys: Batcher<Vec<(String, Timestamp)>, ()>,
}

impl Postgres {
    /// Connects to the database at `url`, which libpq would understand too, and brings its schema up
    /// to date. The error says what to do, and does not have the password.
    pub async fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        let connector = connector(url, options)?;
        let first = first_connection(&connector, options).await?;
        migrate::run(Db(&first), &connector).await?;
        Self::start(connector, options)
    }

    /// Connects to a database that has the schema of this version: nothing in it is changed. `None`
    /// when it has no tables of ours.
    pub async fn open_existing(url: &str, options: &Options) -> Result<Option<Self>, StoreError> {
        let connector = connector(url, options)?;
        let first = first_connection(&connector, options).await?;
        match migrate::is_there(Db(&first), &connector).await? {
            true => Self::start(connector, options).map(Some),
            false => Ok(None),
        }
    }

    fn start(connector: Arc<Connector>, options: &Options) -> Result<Self, StoreError> {
        let pool = Arc::new(Pool::new(&connector, options)?);
        let caches = Arc::new(Caches::default());
        Ok(Self {
            lines: Lines::start(&connector, options),
            watch: Arc::new(Watch::start(&connector, &caches)),
            caches,
            sweeper: Sweeper::default(),
            issued: tokens::batches(&pool),
            audited: audit::batches(&pool),
            used_connections: connections::batches(&pool),
            used_keys: api_keys::batches(&pool),
            pool,
            connector,
        })
    }

    /// Waits for the writes that were begun, which is no longer than they may take, and lets no other
    /// begin: later ones are unavailable, and so are large reads. Look-ups go on, and the last
    /// connections are closed when the store is dropped. A write whose server went away meanwhile is
    /// answered as unavailable; whether it was committed is not known then, as ever.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The server's time of day, in milliseconds since the epoch, at a moment before this answers.
    pub async fn time(&self) -> Result<u64, StoreError> {
        let clock = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let told = self.look(clock, &[], single).await?;
        told.ok_or_else(|| StoreError::Corrupt("the database does not tell the time".to_owned()))
    }

    /// The first row that a statement finds which only reads, and quickly.
    async fn look<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = self.look_all(sql, values, read).await?;
        Ok((!found.is_empty()).then(|| found.swap_remove(0)))
    }

    /// All rows that a statement finds which only reads, and quickly.
    async fn look_all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: fn(&mut Columns<'_>) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, StoreError> {
        self.lines.look_all(sql, values, read).await.map_err(|fault| fault.told())
    }

    /// Reads what may be much, without holding up others.
    async fn read<A, T>(&self, args: A, work: impl Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync,
        T: Send,
    {
        self.pool.run(As::Statement, &args, &work).await.map_err(|fault| fault.told())
    }

    /// Writes with one statement. Once polled it happens, whether or not anybody waits for it.
    async fn write_one<A, T>(&self, args: A, work: impl Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let pool = Arc::clone(&self.pool);
        self.owned(async move { pool.run(As::Statement, &args, &work).await }).await
    }

    /// Writes in a transaction; `work` may be done again after a rollback.
    async fn write<A, T>(&self, args: A, work: impl Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let pool = Arc::clone(&self.pool);
        self.owned(async move { pool.run(As::Transaction, &args, &work).await }).await
    }

    /// The same, for what changes records that are kept in memory. One such change happens at a
    /// time, in all nodes.
    async fn write_cached<A, T>(&self, args: A, work: impl Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (pool, caches) = (Arc::clone(&self.pool), Arc::clone(&self.caches));
        let watch = Arc::clone(&self.watch);
        self.owned(async move {
            let outcome = pool.run(As::Change, &args, &work).await;
            // Also where nobody knows whether it was committed.
            caches.clear();
            watch.tell();
            outcome
        })
        .await
    }

    /// Does a write in a task of its own, so that it is finished even when nobody waits any more.
    async fn owned<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = self.pool.begin().map_err(|fault| fault.told())?;
        let task = tokio::spawn(async move {
            let outcome = work.await;
            drop(begun);
            outcome
        });
        let outcome = task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a write stopped");
            Err(Fault::Panicked)
        });
        outcome.map_err(|fault| fault.told())
    }
}

#[async_trait]
impl Store for Postgres {
    async fn ping(&self) -> Result<(), StoreError> {
        self.look("SELECT 1", &[], |_| Ok(())).await?;
        let write = "UPDATE store_lock SET used_at = used_at + 1 WHERE name = 'ping'";
        self.write_one((), move |db, ()| {
            Box::pin(async move { db.run(write, &[]).await.map(drop) })
        })
        .await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.sweeper.sweep(self, now, limit).await
    }
}

fn connector(url: &str, options: &Options) -> Result<Arc<Connector>, StoreError> {
    let (config, protection) = url::read(url, options)?;
    Ok(Arc::new(Connector::new(config, tls::connector(&protection)?, options)))
}

async fn first_connection(
    connector: &Connector,
    options: &Options,
) -> Result<ClientWrapper, StoreError> {
    let place = connector.place();
    let opened = timeout(options.wait + options.statement, connector.open(None)).await;
    let opened = opened.map_err(|_| {
        StoreError::Unavailable(format!("{place} does not answer. Is the server running?"))
    })?;
    let opened = opened.map_err(|error| match Fault::from(error).told() {
        StoreError::Unavailable(text) => StoreError::Unavailable(format!("{place}: {text}")),
        StoreError::Corrupt(text) => StoreError::Corrupt(format!("{place}: {text}")),
    })?;
    Ok(ClientWrapper::new(opened.client, opened.task))
}
