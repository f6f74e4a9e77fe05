//! `grantor key`.

use std::process::ExitCode;

use anyhow::bail;
use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::jose::Algorithm;
use grantor_core::keys::{self, PublishedKey};
use grantor_core::time::Timestamp;
use serde::Serialize;

use super::output::{Column, json, moment, say, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;

/// Keys that sign ID tokens.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// List the published keys.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Publish a new key; it begins to sign once every verifier has had time to read it.
    Rotate {
        /// The algorithm [default: every one that is enabled]
        #[arg(long, value_name = "ALG")]
        alg: Option<Algorithm>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Serialize)]
struct Row {
    kid: String,
    alg: &'static str,
    state: &'static str,
    created_at: String,
    active_from: String,
    retires_at: Option<String>,
}

pub(super) async fn run(command: KeyCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let now = server.clock.now();
    keys::ensure(&server, now).await?;
    let as_json = match command {
        KeyCommand::List { json } => json,
        KeyCommand::Rotate { alg, json } => {
            rotate(&server, alg, now).await?;
            json
        }
    };
    list(&server, as_json, now)?;
    backend.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn rotate(
    server: &AuthorizationServer,
    alg: Option<Algorithm>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let enabled = &server.policy.keys.algorithms;
    let asked = match alg {
        Some(alg) if !enabled.contains(&alg) => {
            bail!("{} is not among keys.algorithms of the configuration", alg.as_str())
        }
        Some(alg) => vec![alg],
        None => enabled.clone(),
    };
    for alg in asked {
        if keys::rotate(server, alg, now).await?.is_none() {
            bail!("another process rotated the {} key just now", alg.as_str());
        }
    }
    Ok(())
}

fn list(server: &AuthorizationServer, as_json: bool, now: Timestamp) -> anyhow::Result<()> {
    let set = server.keys.current();
    let rows: Vec<_> = set.published(now).map(|own| row(&set, own, now)).collect();
    if as_json {
        return json(&rows);
    }
    if rows.is_empty() {
        say("There is no key yet.");
    }
    table(
        &[
            Column::Whole("kid"),
            Column::Text("alg"),
            Column::Text("state"),
            Column::Whole("signs from"),
            Column::Whole("leaves the set"),
        ],
        rows.into_iter().map(|row| {
            let end = row.retires_at.unwrap_or_else(|| "-".to_owned());
            vec![row.kid, row.alg.to_owned(), row.state.to_owned(), row.active_from, end]
        }),
    );
    Ok(())
}

fn row(set: &keys::KeySet, own: &PublishedKey, now: Timestamp) -> Row {
    let algorithm = own.key.algorithm();
    let signs = set.signing(algorithm, now).is_ok_and(|key| key.kid() == own.key.kid());
    let state = match (signs, own.active_from > now) {
        (true, _) => "signs",
        (false, true) => "published",
        (false, false) => "verifies",
    };
    Row {
        kid: own.key.kid().to_owned(),
        alg: algorithm.as_str(),
        state,
        created_at: moment(own.created_at),
        active_from: moment(own.active_from),
        retires_at: own.retires_at.map(moment),
    }
}
