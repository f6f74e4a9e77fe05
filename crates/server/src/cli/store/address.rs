//! How stores are named on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use grantor_store::sqlite::{Options, Sqlite};
use grantor_store::transfer::Transfer;

use crate::config::Config;

/// A store that is to be opened. A password in it is never shown.
pub(super) enum Address {
    /// A database file.
    Sqlite(PathBuf),
}

impl Address {
    /// Reads `sqlite:PATH`, where PATH is a database or a data folder, or `file:PATH` for a file that
    /// has such an address: arguments can be seen by everybody on the machine.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let Some(path) = text.strip_prefix("file:") else {
            return Self::plain(text);
        };
        let address = std::fs::read_to_string(path);
        let address = address.with_context(|| format!("cannot read the file {path}"))?;
        Self::plain(address.trim()).with_context(|| format!("the file {path}"))
    }

    /// The store of the settings.
    pub(super) fn configured(config: &Config) -> Self {
        Self::Sqlite(database(&config.data))
    }

    fn plain(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(database(Path::new(path))));
        }
        // What it is instead may have a password, and is not repeated.
        bail!(
            "a store is named by sqlite:PATH (a database or a data folder), or by file:PATH (a file that says so)"
        )
    }

    /// What kind of store it is.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// Without a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
        }
    }

    /// Opens what is there already; its records are not changed.
    pub(super) async fn open(&self) -> anyhow::Result<Arc<dyn Transfer>> {
        match self {
            Self::Sqlite(path) => Ok(Arc::new(Sqlite::open_existing(path, &Options::default())?)),
        }
    }

    /// The same; `None` when nothing is there.
    pub(super) async fn look(&self) -> anyhow::Result<Option<Arc<dyn Transfer>>> {
        match self {
            Self::Sqlite(path) if !path.exists() => Ok(None),
            Self::Sqlite(_) => self.open().await.map(Some),
        }
    }

    /// Opens it, or makes it.
    pub(super) async fn make(&self) -> anyhow::Result<Arc<dyn Transfer>> {
        match self {
            Self::Sqlite(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
                }
                Ok(Arc::new(Sqlite::open(path, &Options::default())?))
            }
        }
    }
}

/// The database at a path, which may be the data folder instead.
fn database(path: &Path) -> PathBuf {
    let is_file = path.is_file() || path.extension().is_some_and(|end| end == "db");
    if is_file { path.to_owned() } else { path.join("grantor.db") }
}
