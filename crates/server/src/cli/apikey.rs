//! `grantor apikey`: what services show to get tokens.

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use grantor_core::AuthorizationServer;
use grantor_core::model::{ApiKey, ApiKeyAction, ApiKeyRights, Scope};
use grantor_core::time::Timestamp;
use grantor_core::vault::api_key::{self, Changed, Shown};
use grantor_core::vault::audit::Actor;
use serde::Serialize;

use super::connection;
use super::output::{Column, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;
use crate::config::Period;

/// Keys that services show to get tokens from the vault.
#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key; it is printed once.
    Create(Create),
    /// List the keys.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a key another secret, which is printed once.
    Rotate {
        /// Its id: the eight characters after `grk_`.
        id: String,
        /// How long the secret it has works on, such as `1h`; `0s` for not at all.
        #[arg(long, value_name = "TIME", default_value = "1d")]
        overlap: Period,
        /// How long the key works from now on [default: as long as before]
        #[arg(long, value_name = "TIME")]
        expires: Option<Period>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a key at once.
    Revoke {
        /// Its id: the eight characters after `grk_`.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A key for a service.
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The service that it is for.
    #[arg(long, value_name = "NAME")]
    service: String,
    /// An integration that it reaches; may be given more than once.
    #[arg(long, value_name = "NAME", required_unless_present = "any_integration")]
    integration: Vec<String>,
    /// Every integration, later ones too.
    #[arg(long, conflicts_with = "integration")]
    any_integration: bool,
    /// A subject that it reaches; may be given more than once [default: every one]
    #[arg(long, value_name = "SUBJECT")]
    subject: Vec<String>,
    /// A connection that it reaches; may be given more than once [default: every one]
    #[arg(long, value_name = "ID")]
    connection: Vec<String>,
    /// A scope that its tokens may have; may be given more than once [default: every one]
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// What it may do; may be given more than once [default: token and connect]
    #[arg(long, value_enum)]
    action: Vec<Action>,
    /// How long it works, such as `90d` [default: until it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<Period>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Action {
    /// Get tokens.
    Token,
    /// Make links that connect accounts.
    Connect,
    /// List and end connections.
    Manage,
    /// Call the providers' APIs through the proxy.
    Proxy,
}

#[derive(Serialize)]
struct Row {
    id: String,
    service: String,
    state: &'static str,
    actions: Vec<ApiKeyAction>,
    // `null` for every one.
    integrations: Option<Vec<String>>,
    subjects: Option<Vec<String>>,
    connections: Option<Vec<String>>,
    scope: Option<Scope>,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    last_used_at: Option<String>,
    previous_secret_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

pub(super) async fn run(command: ApiKeyCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let now = server.clock.now();
    let done = match command {
        ApiKeyCommand::Create(own) => create(&server, own, now).await,
        ApiKeyCommand::List { json } => list(&server, json, now).await,
        ApiKeyCommand::Rotate { id, overlap, expires, json } => {
            rotate(&server, &id, overlap, expires, json, now).await
        }
        ApiKeyCommand::Revoke { id, json } => revoke(&server, &id, json, now).await,
    };
    backend.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn create(server: &AuthorizationServer, own: Create, now: Timestamp) -> anyhow::Result<()> {
    let rights = rights(server, &own).await?;
    let expires_at = expiry(own.expires, now)?;
    let actor = Actor::local("cli");
    let made = api_key::create(server, &own.service, rights, expires_at, &actor, now).await?;
    if own.json {
        return json(&row(made.key, Some(&made.text), now));
    }
    shown(server, &made);
    Ok(())
}

async fn list(server: &AuthorizationServer, as_json: bool, now: Timestamp) -> anyhow::Result<()> {
    let keys = server.store.api_keys().await?;
    let rows: Vec<_> = keys.into_iter().map(|key| row(key, None, now)).collect();
    if as_json {
        return json(&rows);
    }
    if rows.is_empty() {
        say(
            "There is no key yet. Make one: grantor apikey create --service NAME --integration NAME",
        );
        return Ok(());
    }
    let id = Column::Whole("id");
    let texts = ["service", "state", "may", "integrations", "only for"].map(Column::Text);
    let times = ["works until", "last used"].map(Column::Whole);
    table(
        &[&[id][..], &texts, &times].concat(),
        rows.into_iter().map(|row| {
            let only_for = limits(&row);
            let or_dash = |own: Option<String>| own.unwrap_or_else(|| "-".to_owned());
            vec![
                row.id,
                row.service,
                row.state.to_owned(),
                row.actions.iter().map(action_name).collect::<Vec<_>>().join(", "),
                row.integrations.as_ref().map_or("every one".to_owned(), |own| own.join(", ")),
                only_for,
                or_dash(row.expires_at),
                or_dash(row.last_used_at),
            ]
        }),
    );
    Ok(())
}

async fn rotate(
    server: &AuthorizationServer,
    id: &str,
    overlap: Period,
    expires: Option<Period>,
    as_json: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let expires_at = expiry(expires, now)?;
    let actor = Actor::local("cli");
    let id = bare(id);
    let changed =
        api_key::replace_secret(server, id, overlap.seconds(), expires_at, &actor, now).await?;
    let made = changed_key(changed, id)?;
    if as_json {
        return json(&row(made.key, Some(&made.text), now));
    }
    shown(server, &made);
    say(&match &made.key.previous {
        Some(before) => format!("The secret before works until {}.", moment(before.until)),
        None => "The secret before works no more.".to_owned(),
    });
    Ok(())
}

async fn revoke(
    server: &AuthorizationServer,
    id: &str,
    as_json: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let id = bare(id);
    let changed = api_key::revoke(server, id, &Actor::local("cli"), now).await?;
    let key = changed_key(changed, id)?;
    if as_json {
        return json(&row(key, None, now));
    }
    say(&format!("The key of {} works no more.", key.service));
    Ok(())
}

/// The id, also of a whole key that was pasted.
fn bare(id: &str) -> &str {
    let id = id.strip_prefix("grk_").unwrap_or(id);
    id.split_once('_').map_or(id, |(id, _)| id)
}

fn changed_key<T>(changed: Changed<T>, id: &str) -> anyhow::Result<T> {
    match changed {
        Changed::Done(key) => Ok(key),
        Changed::Unknown => bail!("there is no key {id:?}; see `grantor apikey list`"),
        Changed::Revoked => bail!("the key {id} is revoked; make another: `grantor apikey create`"),
    }
}

async fn rights(server: &AuthorizationServer, own: &Create) -> anyhow::Result<ApiKeyRights> {
    for name in &own.integration {
        connection::known_integration(server, name)?;
    }
    let mut connections = Vec::new();
    for id in &own.connection {
        let found = server.store.connection(connection::read(id)?).await?;
        connections.push(found.with_context(|| connection::unknown(id))?.id.shown());
    }
    let actions = match own.action.is_empty() {
        true => vec![ApiKeyAction::Token, ApiKeyAction::Connect],
        false => actions(&own.action),
    };
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    Ok(ApiKeyRights {
        actions,
        integrations: some(own.integration.clone()),
        subjects: some(own.subject.clone()),
        connections: some(connections),
        scope: match own.scope.is_empty() {
            true => None,
            false => Some(Scope::parse(&own.scope.join(" ")).map_err(|_| {
                anyhow::anyhow!("a scope has printable ASCII without quotes and backslashes")
            })?),
        },
    })
}

/// Each once, in the order of their names.
fn actions(own: &[Action]) -> Vec<ApiKeyAction> {
    let given = |wanted: ApiKeyAction| {
        own.iter().any(|own| {
            let own = match own {
                Action::Token => ApiKeyAction::Token,
                Action::Connect => ApiKeyAction::Connect,
                Action::Manage => ApiKeyAction::Manage,
                Action::Proxy => ApiKeyAction::Proxy,
            };
            own == wanted
        })
    };
    let all =
        [ApiKeyAction::Token, ApiKeyAction::Connect, ApiKeyAction::Manage, ApiKeyAction::Proxy];
    all.into_iter().filter(|wanted| given(*wanted)).collect()
}

fn expiry(own: Option<Period>, now: Timestamp) -> anyhow::Result<Option<Timestamp>> {
    ensure!(
        own.is_none_or(|own| own.seconds().0 > 0),
        "a key must work some time; give it 1m at least"
    );
    Ok(own.map(|own| now.plus(own.seconds())))
}

const fn action_name(action: &ApiKeyAction) -> &'static str {
    match action {
        ApiKeyAction::Token => "token",
        ApiKeyAction::Connect => "connect",
        ApiKeyAction::Manage => "manage",
        ApiKeyAction::Proxy => "proxy",
    }
}

fn limits(row: &Row) -> String {
    let scope = row.scope.as_ref().map(Scope::as_str);
    // The subject of an integration that acts for itself is the empty one.
    let subject = |own: &String| if own.is_empty() { "\"\"".to_owned() } else { own.clone() };
    let parts = [
        row.subjects.as_ref().map(|own| own.iter().map(subject).collect::<Vec<_>>().join(", ")),
        row.connections.as_ref().map(|own| own.join(", ")),
        scope.map(|own| format!("scope {own}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join("; ") }
}

fn shown(server: &AuthorizationServer, made: &Shown) {
    let until = made
        .key
        .expires_at
        .map_or("until it is revoked".to_owned(), |end| format!("until {}", moment(end)));
    say(&format!("{}\nThe key is shown only now. It works {until}.", *made.text));
    if made.key.rights.may(ApiKeyAction::Token) {
        let issuer = server.policy.issuer.trim_end_matches('/');
        say(&format!(
            "A service gets a token with it:\n  curl -X POST -H \"Authorization: Bearer $KEY\" {issuer}/oauth/token"
        ));
    }
}

fn row(own: ApiKey, text: Option<&str>, now: Timestamp) -> Row {
    let state = match (own.revoked_at, own.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        (None, _) => "works",
    };
    let ApiKeyRights { actions, integrations, subjects, connections, scope } = own.rights;
    Row {
        state,
        id: own.id,
        service: own.service,
        actions,
        integrations,
        subjects,
        connections,
        scope,
        created_at: moment(own.created_at),
        expires_at: own.expires_at.map(moment),
        revoked_at: own.revoked_at.map(moment),
        last_used_at: own.last_used_at.map(moment),
        previous_secret_until: own
            .previous
            .filter(|own| now < own.until)
            .map(|own| moment(own.until)),
        key: text.map(str::to_owned),
    }
}
