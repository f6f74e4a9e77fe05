//! `grantor client import`: all clients of a file, or none.

mod entry;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::jose::parse_object_strict;
use grantor_core::model::Client;
use grantor_core::store::Imported;
use serde_json::{Map, Value, json as object};

use crate::cli::output::{json, say};

/// Which clients.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A JSON file, `-` for standard input: a list of clients, or an object of clients by their
    /// client_id. Each has the members that `client export` writes, or client_id, client_secret,
    /// grant_type and scope. A secret in clear is kept as its argon2id hash.
    file: PathBuf,
    /// Replace clients that are there.
    #[arg(long)]
    replace: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Bytes of a file of clients.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

pub(super) async fn run(server: &AuthorizationServer, own: Import) -> anyhow::Result<()> {
    let text = read(&own.file)?;
    let entries = entries(&text)?;
    let mut clients = clients(server, entries).await?;
    if own.replace {
        for client in &mut clients {
            keep(server, client).await?;
        }
    }
    let ids: Vec<String> = clients.iter().map(|client| client.client_id.clone()).collect();
    if let Imported::Exists(at) = server.store.import_clients(clients, own.replace).await? {
        let (entry, id) = (at + 1, ids.get(at).map(String::as_str).unwrap_or_default());
        bail!(
            "nothing was imported: entry {entry} ({id:?}): a client of this id exists; replace it with --replace"
        );
    }
    if own.json {
        return json(&object!({ "imported": ids }));
    }
    say(&format!("Imported {} clients.", ids.len()));
    Ok(())
}

/// A replaced client is the same one: its tokens live on, and it may go on managing itself.
async fn keep(server: &AuthorizationServer, client: &mut Client) -> anyhow::Result<()> {
    if let Some(before) = server.store.client(&client.client_id).await? {
        client.created_at = client.created_at.min(before.created_at);
        client.registration_token = client.registration_token.or(before.registration_token);
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    let mut text = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(MOST_BYTES).read_to_end(&mut text)?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot read {shown}"))?;
        opened.take(MOST_BYTES).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// An entry of the file, with the name that it has in an object.
type Entry = (Option<String>, Map<String, Value>);

fn entries(text: &[u8]) -> anyhow::Result<Vec<Entry>> {
    // In a member, so that an id that is there twice is noticed in an object too.
    let whole = [b"{\"file\":", text, b"}"].concat();
    let mut whole = parse_object_strict(&whole).context("the file cannot be read")?;
    let value =
        whole.remove("file").filter(|_| whole.is_empty()).context("the file is not JSON")?;
    let list: Vec<(Option<String>, Value)> = match value {
        Value::Array(items) => items.into_iter().map(|item| (None, item)).collect(),
        Value::Object(one) if one.get("client_id").is_some_and(Value::is_string) => {
            vec![(None, Value::Object(one))]
        }
        Value::Object(named) => named.into_iter().map(|(id, item)| (Some(id), item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            bail!("the file has neither a list of clients nor an object of clients by client_id")
        }
    };
    let members = list.into_iter().enumerate().map(|(at, (id, item))| match item {
        Value::Object(members) => Ok((id, members)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let named = id.map(|id| format!(" ({id:?})")).unwrap_or_default();
            bail!("nothing was imported: entry {}{named}: it is not an object", at + 1)
        }
    });
    members.collect()
}

/// The clients, or everything that is wrong with them, a line each.
async fn clients(server: &AuthorizationServer, entries: Vec<Entry>) -> anyhow::Result<Vec<Client>> {
    let (mut clients, mut problems) = (Vec::new(), Vec::new());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, (id, members)) in entries.into_iter().enumerate() {
        let place = at + 1;
        let shown = entry::id(id.as_deref(), &members).unwrap_or_default();
        if let Some(first) = places.insert(shown.clone(), place).filter(|_| !shown.is_empty()) {
            problems.push(format!("entry {place} ({shown:?}): entry {first} has the same id"));
            continue;
        }
        match entry::client(server, id, members).await {
            Ok(client) => clients.push(client),
            Err(why) => problems.push(format!("entry {place} ({shown:?}): {why:#}")),
        }
    }
    match problems.as_slice() {
        [] => Ok(clients),
        [one] => bail!("nothing was imported: {one}"),
        several => bail!("nothing was imported:\n  {}", several.join("\n  ")),
    }
}
