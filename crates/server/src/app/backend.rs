//! The store as what it is, where that matters: how it is opened, what it reports, how it ends.

use std::path::{Path, PathBuf};
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
pub(crate) const FILE: &str = "grantor.db";

const IN_POSTGRES: &str = "cannot use the Postgres database";
const IN_REDIS: &str = "cannot use Redis";

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

/// Where a store is.
pub(crate) enum Location {
    /// A database file.
    Sqlite(PathBuf),
    /// A Postgres database, by its URL.
    Postgres(String),
    /// A Redis, by its URL.
    Redis(String),
}

impl Location {
    /// What the settings name.
    pub(crate) fn of(config: &Config) -> Self {
        match &config.store {
            config::Store::Sqlite => Self::Sqlite(config.data.join(FILE)),
            config::Store::Postgres(url) => Self::Postgres(url.clone()),
            config::Store::Redis(url) => Self::Redis(url.clone()),
        }
    }
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
    /// database without any. What is the half of a copy is refused.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        make_folder(&config.data)?;
        let location = Location::of(config);
        if let Location::Sqlite(path) = &location {
            ring::prepare(config, path)?;
        }
        let own = Self::make(&location, config).await?;
        refuse_half(own.transfer().as_ref()).await?;
        Ok(own)
    }

    /// Opens a store or makes it, used as the settings say.
    pub(crate) async fn make(location: &Location, config: &Config) -> anyhow::Result<Self> {
        Ok(match location {
            Location::Sqlite(path) => {
                let store = Sqlite::open(path, &sqlite::Options::default());
                Self::Sqlite(Arc::new(store.with_context(|| in_file(path))?))
            }
            Location::Postgres(url) => {
                let store = Postgres::open(url, &postgres_options(config)).await;
                Self::Postgres(Arc::new(store.context(IN_POSTGRES)?))
            }
            Location::Redis(url) => {
                let store = Redis::open(url, &redis_options(config)).await;
                Self::Redis(Arc::new(store.context(IN_REDIS)?))
            }
        })
    }

    /// Opens a store that is there and up to date; its records are not changed. `None` when nothing
    /// is there.
    pub(crate) async fn existing(
        location: &Location,
        config: &Config,
    ) -> anyhow::Result<Option<Self>> {
        Ok(match location {
            Location::Sqlite(path) => {
                let store = Sqlite::open_existing(path, &sqlite::Options::default());
                store.with_context(|| in_file(path))?.map(|own| Self::Sqlite(Arc::new(own)))
            }
            Location::Postgres(url) => {
                let store = Postgres::open_existing(url, &postgres_options(config)).await;
                store.context(IN_POSTGRES)?.map(|own| Self::Postgres(Arc::new(own)))
            }
            Location::Redis(url) => {
                let store = Redis::open_existing(url, &redis_options(config)).await;
                store.context(IN_REDIS)?.map(|own| Self::Redis(Arc::new(own)))
            }
        })
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

fn in_file(path: &Path) -> String {
    format!("cannot use the database {}", path.display())
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
