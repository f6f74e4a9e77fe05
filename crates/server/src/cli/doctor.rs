//! `grantor doctor`: what is wrong, and what is still missing.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use grantor_core::keys;
use serde::Serialize;

use super::output::{Column, json, table};
use super::settings::Place;
use crate::app;
use crate::app::backend::Backend;
use crate::background::CLOCK_OFF;
use crate::clock::StoreClock;
use crate::config::Config;

/// Find what is wrong with an installation, and what it still lacks.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Advice,
    Bad,
}

#[derive(Serialize)]
struct Finding {
    what: String,
    verdict: Verdict,
    text: String,
}

pub(super) async fn run(own: Doctor, place: Place) -> anyhow::Result<ExitCode> {
    let mut found = Vec::new();
    match place.load_whole() {
        Err(error) => found.push(finding("configuration", Verdict::Bad, error.to_string())),
        Ok(config) => {
            found.push(finding("configuration", Verdict::Good, "it can be used".to_owned()));
            folder(&config.data, &mut found);
            database(&config, &mut found).await;
            let advice = config.missing_for_production().into_iter();
            found.extend(advice.map(|own| finding(own.setting, Verdict::Advice, own.text)));
        }
    }
    let healthy = found.iter().all(|finding| finding.verdict != Verdict::Bad);
    if own.json {
        json(&found)?;
    } else {
        table(
            &[Column::Whole("what"), Column::Whole("verdict"), Column::Text("")],
            found.into_iter().map(row),
        );
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(finding: Finding) -> Vec<String> {
    let verdict = match finding.verdict {
        Verdict::Good => "good",
        Verdict::Advice => "still needed",
        Verdict::Bad => "bad",
    };
    vec![finding.what, verdict.to_owned(), finding.text]
}

fn finding(what: &str, verdict: Verdict, text: String) -> Finding {
    Finding { what: what.to_owned(), verdict, text }
}

fn folder(data: &Path, found: &mut Vec<Finding>) {
    let shown = data.display();
    match std::fs::create_dir_all(data).and_then(|()| private(data)) {
        Err(error) => {
            found.push(finding("data folder", Verdict::Bad, format!("{shown}: {error}")));
        }
        Ok(None) => found.push(finding("data folder", Verdict::Good, shown.to_string())),
        Ok(Some(file)) => {
            let text =
                format!("{file} can be read by other users of this machine; run chmod 600 on it");
            found.push(finding("data folder", Verdict::Bad, text));
        }
    }
}

/// The first secret file that others can read.
fn private(data: &Path) -> std::io::Result<Option<String>> {
    #[cfg(unix)]
    for name in ["key-encryption.key", "grantor.db"] {
        use std::os::unix::fs::PermissionsExt as _;
        let path = data.join(name);
        if path.exists() && path.metadata()?.permissions().mode() & 0o077 != 0 {
            return Ok(Some(path.display().to_string()));
        }
    }
    Ok(None)
}

async fn database(config: &Config, found: &mut Vec<Finding>) {
    let opened = async {
        let backend = Backend::open(config).await?;
        let server = app::authorization_server(config, &backend).await?;
        anyhow::Ok((backend, server))
    };
    let (backend, server) = match opened.await {
        Ok(opened) => opened,
        Err(error) => return found.push(finding("database", Verdict::Bad, format!("{error:#}"))),
    };
    let now = server.clock.now();
    found.push(match server.store.ping().await {
        Ok(()) => finding("database", Verdict::Good, "it reads and writes".to_owned()),
        Err(error) => finding("database", Verdict::Bad, error.to_string()),
    });
    clock(&backend, found).await;
    let warnings = backend.guarantees().await.into_iter();
    found.extend(warnings.map(|text| finding("durability", Verdict::Advice, text)));
    found.push(match keys::reload(&server, now).await {
        Ok(()) => {
            let count = server.keys.current().published(now).count();
            finding("signing keys", Verdict::Good, format!("{count} published"))
        }
        Err(error) => finding("signing keys", Verdict::Bad, error.to_string()),
    });
    match server.store.pending_mail().await {
        Ok(waiting) => {
            found.push(finding("outbox", Verdict::Good, format!("{waiting} mails wait")));
        }
        Err(error) => found.push(finding("outbox", Verdict::Bad, error.to_string())),
    }
    if let Err(error) = backend.close().await {
        found.push(finding("database", Verdict::Bad, error.to_string()));
    }
}

/// Whether this machine's clock shows what the store's does; a file has none of its own.
async fn clock(backend: &Backend, found: &mut Vec<Finding>) {
    let ahead = match StoreClock::of(backend).await {
        Ok(None) => return,
        Ok(Some(clock)) => clock.machine_ahead(),
        Err(error) => return found.push(finding("clock", Verdict::Bad, error.to_string())),
    };
    let off = ahead.unsigned_abs();
    found.push(if off <= CLOCK_OFF {
        finding("clock", Verdict::Good, format!("within {off} ms of the store's"))
    } else {
        let seconds = off / 1_000;
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let text = format!(
            "this machine's clock is {seconds} s {side} the store's. Grantor goes by the store's; \
             certificates and the times in logs do not. Have NTP set it (chrony, systemd-timesyncd)."
        );
        finding("clock", Verdict::Advice, text)
    });
}
