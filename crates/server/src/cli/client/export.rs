//! `grantor client export`: every client as JSON, in the form that `grantor client import` reads.
//!
//! Hashes and digests restore secrets exactly. A sealed secret stays sealed, so it can be imported
//! only where the same key-encryption key is.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::model::{Client, ClientSecret};
use serde_json::Value;

use crate::cli::output::{json, say};
use crate::key_file;

/// Where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The file to write, for nobody else to read [default: standard output]
    file: Option<PathBuf>,
    /// Print JSON. What is exported is JSON anyway.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &AuthorizationServer, own: Export) -> anyhow::Result<()> {
    let clients = server.store.clients().await?;
    let entries: Result<Vec<_>, _> = clients.iter().map(entry).collect();
    let entries = entries?;
    let Some(file) = own.file else {
        return json(&entries);
    };
    let text = serde_json::to_string_pretty(&entries)? + "\n";
    let shown = file.display().to_string();
    key_file::write_private(&file, &text).with_context(|| format!("cannot write {shown}"))?;
    if own.json {
        return json(&serde_json::json!({ "exported": entries.len(), "file": shown }));
    }
    say(&format!("Exported {} clients to {shown}.", entries.len()));
    Ok(())
}

fn entry(client: &Client) -> anyhow::Result<Value> {
    let mut entry = serde_json::to_value(client)?;
    if let Some(secret) = &client.secret {
        entry["client_secret"] = ClientSecret::to_text(secret).into();
    }
    if let Some(token) = &client.registration_token {
        entry["registration_token"] = token.to_text().into();
    }
    Ok(entry)
}
