//! The stand-ins as a program of its own: flags, listener, signals.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use standins::google;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Providers to develop and test against without a network
#[derive(Debug, Parser)]
#[command(name = "standins", version)]
struct Cli {
    #[command(subcommand)]
    provider: Provider,
}

#[derive(Debug, Subcommand)]
enum Provider {
    /// A Google, with sign-in and consent pages and every error that is known of it
    Google(Google),
}

#[derive(Debug, Args)]
struct Google {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:5052")]
    listen: String,
    /// Where browsers and clients reach it, which is also the issuer; http://ADDRESS where left out
    #[arg(long)]
    base_url: Option<String>,
    /// JSON file with `clients` and `people`, in the place of the built-in ones
    #[arg(long)]
    config: Option<PathBuf>,
    /// A client more: its id, secret and redirect URI, separated by commas
    #[arg(long, value_name = "ID,SECRET,REDIRECT_URI")]
    client: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();
    let done = match Cli::parse().provider {
        Provider::Google(own) => google(own).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn google(own: Google) -> Result<()> {
    let mut config = match &own.config {
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} is not what --config needs", path.display()))?
        }
        None => google::Config::default(),
    };
    config.base_url = own.base_url.or(config.base_url);
    for client in &own.client {
        config.clients.push(read_client(client)?);
    }
    let listener = listen(&own.listen).await?;
    Ok(google::serve(config, vec![listener], stop()?).await?)
}

fn read_client(text: &str) -> Result<google::Client> {
    let mut parts = text.splitn(3, ',');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(secret), Some(uri)) => Ok(google::Client::new(id, secret, uri)),
        _ => {
            anyhow::bail!("--client needs an id, a secret and a redirect URI, with commas between")
        }
    }
}

async fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another with --listen"))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Completes when the process is asked to end.
fn stop() -> Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    })
}
