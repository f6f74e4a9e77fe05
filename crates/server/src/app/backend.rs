//! The store as what it is, where that matters: how it is opened, what it reports, how it ends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use grantor_core::store::{Store, StoreError};
use grantor_store::postgres::{self, Postgres};
use grantor_store::redis::{self, Redis};
use grantor_store::sqlite::{self, Sqlite};
use grantor_store::transfer::{Transfer, refuse_half};

use super::{make_folder, ring};
use crate::config::{self, Config};

/// The database of a data folder.
const FILE: &str = "grantor.db";

/// A store in use.
#[derive(Clone)]
pub(crate) enum Backend {
    /// A file in the data folder.
    Sqlite(Arc<Sqlite>),
    /// A database of its own, which other nodes may use too.
    Postgres(Arc<Postgres>),
    /// A Redis, which other nodes may use too.
    Redis(Arc<Redis>),
}

/// What a store has written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// Groups that were committed.
    pub(crate) commits: u64,
    /// Writes in them.
    pub(crate) writes: u64,
    /// Time spent in commits.
    pub(crate) commit_time: Duration,
}

impl Backend {
    /// Opens what the settings name. A file that is not there is made; so are the tables of a
    /// database without any.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        make_folder(&config.data)?;
        let own = Self::of(config).await?;
        refuse_half(own.transfer().as_ref()).await?;
        Ok(own)
    }

    async fn of(config: &Config) -> anyhow::Result<Self> {
        match &config.store {
            config::Store::Sqlite => {
                let path = config.data.join(FILE);
                ring::prepare(config, &path)?;
                Self::sqlite(&path)
            }
            config::Store::Postgres(url) => {
                let store = Postgres::open(url, &postgres_options(config)).await;
                Ok(Self::Postgres(Arc::new(store.context("cannot use the Postgres database")?)))
            }
            config::Store::Redis(url) => {
                let store = Redis::open(url, &redis_options(config)).await;
                Ok(Self::Redis(Arc::new(store.context("cannot use Redis")?)))
            }
        }
    }

    fn sqlite(path: &Path) -> anyhow::Result<Self> {
        let store = Sqlite::open(path, &sqlite::Options::default());
        let store = store.with_context(|| format!("cannot use the database {}", path.display()))?;
        Ok(Self::Sqlite(Arc::new(store)))
    }

    /// As those see it who do not care which one it is.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
            Self::Redis(store) => store.clone(),
        }
    }

    /// Whether other nodes may use it at the same time.
    pub(crate) const fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(_) | Self::Redis(_) => true,
        }
    }

    /// The time of day as the store has it, in milliseconds since the epoch; `None` for a file.
    pub(crate) async fn time(&self) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(store) => store.time().await.map(Some),
            Self::Redis(store) => store.time().await.map(Some),
        }
    }

    /// As those see it who carry all of it elsewhere.
    pub(crate) fn transfer(&self) -> Arc<dyn Transfer> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store) => store.clone(),
            Self::Redis(store) => store.clone(),
        }
    }

    /// What was written so far, where the store counts it.
    pub(crate) fn written(&self) -> Option<Written> {
        match self {
            Self::Sqlite(store) => {
                let stats = store.stats();
                Some(Written {
                    commits: stats.commits,
                    writes: stats.writes,
                    commit_time: stats.commit_time,
                })
            }
            Self::Postgres(_) | Self::Redis(_) => None,
        }
    }

    /// What can be lost with the servers as they are configured, each as a sentence.
    pub(crate) async fn guarantees(&self) -> Vec<String> {
        match self {
            // Written with full sync.
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(store) => match store.guarantees().await {
                Ok(told) => told.into_iter().map(str::to_owned).collect(),
                Err(error) => vec![format!("what the database promises is not known: {error}")],
            },
            Self::Redis(store) => store.guarantees().await,
        }
    }

    /// Finishes what was begun. The store is of no use after that.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self {
            // Away from the threads of the runtime.
            Self::Sqlite(store) => tokio::task::spawn_blocking(move || store.close()).await?,
            Self::Postgres(store) => store.close().await,
            Self::Redis(store) => store.close().await,
        }
        Ok(())
    }
}

fn postgres_options(config: &Config) -> postgres::Options {
    let own = &config.postgres;
    postgres::Options {
        connections: usize::try_from(own.connections).unwrap_or(usize::MAX),
        wait: own.wait.duration(),
        statement: own.statement_timeout.duration(),
        authorities: own.ca_file.clone(),
        ..postgres::Options::default()
    }
}

fn redis_options(config: &Config) -> redis::Options {
    let own = &config.redis;
    redis::Options {
        prefix: own.prefix.clone(),
        time_limit: own.timeout.duration(),
        wait_replicas: own.wait_replicas,
        wait_limit: own.wait_timeout.duration(),
        keeps_acknowledged: own.keeps_acknowledged,
        authorities: own.ca_file.clone(),
        ..redis::Options::default()
    }
}
