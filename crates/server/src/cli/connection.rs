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

use super::output::{Progress, json, moment, say, table};
use super::settings::Place;
use super::user::close;
use crate::app;

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
                return Ok(all);
            }
        }
    }
}

pub(super) async fn run(command: ConnectionCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let store = app::open_store(&config)?;
    let server = app::authorization_server(&config, store.clone()).await?;
    let done = match command {
        ConnectionCommand::List { filter, json } => list(&server, &filter, json).await,
        ConnectionCommand::Show { id, json } => show(&server, &id, json).await,
        ConnectionCommand::Disconnect(own) => disconnect(&server, own).await,
        ConnectionCommand::Import(own) => import::run(&server, own).await,
        ConnectionCommand::Export(own) => export::run(&server, own).await,
    };
    close(store).await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn list(server: &AuthorizationServer, filter: &Filter, as_json: bool) -> anyhow::Result<()> {
    let all = filter.all(server).await?;
    if as_json {
        return json(&all.iter().map(|own| told(server, own)).collect::<Vec<_>>());
    }
    if all.is_empty() {
        say(match filter.is_empty() {
            true => "Nothing is connected yet.",
            false => "No connection is meant by that.",
        });
        return Ok(());
    }
    table(
        &["id", "integration", "subject", "account", "status", "connected", "last used"],
        all.into_iter().map(|own| {
            vec![
                own.id.shown(),
                own.integration.clone(),
                own.subject.clone(),
                account(&own).to_owned(),
                status_name(&own.status).to_owned(),
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
    table(&["", ""], rows);
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
    if own.ids.is_empty() && !own.yes {
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
        return json(
            &ended.iter().map(|(id, end)| end_json(*id, end.as_ref())).collect::<Vec<_>>(),
        );
    }
    for (id, end) in &ended {
        say(&format!("{}: {}", id.shown(), end_text(end.as_ref())));
    }
    let missing = ended.iter().filter(|(_, end)| end.is_none()).count();
    ensure!(missing == 0, "{} not there", counted(missing));
    Ok(())
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

fn read(id: &str) -> anyhow::Result<ConnectionId> {
    ConnectionId::read(id).map_err(|_| anyhow::anyhow!("{id:?} is not the id of a connection"))
}

fn unknown(id: &str) -> String {
    format!("there is no connection {id}; see `grantor connection list`")
}

fn told(server: &AuthorizationServer, own: &Connection) -> Map<String, Value> {
    let integration = server.policy.vault.integrations.get(&own.integration);
    describe(own, integration.map(AsRef::as_ref))
}

fn account(own: &Connection) -> &str {
    own.account.email.as_deref().unwrap_or(&own.account.sub)
}
