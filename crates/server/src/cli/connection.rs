//! `grantor connection`: accounts that were connected at providers.

mod export;
mod import;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use grantor_core::AuthorizationServer;
use grantor_core::id::ConnectionId;
use grantor_core::model::{Connection, ConnectionStatus};
use grantor_core::store::Selector;
use grantor_core::vault::audit::Actor;
use grantor_core::vault::disconnect::{self, Disconnected, Upstream};
use grantor_core::vault::{describe, status_name};
use serde_json::{Map, Value, json as object};

use super::output::{Column, Progress, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;

/// Connections that are read at once.
const PAGE: u32 = 1_000;

/// Accounts that were connected at providers.
#[derive(Debug, Subcommand)]
pub(super) enum ConnectionCommand {
    /// List connections.
    List {
        #[command(flatten)]
        filter: Filter,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a connection.
    Show {
        /// Its id.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End connections: services lose the access at once, and the provider is told.
    Disconnect(Disconnect),
    /// Take connections over from another vault, with their tokens.
    Import(import::Import),
    /// Write connections to a file, without their tokens unless these are asked for.
    Export(export::Export),
}

/// Which connections.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only through this integration.
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    /// Only for this subject.
    #[arg(long)]
    subject: Option<String>,
    /// Only of the account with this id at the provider, or this address.
    #[arg(long)]
    account: Option<String>,
    /// Only in this state: `active`, `reauth_required`, `disconnecting`.
    #[arg(long, value_parser = ["active", "reauth_required", "disconnecting"])]
    status: Option<String>,
}

/// Which connections end.
#[derive(Debug, Args)]
pub(super) struct Disconnect {
    /// Their ids.
    #[arg(value_name = "ID", conflicts_with_all = ["integration", "subject", "account", "status"])]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// End all that the options name; without it they are only counted.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Filter {
    fn is_empty(&self) -> bool {
        [&self.integration, &self.subject, &self.account, &self.status].iter().all(|f| f.is_none())
    }

    /// All connections that are meant, in the order of their ids.
    async fn all(&self, server: &AuthorizationServer) -> anyhow::Result<Vec<Connection>> {
        let one = |own: &Option<String>| own.clone().map(|own| vec![own]);
        let selector = Selector {
            connections: None,
            integrations: one(&self.integration),
            subjects: one(&self.subject),
            account: self.account.clone(),
        };
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let store = &server.store;
            let page = store.connections(&selector, self.status.as_deref(), after, PAGE).await?;
            let whole = page.len() == PAGE as usize;
            after = page.last().map(|last| last.id);
            all.extend(page);
            if !whole {
                break;
            }
        }
        // One that was taken out of the settings may still have connections.
        match &self.integration {
            Some(name) if all.is_empty() => known_integration(server, name).map(|()| all),
            Some(_) | None => Ok(all),
        }
    }
}

pub(super) async fn run(command: ConnectionCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let done = match command {
        ConnectionCommand::List { filter, json } => list(&server, &filter, json).await,
        ConnectionCommand::Show { id, json } => show(&server, &id, json).await,
        ConnectionCommand::Disconnect(own) => disconnect(&server, own).await,
        ConnectionCommand::Import(own) => import::run(&server, own).await,
        ConnectionCommand::Export(own) => export::run(&server, own).await,
    };
    backend.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn list(server: &AuthorizationServer, filter: &Filter, as_json: bool) -> anyhow::Result<()> {
    let all = filter.all(server).await?;
    if as_json {
        return json(&all.iter().map(|own| told(server, own)).collect::<Vec<_>>());
    }
    if all.is_empty() {
        match filter.is_empty() {
            true => say("Nothing is connected yet."),
            false => no_connection(),
        }
        return Ok(());
    }
    let (id, status) = (Column::Whole("id"), Column::Text("status"));
    let [integration, subject, account] = ["integration", "subject", "account"].map(Column::Text);
    let [connected, last_used] = ["connected", "last used"].map(Column::Whole);
    table(
        &[id, status, integration, subject, account, connected, last_used],
        all.into_iter().map(|own| {
            vec![
                own.id.shown(),
                status_name(&own.status).to_owned(),
                own.integration.clone(),
                own.subject.clone(),
                account_name(&own).to_owned(),
                moment(own.connected_at),
                own.last_used_at.map_or("-".to_owned(), moment),
            ]
        }),
    );
    Ok(())
}

async fn show(server: &AuthorizationServer, id: &str, as_json: bool) -> anyhow::Result<()> {
    let connection = server.store.connection(read(id)?).await?;
    let connection = connection.with_context(|| unknown(id))?;
    let told = told(server, &connection);
    if as_json {
        return json(&told);
    }
    let shown = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Some(value.to_string())
        }
    };
    let rows = told.iter().filter_map(|(name, value)| Some(vec![name.clone(), shown(value)?]));
    table(&[Column::Whole(""), Column::Text("")], rows);
    if let ConnectionStatus::ReauthRequired(_) = &connection.status {
        say("A person has to connect it again: the page Connections, or POST /connect/sessions.");
    }
    Ok(())
}

async fn disconnect(server: &AuthorizationServer, own: Disconnect) -> anyhow::Result<()> {
    let ids = match own.ids.is_empty() {
        false => own.ids.iter().map(|id| read(id)).collect::<Result<Vec<_>, _>>()?,
        true => {
            ensure!(
                !own.filter.is_empty(),
                "name the connections, or say which with --integration, --subject, --account or --status"
            );
            own.filter.all(server).await?.into_iter().map(|found| found.id).collect()
        }
    };
    if ids.is_empty() {
        return if own.json {
            json(&object!([]))
        } else {
            no_connection();
            Ok(())
        };
    }
    if own.ids.is_empty() && !own.yes {
        if own.json {
            let left =
                |id: &ConnectionId| object!({ "connection_id": id.shown(), "status": "left" });
            json(&ids.iter().map(left).collect::<Vec<_>>())?;
        }
        bail!("{} would be disconnected; add --yes to do it", counted(ids.len()));
    }
    let progress = Progress::new("connections", ids.len() as u64);
    let mut ended = Vec::new();
    for (done, id) in (0..).zip(&ids) {
        progress.at(done);
        let actor = Actor::local("cli");
        let end = disconnect::disconnect(server, *id, &actor, server.clock.now()).await?;
        ended.push((*id, end));
    }
    progress.finish();
    if own.json {
        json(&ended.iter().map(|(id, end)| end_json(*id, end.as_ref())).collect::<Vec<_>>())?;
    } else {
        let line = |(id, end): &(ConnectionId, Option<Disconnected>)| {
            say(&format!("{}: {}", id.shown(), end_text(end.as_ref())));
        };
        ended.iter().for_each(line);
    }
    let missing = ended.iter().filter(|(_, end)| end.is_none()).count();
    let verb = if missing == 1 { "is" } else { "are" };
    ensure!(missing == 0, "{} {verb} not there; see `grantor connection list`", counted(missing));
    Ok(())
}

fn no_connection() {
    say("No connection is meant by that.");
}

fn end_json(id: ConnectionId, end: Option<&Disconnected>) -> Value {
    match end {
        None => object!({ "connection_id": id.shown(), "status": "unknown" }),
        Some(Disconnected::Done(upstream)) => object!({
            "connection_id": id.shown(), "status": "disconnected", "provider": upstream.as_str(),
        }),
        Some(Disconnected::Pending { why }) => {
            object!({ "connection_id": id.shown(), "status": "disconnecting", "why": why })
        }
    }
}

fn end_text(end: Option<&Disconnected>) -> String {
    match end {
        None => "there is no such connection".to_owned(),
        Some(Disconnected::Done(Upstream::Revoked)) => {
            "disconnected, and revoked at the provider".to_owned()
        }
        Some(Disconnected::Done(Upstream::Shared(n))) => {
            format!("disconnected; at the provider the grant goes on for {}", counted(*n as usize))
        }
        Some(Disconnected::Done(Upstream::CannotRevoke)) => {
            "disconnected; the provider has no way to revoke it".to_owned()
        }
        Some(Disconnected::Done(Upstream::GivenUp(why))) => {
            format!("disconnected, but the grant may still be alive at the provider: {why}")
        }
        Some(Disconnected::Pending { why }) => {
            format!("served no more; the server tells the provider later, for a day: {why}")
        }
    }
}

fn counted(n: usize) -> String {
    if n == 1 { "1 connection".to_owned() } else { format!("{n} connections") }
}

/// Reads an id.
pub(super) fn read(id: &str) -> anyhow::Result<ConnectionId> {
    let like = "such as con_0192f0c1-6a00-7d11-8c22-1f2e3d4c5b6a; see `grantor connection list`";
    ConnectionId::read(id)
        .map_err(|_| anyhow::anyhow!("{id:?} is not the id of a connection, {like}"))
}

/// Refuses the name of an integration that is not in the settings.
pub(super) fn known_integration(server: &AuthorizationServer, name: &str) -> anyhow::Result<()> {
    let known = &server.policy.vault.integrations;
    let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none: add [integrations.NAME]" } else { &names };
    ensure!(
        known.contains_key(name),
        "there is no integration {name:?}; the settings have {names}"
    );
    Ok(())
}

/// What is said of an id that names nothing.
pub(super) fn unknown(id: &str) -> String {
    format!("there is no connection {id}; see `grantor connection list`")
}

fn told(server: &AuthorizationServer, own: &Connection) -> Map<String, Value> {
    let integration = server.policy.vault.integrations.get(&own.integration);
    describe(own, integration.map(AsRef::as_ref))
}

fn account_name(own: &Connection) -> &str {
    own.account.email.as_deref().unwrap_or(&own.account.sub)
}
