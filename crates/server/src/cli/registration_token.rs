//! `grantor registration-token`: initial access tokens (RFC 7591 §1.2).

use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::id::InitialTokenId;
use grantor_core::model::InitialToken;
use grantor_core::secret::Kind;
use serde::Serialize;

use super::output::{Column, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;
use crate::config::Period;

/// Tokens that let an application register itself.
#[derive(Debug, Subcommand)]
pub(super) enum RegistrationTokenCommand {
    /// Make a token; it is printed once.
    Add {
        /// How many applications it registers.
        #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "unlimited")]
        uses: u32,
        /// Any number of applications.
        #[arg(long)]
        unlimited: bool,
        /// How long it works, such as `12h` or `30d`.
        #[arg(long, value_name = "TIME", default_value = "7d")]
        lifetime: Period,
        /// What it is for.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the tokens.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a token. Applications that it registered stay.
    Remove {
        /// Its id, as `list` shows it.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Row {
    id: String,
    note: String,
    uses_left: Option<u32>,
    created_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(super) async fn run(
    command: RegistrationTokenCommand,
    place: Place,
) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let done = match command {
        RegistrationTokenCommand::Add { uses, unlimited, lifetime, note, json } => {
            let uses = (!unlimited).then_some(uses);
            add(&server, uses, lifetime, note, json).await
        }
        RegistrationTokenCommand::List { json } => list(&server, json).await,
        RegistrationTokenCommand::Remove { id, json } => remove(&server, &id, json).await,
    };
    backend.close().await?;
    done.map(|()| ExitCode::SUCCESS)
}

async fn add(
    server: &AuthorizationServer,
    uses: Option<u32>,
    lifetime: Period,
    note: String,
    as_json: bool,
) -> anyhow::Result<()> {
    ensure!(uses != Some(0), "a token without uses registers nothing; give it one at least");
    ensure!(lifetime.seconds().0 > 0, "a token must live some time; give it 1m at least");
    ensure!(note.chars().count() <= 200, "a note has 200 characters at most");
    let token = server.new_credential(Kind::InitialToken);
    let now = server.clock.now();
    let kept = InitialToken {
        id: InitialTokenId(token.id()),
        digest: token.digest(),
        note,
        uses_left: uses,
        created_at: now,
        expires_at: now.plus(lifetime.seconds()),
    };
    server.store.add_initial_token(kept.clone()).await?;
    let row = row(kept, Some(token.reveal()));
    if as_json {
        return json(&row);
    }
    say(&format!(
        "{}\nThe token is shown only now. It works until {}, {}.\nAn application sends it to /register as Authorization: Bearer.",
        row.token.as_deref().unwrap_or_default(),
        row.expires_at,
        match uses {
            None => "any number of times".to_owned(),
            Some(1) => "once".to_owned(),
            Some(uses) => format!("{uses} times"),
        },
    ));
    Ok(())
}

async fn list(server: &AuthorizationServer, as_json: bool) -> anyhow::Result<()> {
    let rows: Vec<_> = server.store.initial_tokens().await?;
    let rows: Vec<_> = rows.into_iter().map(|token| row(token, None)).collect();
    if as_json {
        return json(&rows);
    }
    let now = moment(server.clock.now());
    table(
        &[
            Column::Whole("id"),
            Column::Text("note"),
            Column::Text("uses left"),
            Column::Whole("made"),
            Column::Whole("works until"),
        ],
        rows.into_iter().map(|row| {
            let uses = row.uses_left.map_or_else(|| "any".to_owned(), |uses| uses.to_string());
            let over = if row.expires_at <= now { " (over)" } else { "" };
            vec![row.id, row.note, uses, row.created_at, row.expires_at + over]
        }),
    );
    Ok(())
}

async fn remove(server: &AuthorizationServer, id: &str, as_json: bool) -> anyhow::Result<()> {
    let parsed = id.parse::<InitialTokenId>();
    let gone = match parsed {
        Ok(id) => server.store.remove_initial_token(id).await?,
        Err(_) => false,
    };
    if !gone {
        bail!("there is no registration token {id:?}; see `grantor registration-token list`");
    }
    if as_json {
        return json(&serde_json::json!({ "removed": id }));
    }
    say("Removed; it registers nothing any more.");
    Ok(())
}

fn row(own: InitialToken, token: Option<String>) -> Row {
    Row {
        id: own.id.to_string(),
        note: own.note,
        uses_left: own.uses_left,
        created_at: moment(own.created_at),
        expires_at: moment(own.expires_at),
        token,
    }
}
