//! `grantor audit`: who did what to which token.

mod tail;

use std::process::ExitCode;

use clap::Subcommand;
use grantor_core::AuthorizationServer;
use grantor_core::vault::audit::{self, Mark};
use serde_json::json;

use super::output::{Progress, json, say};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;

/// The audit log: who did what to which token.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check that nothing in the log was changed, dropped or moved. Fails where something was.
    Verify {
        /// A line that an earlier check printed and that was kept elsewhere: shows also whether the
        /// end was cut off, or everything rewritten by somebody who has the keys.
        #[arg(long, value_name = "SEQUENCE:HASH")]
        expect: Option<Mark>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the last entries; on a terminal cut to its width.
    Tail {
        /// How many.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        lines: u64,
        /// Go on with new entries as they come.
        #[arg(short, long)]
        follow: bool,
        /// Print a JSON object for each entry, one on a line.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: AuditCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    let backend = Backend::open(&config).await?;
    let server = app::authorization_server(&config, &backend).await?;
    let done = match command {
        AuditCommand::Verify { expect, json } => verify(&server, expect, json).await,
        AuditCommand::Tail { lines, follow, json } => tail::run(&server, lines, follow, json).await,
    };
    backend.close().await?;
    done
}

async fn verify(
    server: &AuthorizationServer,
    expect: Option<Mark>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let end = server.store.last_audit().await?.map_or(0, |own| own.sequence);
    let progress = Progress::new("entries", end);
    let found = audit::verify(server, expect, |read| progress.at(read)).await?;
    progress.finish();
    match found {
        Err(fault) if as_json => {
            json(
                &json!({ "sound": false, "entry": fault.sequence(), "fault": fault.to_string() }),
            )?;
            Ok(ExitCode::FAILURE)
        }
        Err(fault) => Err(anyhow::anyhow!("the audit log is not as it was written: {fault}")),
        Ok(own) if as_json => {
            json(&json!({
                "sound": true,
                "entries": own.last.sequence,
                "mark": own.last.to_string(),
                "checkpoints": own.checkpoints,
                "last_checkpoint": own.last_checkpoint,
            }))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(own) => {
            let checkpoint = match own.last_checkpoint {
                0 => "no checkpoint yet".to_owned(),
                sequence => format!("the last checkpoint is entry {sequence}"),
            };
            say(&format!(
                "Sound: {} entries, {checkpoint}.\n{}\nKeep this line elsewhere: --expect takes it, and shows whether anything was cut off or rewritten since.",
                own.last.sequence, own.last
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}
