//! `grantor provider`: how providers are spoken to, and whether it works.

mod arrival;
mod attempt;
mod lint;
mod report;
mod trial;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use grantor_core::vault::IntegrationKind;
use grantor_core::vault::provider::{self, Provider};
use serde_json::{Value, json};

use super::output::{Column, json, say, table};
use super::settings::Place;
use crate::app::vault::{descriptions, load};
use crate::config;

/// Providers whose tokens the vault keeps: how they are spoken to.
#[derive(Debug, Subcommand)]
pub(super) enum ProviderCommand {
    /// List the providers: those that are built in, and those of the folder in the settings.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong or suspicious in descriptions, and what to do about it.
    Lint(lint::Lint),
    /// Go through a connect on the terminal: see whether a description and your client work.
    Try(Box<trial::Trial>),
    /// Print every key that a description may have.
    Format {
        /// Print the JSON Schema, for editors, instead of Markdown.
        #[arg(long)]
        schema: bool,
    },
}

pub(super) async fn run(command: ProviderCommand, place: Place) -> anyhow::Result<ExitCode> {
    match command {
        ProviderCommand::List { json } => list(&place, json)?,
        ProviderCommand::Lint(own) => return lint::run(&own, &place),
        ProviderCommand::Try(own) => trial::run(*own, &place).await?,
        ProviderCommand::Format { schema: true } => json(&provider::schema())?,
        ProviderCommand::Format { schema: false } => {
            say(config::sections(&provider::schema()).trim());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(place: &Place, as_json: bool) -> anyhow::Result<()> {
    let files = descriptions(place.load()?.vault.providers.as_deref())?;
    let own: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let providers = load(files)?;
    let source = |name: &str| if own.iter().any(|own| own == name) { "file" } else { "built in" };
    if as_json {
        let all = providers.values().map(|own| object(own, source(&own.name)));
        return json(&all.collect::<Vec<_>>());
    }
    table(
        &[
            Column::Whole("name"),
            Column::Text("provider"),
            Column::Text("from"),
            Column::Text("variables"),
            Column::Text("for"),
            Column::Text("refresh token"),
            Column::Text("revokes"),
        ],
        providers.values().map(|own| row(own, source(&own.name))),
    );
    Ok(())
}

fn row(own: &Provider, source: &str) -> Vec<String> {
    let variables = own.needs().map(|need| match need.default {
        Some(default) => format!("{}={default}", need.name),
        None => need.name.to_owned(),
    });
    let whom = kinds(own).join(", ");
    let refresh = match (own.refreshes(), own.rotates()) {
        (false, _) => "none",
        (true, _) if own.refreshes_by_access_token() => "none: by access token",
        (true, Some(true)) => "for one use",
        (true, Some(false)) => "for many uses",
        (true, None) => "learnt",
    };
    vec![
        own.name.clone(),
        own.label.clone(),
        own.extends().map_or_else(|| source.to_owned(), |base| format!("{source}, {base}")),
        variables.collect::<Vec<_>>().join(", "),
        whom,
        refresh.to_owned(),
        if own.revokes() { "yes" } else { "no" }.to_owned(),
    ]
}

fn kinds(own: &Provider) -> Vec<&'static str> {
    let all = [(IntegrationKind::Person, "persons"), (IntegrationKind::ClientCredentials, "apps")];
    all.into_iter().filter(|(kind, _)| own.offers(*kind)).map(|(_, name)| name).collect()
}

fn object(own: &Provider, source: &str) -> Value {
    let variables = own
        .needs()
        .map(|need| json!({ "name": need.name, "about": need.about, "default": need.default }));
    json!({
        "name": own.name,
        "label": own.label,
        "from": source,
        "extends": own.extends(),
        "documentation": own.documentation().collect::<Vec<_>>(),
        "variables": variables.collect::<Vec<_>>(),
        "for": kinds(own),
        "scopes": own.default_scope(IntegrationKind::Person),
        "refreshes": own.refreshes(),
        "rotates": own.rotates(),
        "revokes": own.revokes(),
        "pkce": own.uses_pkce(),
    })
}

/// A description in a file: its name and its text.
fn read(file: &Path) -> anyhow::Result<(String, String)> {
    let shown = file.display();
    if file.extension().is_none_or(|own| own != "toml") {
        bail!("the name of {shown} does not end in .toml: no server would read it");
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let Some(name) = file.file_stem().and_then(|own| own.to_str()) else {
        bail!("{shown} has no name that a provider can have");
    };
    Ok((name.to_owned(), text))
}
