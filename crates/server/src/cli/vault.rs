//! `grantor vault`: the keys that seal, and what is sealed.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::key_encryption::{self, KeyState, KeyStatus, KeyUse, Retired, Rewrapped};
use grantor_core::time::Timestamp;
use grantor_core::vault::audit::Actor;
use serde_json::{Map, Value, json};

use super::output::{Column, Progress, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;

/// The keys that seal what is stored, and how the connections are.
#[derive(Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Show which key seals what, and how many connections there are.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Seal everything under the key that seals now. Servers may run; a stop loses nothing.
    Rewrap {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make sure that nothing needs a key any more, so that it can leave the settings.
    Retire {
        /// Its id, as `status` shows it.
        key: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: VaultCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let now = server.clock.now();
    let done = match command {
        VaultCommand::Status { json } => status(&server, json).await,
        VaultCommand::Rewrap { json } => rewrap(&server, json, now).await,
        VaultCommand::Retire { key, json } => retire(&server, &key, json, now).await,
    };
    backend.close().await?;
    done
}

async fn status(server: &AuthorizationServer, as_json: bool) -> anyhow::Result<ExitCode> {
    let keys = key_encryption::status(server.store.as_ref(), &server.ring).await?;
    let mut connections = server.store.count_connections().await?;
    connections.retain(|(.., count)| *count > 0);
    let pauses = server.store.pauses().await?;
    if as_json {
        let pauses = pauses.iter().map(|own| {
            json!({
                "integration": own.integration,
                "error": own.error,
                "detail": own.detail,
                "since": moment(own.since),
            })
        });
        json(&json!({
            "keys": keys.iter().map(key_object).collect::<Vec<_>>(),
            "connections": connections.iter().map(|(integration, status, count)| {
                json!({ "integration": integration, "status": status, "count": count })
            }).collect::<Vec<_>>(),
            "paused": pauses.collect::<Vec<_>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    table(
        &[Column::Whole("key"), Column::Text("state"), Column::Text("seals")],
        keys.iter().map(key_row),
    );
    say("");
    if connections.is_empty() {
        say("There is no connection yet.");
    } else {
        let row = |(integration, status, count): (String, String, u64)| {
            vec![integration, status, count.to_string()]
        };
        table(
            &[Column::Whole("integration"), Column::Text("status"), Column::Text("connections")],
            connections.into_iter().map(row),
        );
    }
    for own in pauses {
        let since = moment(own.since);
        let why = format!("{} {}", own.error, own.detail);
        say(&format!("{} is paused since {since}: {}", own.integration, why.escape_debug()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn rewrap(
    server: &AuthorizationServer,
    as_json: bool,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    let progress = Progress::new("values", key_encryption::to_rewrap(server).await?);
    let actor = Actor::local("cli");
    let done = key_encryption::rewrap(server, &actor, |done| progress.at(done), now).await?;
    progress.finish();
    let complete = done.failed.is_empty() && done.left.iter().all(|own| own.what.is_short_lived());
    if as_json {
        json(&rewrapped_object(server, &done))?;
    } else {
        tell_rewrapped(server, &done);
    }
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell_rewrapped(server: &AuthorizationServer, done: &Rewrapped) {
    say(&format!(
        "Sealed anew under {}: connections {}, signing keys {}, client secrets {}, server secrets {}.",
        server.ring.current().id(),
        done.connections,
        done.signing_keys,
        done.client_secrets,
        done.server_secrets,
    ));
    for failed in &done.failed {
        say(&format!("Does not open, and was left as it is: {failed}"));
    }
    for own in &done.left {
        let why = match own.what.is_short_lived() {
            true => "over by themselves within the hour",
            false => {
                "if they open: sealed by a server that runs with the old settings. Restart it, and run this again"
            }
        };
        say(&format!("Still under {}: {own} ({why}).", own.key));
    }
    let others = server.ring.keys().skip(1).map(|key| format!("grantor vault retire {}", key.id()));
    let others = others.collect::<Vec<_>>();
    if done.left.is_empty() && !others.is_empty() {
        say(&format!("Next: {}", others.join("; ")));
    }
}

async fn retire(
    server: &AuthorizationServer,
    key: &str,
    as_json: bool,
    now: Timestamp,
) -> anyhow::Result<ExitCode> {
    match key_encryption::retire(server, key, &Actor::local("cli"), now).await? {
        Retired::Done if as_json => json(&json!({ "retired": key }))?,
        Retired::Done => say(&format!(
            "Nothing is sealed under {key}. Take it out of keys.retired_key_encryption_keys (or _key_files); keep a copy as long as you keep backups from before."
        )),
        Retired::InUse(uses) => {
            let next = match uses.iter().all(|own| own.what.is_short_lived()) {
                true => "they are over within the hour; try again then",
                false => "run `grantor vault rewrap` first",
            };
            bail!("the key {key} is in use: {}; {next}", list(&uses))
        }
        Retired::Active => bail!(
            "the key {key} is the one that seals: set keys.key_encryption_key to another one first, and this one into keys.retired_key_encryption_keys"
        ),
        Retired::Unknown => bail!("there is no key {key:?}; see `grantor vault status`"),
    }
    Ok(ExitCode::SUCCESS)
}

fn list(uses: &[KeyUse]) -> String {
    uses.iter().map(KeyUse::to_string).collect::<Vec<_>>().join(", ")
}

const fn state(own: KeyState) -> &'static str {
    match own {
        KeyState::Active => "active",
        KeyState::Opens => "opens",
        KeyState::Missing => "missing",
    }
}

fn key_row(own: &KeyStatus) -> Vec<String> {
    let uses = if own.uses.is_empty() { "nothing".to_owned() } else { list(&own.uses) };
    vec![own.key.to_string(), state(own.state).to_owned(), uses]
}

fn key_object(own: &KeyStatus) -> Value {
    json!({ "key": own.key.to_string(), "state": state(own.state), "seals": uses_object(&own.uses) })
}

fn uses_object(uses: &[KeyUse]) -> Map<String, Value> {
    uses.iter().map(|own| (own.what.plural().replace(' ', "_"), own.count.into())).collect()
}

fn rewrapped_object(server: &AuthorizationServer, done: &Rewrapped) -> Value {
    let left = done.left.iter().map(
        |own| json!({ "key": own.key.to_string(), "what": own.what.plural(), "count": own.count }),
    );
    json!({
        "key": server.ring.current().id(),
        "connections": done.connections,
        "signing_keys": done.signing_keys,
        "client_secrets": done.client_secrets,
        "server_secrets": done.server_secrets,
        "failed": done.failed,
        "left": left.collect::<Vec<_>>(),
    })
}
