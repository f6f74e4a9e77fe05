//! `grantor client`.

mod add;
mod export;
mod import;
mod options;
mod secret;
mod show;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::model::Client;
use serde::Serialize;

use super::output::say;
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;

/// Applications that may ask for tokens.
#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Register an application. Its secret is printed once.
    Add(Box<add::Add>),
    /// List the applications.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show everything about an application but its secret.
    Show {
        /// The client_id.
        client_id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove an application: its tokens stop working.
    Remove {
        /// The client_id.
        client_id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret; the old one stops working at once.
    RotateSecret {
        /// The client_id.
        client_id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Register the applications of a file: all of them, or none if one cannot be.
    Import(import::Import),
    /// Print all applications as JSON that `client import` reads. Secrets are in it as their hashes.
    Export(export::Export),
}

/// A client as JSON, with a secret that was just made.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    client: &'a Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

pub(super) async fn run(command: ClientCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let done = match command {
        ClientCommand::Add(own) => add::run(&server, *own).await,
        ClientCommand::List { json } => show::list(&server, json).await,
        ClientCommand::Show { client_id, json } => show::one(&server, &client_id, json).await,
        ClientCommand::Remove { client_id, json } => remove(&server, &client_id, json).await,
        ClientCommand::RotateSecret { client_id, json } => {
            secret::rotate(&server, &client_id, json).await
        }
        ClientCommand::Import(own) => import::run(&server, own).await,
        ClientCommand::Export(own) => export::run(&server, own).await,
    };
    backend.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn find(server: &AuthorizationServer, client_id: &str) -> anyhow::Result<Client> {
    let found = server.store.client(client_id).await?;
    let found = found
        .with_context(|| format!("there is no client {client_id:?}; see `grantor client list`"))?;
    Ok((*found).clone())
}

async fn remove(
    server: &AuthorizationServer,
    client_id: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let client = find(server, client_id).await?;
    if !server.store.remove_client(&client, server.clock.now()).await? {
        bail!("{client_id:?} was changed by somebody else just now; try again");
    }
    if as_json {
        return super::output::json(&serde_json::json!({ "removed": client_id }));
    }
    say(&format!("Removed {}; its tokens have stopped working.", client.client_name));
    Ok(())
}
