//! Where a command finds its settings.

use std::path::PathBuf;

use clap::Args;

use crate::app::vault;
use crate::config::{Config, Loader};

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// The configuration file (TOML). None is needed.
    #[arg(long, global = true, value_name = "FILE", env = "GRANTOR_CONFIG")]
    config: Option<PathBuf>,
    /// The folder of the database and the keys [default: data; for demo: demo-data]
    #[arg(long, global = true, value_name = "DIR", env = "GRANTOR_DATA")]
    data: Option<PathBuf>,
}

impl Place {
    /// The settings: defaults, then the file, then the environment, then the command line.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        self.load_between(Loader::new(), |loader| loader)
    }

    /// The same, and whether providers and integrations can be used.
    pub(super) fn load_whole(&self) -> anyhow::Result<Config> {
        let config = self.load()?;
        vault::policy(&config)?;
        Ok(config)
    }

    /// The settings over presets, which everything else overrides, and under what overrides all.
    pub(super) fn load_between(
        &self,
        presets: Loader,
        overrides: impl FnOnce(Loader) -> Loader,
    ) -> anyhow::Result<Config> {
        let mut loader = presets;
        if let Some(file) = &self.config {
            loader = loader.file(file);
        }
        // A variable that is not text cannot be one of ours.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        loader = loader.environment(variables);
        if let Some(data) = &self.data {
            loader = loader.set("data", data.display().to_string());
        }
        Ok(overrides(loader).load()?)
    }
}
