//! The store as what it is, where that matters: how it is opened, what it reports, how it ends.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use grantor_core::store::Store;
use grantor_store::sqlite::{self, Sqlite};
use grantor_store::transfer::{Transfer, refuse_half};

use super::{make_folder, ring};
use crate::config::Config;

/// The database of a data folder.
const FILE: &str = "grantor.db";

/// A store in use.
#[derive(Clone)]
pub(crate) enum Backend {
    /// A file in the data folder.
    Sqlite(Arc<Sqlite>),
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
        let path = config.data.join(FILE);
        ring::prepare(config, &path)?;
        let own = Self::sqlite(&path)?;
        refuse_half(own.transfer()).await?;
        Ok(own)
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
        }
    }

    fn transfer(&self) -> &dyn Transfer {
        match self {
            Self::Sqlite(store) => store.as_ref(),
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
        }
    }

    /// Finishes what was begun. The store is of no use after that.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self {
            // Away from the threads of the runtime.
            Self::Sqlite(store) => Ok(tokio::task::spawn_blocking(move || store.close()).await?),
        }
    }
}
