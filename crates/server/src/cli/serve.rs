//! `grantor serve`.

use std::process::ExitCode;

use clap::Args;

use super::settings::Place;
use crate::run;

/// Run the server.
#[derive(Debug, Args)]
pub(super) struct Serve {}

pub(super) async fn run(_: Serve, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    run::start_logs(&config);
    let stop = run::stop_on_signal();
    let issuer = config.issuer();
    let advice = config.missing_for_production();
    let server = run::prepare(config, None).await?;
    tracing::info!(issuer, version = env!("CARGO_PKG_VERSION"), "ready");
    for own in advice {
        tracing::warn!(setting = own.setting, "a real deployment still needs: {}", own.text);
    }
    server.serve(stop).await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}
