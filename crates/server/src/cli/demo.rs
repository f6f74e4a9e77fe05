//! `grantor demo`: everything on one machine, to look at and to learn from.

mod account;
mod google;
mod panel;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::settings::Place;
use super::walk;
use crate::app;
use crate::config::{Config, Loader};
use crate::listen;
use crate::mail::Mailbox;
use crate::run::{self, Prepared};

/// Try it: the server, a sample client, a stand-in for Google, a demo account and a mailbox, on this
/// machine only.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The port of Grantor; the sample client has the next one, the stand-in for Google the one
    /// after that.
    #[arg(long, default_value_t = 5050, value_parser = clap::value_parser!(u16).range(1..=65_533))]
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
    pub(super) google_url: String,
    pub(super) data: PathBuf,
    pub(super) mailbox: bool,
    pub(super) account: account::Account,
    pub(super) sample_secret: String,
    pub(super) sample_api_key: Zeroizing<String>,
}

pub(super) async fn run(own: Demo, place: Place) -> anyhow::Result<ExitCode> {
    let mut config = place.load_between(presets(), |loader| here(loader, own.port))?;
    run::start_logs(&config);
    let stop = run::stop_on_signal();
    let (sample_port, google_port) = (own.port + 1, own.port + 2);
    let sample_listeners = listen::bind("localhost", sample_port)?;
    let google_listeners = listen::bind("localhost", google_port)?;
    let sample_url = format!("http://localhost:{sample_port}");
    let google = google::set_up(&mut config, google_port, &sample_url)?;
    let (prepared, running) = prepare(config, sample_url, google_port).await?;
    let sample = (sample_config(&running), sample_listeners);
    let served = tokio::spawn(serve(prepared, sample, (google, google_listeners), stop));
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

async fn prepare(
    config: Config,
    sample_url: String,
    google_port: u16,
) -> anyhow::Result<(Prepared, Running)> {
    let mailbox = config.mail.smtp.is_none().then(|| Arc::new(Mailbox::new(MAILBOX)));
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
    let sample_api_key = account::ensure_sample_key(server, &data)
        .await
        .context("cannot make the sample client's API key")?;
    let running = Running {
        issuer,
        sample_url,
        google_url: format!("http://localhost:{google_port}"),
        data,
        mailbox: mailbox.is_some(),
        account,
        sample_secret,
        sample_api_key,
    };
    Ok((prepared, running))
}

fn sample_config(running: &Running) -> sample::Config {
    let data = running.data.join("sample");
    let mut config =
        sample::Config::new(&running.issuer, account::SAMPLE_ID, &running.sample_url, data);
    config.client_secret = Some(sample::Secret::new(&running.sample_secret));
    config.tv_client_id = Some(account::TELEVISION_ID.to_owned());
    config.calendar = Some(sample::Calendar {
        api_key: sample::Secret::new(&running.sample_api_key),
        integration: google::INTEGRATION.to_owned(),
        api_url: format!("{}/calendar/v3/users/me/calendarList", running.google_url),
    });
    config
}

async fn serve(
    prepared: Prepared,
    sample: (sample::Config, Vec<TcpListener>),
    google: (standins::google::Config, Vec<TcpListener>),
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let (client, provider, ()) = tokio::join!(
        sample::serve(sample.0, sample.1, run::stopped(stop.clone())),
        standins::google::serve(google.0, google.1, run::stopped(stop.clone())),
        prepared.serve(stop),
    );
    client?;
    Ok(provider?)
}
