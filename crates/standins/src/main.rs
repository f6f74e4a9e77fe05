//! The stand-ins as a program of its own: flags, listener, signals.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use standins::{catalogue, google, rotating};
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
    /// One whose refresh tokens are good for one use, with the quirks that go with it
    Rotating(Rotating),
    /// GitHub, Slack, Microsoft and others, each below its name
    Catalogue(Catalogue),
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

#[derive(Debug, Args)]
struct Rotating {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:5053")]
    listen: String,
    /// The client: its id, secret and redirect URI, separated by commas; one that may be sent back
    /// to anywhere where left out
    #[arg(long, value_name = "ID,SECRET,REDIRECT_URI")]
    client: Option<String>,
    /// How long access tokens live, in seconds
    #[arg(long, default_value_t = 3600)]
    lifetime: u32,
    /// For how many seconds a used refresh token is taken again
    #[arg(long, default_value_t = 0)]
    grace: u32,
    /// Within the grace, answer new tokens, not those that were answered before
    #[arg(long)]
    new_tokens: bool,
    /// Refuse a used refresh token without ending its family
    #[arg(long)]
    lenient: bool,
    /// A refresh ends the access token before: at once, or with the grace
    #[arg(long)]
    ends_access: bool,
    /// Answer without `expires_in`
    #[arg(long)]
    no_expires_in: bool,
    /// Answer everything below `data`
    #[arg(long)]
    nested: bool,
    /// Answer forms
    #[arg(long)]
    form_encoded: bool,
    /// Answer errors with the status 200
    #[arg(long)]
    errors_are_200: bool,
    /// Read client credentials from the header only
    #[arg(long)]
    basic_only: bool,
}

#[derive(Debug, Args)]
struct Catalogue {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:5054")]
    listen: String,
    /// The client that all of them know: its id, secret and redirect URI, separated by commas; one
    /// that may be sent back to anywhere where left out
    #[arg(long, value_name = "ID,SECRET,REDIRECT_URI")]
    client: Option<String>,
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
        Provider::Rotating(own) => rotating(own).await,
        Provider::Catalogue(own) => catalogue(own).await,
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

async fn rotating(own: Rotating) -> Result<()> {
    let config = rotating::Config {
        client: known_client(own.client.as_deref())?,
        lifetime: own.lifetime,
        grace: own.grace,
        again: match own.new_tokens {
            true => rotating::Again::NewTokens,
            false => rotating::Again::SameTokens,
        },
        reuse_ends_family: !own.lenient,
        ends_access: own.ends_access,
        no_expires_in: own.no_expires_in,
        nested: own.nested,
        form_encoded: own.form_encoded,
        errors_are_200: own.errors_are_200,
        basic_only: own.basic_only,
    };
    let listener = listen(&own.listen).await?;
    Ok(rotating::serve(config, vec![listener], stop()?).await?)
}

async fn catalogue(own: Catalogue) -> Result<()> {
    let client = known_client(own.client.as_deref())?;
    let listener = listen(&own.listen).await?;
    Ok(catalogue::serve(client, vec![listener], stop()?).await?)
}

fn known_client(text: Option<&str>) -> Result<catalogue::Client> {
    let Some(text) = text else { return Ok(catalogue::Client::default()) };
    let (id, secret, uri) = split_client(text)?;
    let redirect_uris = vec![uri.to_owned()];
    Ok(catalogue::Client { id: id.to_owned(), secret: secret.to_owned(), redirect_uris })
}

fn read_client(text: &str) -> Result<google::Client> {
    let (id, secret, uri) = split_client(text)?;
    Ok(google::Client::new(id, secret, uri))
}

fn split_client(text: &str) -> Result<(&str, &str, &str)> {
    let mut parts = text.splitn(3, ',');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(secret), Some(uri)) => Ok((id, secret, uri)),
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
