//! `grantor config`.

use std::process::ExitCode;

use clap::Subcommand;

use super::output::{json, say};
use super::settings::Place;
use crate::config;

/// The settings.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the settings in effect, without the secrets; say everything that is wrong with them.
    Check {
        /// Print JSON instead of TOML.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file.
    Schema,
    /// Print the reference of all settings as Markdown: docs/configuration.md.
    Reference,
}

pub(super) fn run(command: &ConfigCommand, place: &Place) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check { json: true } => json(&place.load_whole()?)?,
        ConfigCommand::Check { json: false } => say(place.load_whole()?.effective().trim_end()),
        ConfigCommand::Schema => json(&config::schema())?,
        ConfigCommand::Reference => say(config::reference().trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}
