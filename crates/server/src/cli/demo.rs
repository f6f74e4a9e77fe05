//! `grantor demo`: everything on one machine, to look at and to learn from.

mod account;
mod panel;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::settings::Place;
use super::walk;
use crate::app;
use crate::config::{Config, Loader};
use crate::listen;
use crate::mail::Mailbox;
use crate::run::{self, Prepared};

/// Try it: the server, a sample client, a demo account and a mailbox, on this machine only.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The port of Grantor; the sample client has the next one.
    #[arg(long, default_value_t = 5050, value_parser = clap::value_parser!(u16).range(1..=65_534))]
    port: u16,
    /// Go through a sign-in without a browser, print each request and answer, and stop.
    #[arg(long)]
    walk: bool,
}

/// Mails that the mailbox keeps.
const MAILBOX: usize = 100;

pub(super) use account::SAMPLE_ID;

/// What is running.
pub(super) struct Running {
    pub(super) issuer: String,
    pub(super) sample_url: String,
    pub(super) data: PathBuf,
    pub(super) mailbox: bool,
    pub(super) account: account::Account,
    pub(super) sample_secret: String,
}

pub(super) async fn run(own: Demo, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load_between(presets(), |loader| here(loader, own.port))?;
    run::start_logs(&config);
    let stop = run::stop_on_signal();
    let sample_port = own.port + 1;
    let sample_listeners = listen::bind("localhost", sample_port)?;
    let (prepared, running) = prepare(config, sample_port).await?;
    let sample = sample_config(&running);
    let served = tokio::spawn(serve(prepared, sample, sample_listeners, stop));
    if own.walk {
        let walked = walk::run(&running).await;
        served.abort();
        return walked.map(|()| ExitCode::SUCCESS);
    }
    panel::show(&running);
    served.await??;
    Ok(ExitCode::SUCCESS)
}

/// What the demo has that a real server has not, unless the file or the environment says otherwise.
fn presets() -> Loader {
    Loader::new()
        .set("data", "demo-data")
        .set("sign_in.sign_up", true)
        .set("sign_in.admin_token.allowed", vec!["*"])
        .set("sample_api.enabled", true)
        .set("registration.policy", "open")
        .set("registration.chosen_credentials", true)
        .set("log.level", "warn")
}

/// The demo is for this machine only, whatever else is said.
fn here(loader: Loader, port: u16) -> Loader {
    loader
        .set("issuer", format!("http://localhost:{port}"))
        .set("listen.port", port)
        .set("listen.address", vec!["localhost"])
}

async fn prepare(config: Config, sample_port: u16) -> anyhow::Result<(Prepared, Running)> {
    let mailbox = config.mail.smtp.is_none().then(|| Arc::new(Mailbox::new(MAILBOX)));
    let sample_url = format!("http://localhost:{sample_port}");
    let demo = app::Demo { mailbox: mailbox.clone(), sample_url: sample_url.clone() };
    let (issuer, data) = (config.issuer(), config.data.clone());
    let prepared = run::prepare(config, Some(demo)).await?;
    let server = &prepared.app().server;
    let account = account::ensure(server, &data).await.context("cannot make the demo account")?;
    let sample_secret = account::ensure_sample(server, &data, &sample_url)
        .await
        .context("cannot register the sample client")?;
    account::ensure_television(server, &sample_url)
        .await
        .context("cannot register the sample client's television")?;
    let running =
        Running { issuer, sample_url, data, mailbox: mailbox.is_some(), account, sample_secret };
    Ok((prepared, running))
}

fn sample_config(running: &Running) -> sample::Config {
    let data = running.data.join("sample");
    let mut config =
        sample::Config::new(&running.issuer, account::SAMPLE_ID, &running.sample_url, data);
    config.client_secret = Some(sample::Secret::new(&running.sample_secret));
    config.tv_client_id = Some(account::TELEVISION_ID.to_owned());
    config
}

async fn serve(
    prepared: Prepared,
    sample: sample::Config,
    listeners: Vec<TcpListener>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let (client, ()) = tokio::join!(
        sample::serve(sample, listeners, run::stopped(stop.clone())),
        prepared.serve(stop),
    );
    Ok(client?)
}
