//! `grantor client`.

mod new;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::client_auth;
use grantor_core::model::{Client, ClientSecret};
use grantor_core::ports::Entropy;
use grantor_core::store::Added;
use serde::Serialize;

use super::output::{json, say, table};
use super::settings::Place;
use super::user::close;
use crate::app;
use crate::client_secret;

/// Applications that may ask for tokens.
#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Register an application. Its secret is printed once.
    Add(Box<new::Add>),
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
    },
    /// Make a new secret; the old one stops working at once.
    RotateSecret {
        /// The client_id.
        client_id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    client: &'a Client,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

pub(super) async fn run(command: ClientCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let store = app::open_store(&config)?;
    let server = app::authorization_server(&config, store.clone())?;
    let done = match command {
        ClientCommand::Add(own) => add(&server, *own).await,
        ClientCommand::List { json } => list(&server, json).await,
        ClientCommand::Show { client_id, json } => show(&server, &client_id, json).await,
        ClientCommand::Remove { client_id } => remove(&server, &client_id).await,
        ClientCommand::RotateSecret { client_id, json } => {
            rotate_secret(&server, &client_id, json).await
        }
    };
    close(store).await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn add(server: &AuthorizationServer, own: new::Add) -> anyhow::Result<()> {
    let as_json = own.json;
    let (client, secret) = own.into_client(server)?;
    if server.store.add_client(client.clone()).await? == Added::Exists {
        bail!("a client {:?} exists; choose another client_id", client.client_id);
    }
    if as_json {
        return json(&Made { client: &client, client_secret: secret.as_deref() });
    }
    say(&format!("Registered {}.\n  client_id      {}", client.client_name, client.client_id));
    say_secret(secret.as_deref());
    Ok(())
}

fn say_secret(secret: Option<&str>) {
    match secret {
        Some(secret) => say(&format!("  client_secret  {secret}\nThe secret is shown only now.")),
        None => say("It is a public client: it has no secret and must use PKCE."),
    }
}

async fn list(server: &AuthorizationServer, as_json: bool) -> anyhow::Result<()> {
    let clients = server.store.clients().await?;
    if as_json {
        return json(&clients);
    }
    table(
        &["client_id", "name", "kind", "grants", "scope", "redirect URIs"],
        clients.iter().map(|client| {
            let kind = if client.is_public() { "public" } else { "confidential" };
            vec![
                client.client_id.clone(),
                client.client_name.clone(),
                kind.to_owned(),
                grants(client),
                client.scope.to_string(),
                client.redirect_uris.join("\n"),
            ]
        }),
    );
    Ok(())
}

fn grants(client: &Client) -> String {
    let names: Vec<_> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    names.join("\n")
}

async fn find(server: &AuthorizationServer, client_id: &str) -> anyhow::Result<Client> {
    let found = server.store.client(client_id).await?;
    let found = found
        .with_context(|| format!("there is no client {client_id:?}; see `grantor client list`"))?;
    Ok((*found).clone())
}

async fn show(server: &AuthorizationServer, client_id: &str, as_json: bool) -> anyhow::Result<()> {
    let client = find(server, client_id).await?;
    if as_json {
        return json(&client);
    }
    let value = serde_json::to_value(&client)?;
    let members = value.as_object().cloned().unwrap_or_default();
    table(
        &["setting", "value"],
        members.into_iter().map(|(name, value)| {
            let text = match value {
                serde_json::Value::Null => "-".to_owned(),
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            };
            vec![name, text]
        }),
    );
    Ok(())
}

async fn remove(server: &AuthorizationServer, client_id: &str) -> anyhow::Result<()> {
    let client = find(server, client_id).await?;
    server.store.remove_client(client_id, server.clock.now()).await?;
    say(&format!("Removed {}; its tokens have stopped working.", client.client_name));
    Ok(())
}

async fn rotate_secret(
    server: &AuthorizationServer,
    client_id: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let mut client = find(server, client_id).await?;
    if client.is_public() {
        bail!("{client_id:?} is a public client and has no secret");
    }
    let secret = client_secret::generate(server.entropy.as_ref());
    client.secret = Some(stored(client_id, &secret));
    server.store.replace_client(client.clone()).await?;
    if as_json {
        return json(&Made { client: &client, client_secret: Some(&secret) });
    }
    say(&format!("The secret of {} is replaced.", client.client_name));
    say_secret(Some(&secret));
    Ok(())
}

fn stored(client_id: &str, secret: &str) -> ClientSecret {
    ClientSecret::Sha256(client_auth::digest(client_id, secret))
}

/// A client_id for an application that does not choose one.
fn random_client_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
