//! How stores are named on the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::app::backend::{Backend, FILE, Location};
use crate::config::{self, Config};

/// A store that is to be opened.
pub(super) struct Address {
    location: Location,
    /// Without a password.
    shown: String,
}

impl Address {
    /// Reads `sqlite:PATH`, where PATH is a database or a data folder, the URL of a Postgres database
    /// or of Redis, or `file:PATH` for a file that has one of these: arguments can be seen by
    /// everybody on the machine.
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
        Self::at(Location::of(config))
    }

    fn plain(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::at(Location::Sqlite(database(Path::new(path)))));
        }
        match text.parse() {
            Ok(config::Store::Postgres(url)) => Ok(Self::at(Location::Postgres(url))),
            Ok(config::Store::Redis(url)) => Ok(Self::at(Location::Redis(url))),
            // What it is instead may have a password, and is not repeated.
            Ok(config::Store::Sqlite) | Err(_) => bail!(
                "a store is named by sqlite:PATH (a database or a data folder), postgres://…, redis://… (or rediss://, redis+sentinel://, redis+cluster://), or file:PATH (a file that says so)"
            ),
        }
    }

    fn at(location: Location) -> Self {
        let shown = match &location {
            Location::Sqlite(path) => format!("sqlite:{}", path.display()),
            Location::Postgres(url) => config::Store::Postgres(url.clone()).to_string(),
            Location::Redis(url) => config::Store::Redis(url.clone()).to_string(),
        };
        Self { location, shown }
    }

    /// What kind of store it is.
    pub(super) const fn kind(&self) -> &'static str {
        match self.location {
            Location::Sqlite(_) => "sqlite",
            Location::Postgres(_) => "postgres",
            Location::Redis(_) => "redis",
        }
    }

    /// Without a password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Opens what is there; its records are not changed.
    pub(super) async fn open(&self, config: &Config) -> anyhow::Result<Backend> {
        match self.look(config).await? {
            Some(own) => Ok(own),
            None => bail!("there is no store of Grantor at {}", self.shown),
        }
    }

    /// The same; `None` when nothing is there.
    pub(super) async fn look(&self, config: &Config) -> anyhow::Result<Option<Backend>> {
        Backend::existing(&self.location, config).await
    }

    /// Opens it, or makes it.
    pub(super) async fn make(&self, config: &Config) -> anyhow::Result<Backend> {
        if let Location::Sqlite(path) = &self.location
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Backend::make(&self.location, config).await
    }
}

/// The database at a path, which may be the data folder instead.
fn database(path: &Path) -> PathBuf {
    let is_file = path.is_file() || path.extension().is_some_and(|end| end == "db");
    if is_file { path.to_owned() } else { path.join(FILE) }
}
