//! The sample client backend as a program of its own: flags, environment, listener, signals.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use sample::{Calendar, Config, Secret};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Fieldnotes, a sample application that signs people in with an OpenID Connect provider
#[derive(Debug, Parser)]
#[command(name = "sample", version)]
struct Args {
    /// Issuer of the provider, as in its discovery document
    #[arg(long, env = "SAMPLE_ISSUER", default_value = "http://localhost:5050")]
    issuer: String,
    /// Client id under which the provider knows this application
    #[arg(long, env = "SAMPLE_CLIENT_ID", default_value = "sample")]
    client_id: String,
    /// Client secret; leave out for a public client, prefer --client-secret-file
    #[arg(long, env = "SAMPLE_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// File that holds the client secret
    #[arg(long, env = "SAMPLE_CLIENT_SECRET_FILE", conflicts_with = "client_secret")]
    client_secret_file: Option<PathBuf>,
    /// Where browsers reach this application; the redirect URI is <BASE_URL>/callback
    #[arg(long, env = "SAMPLE_BASE_URL", default_value = "http://localhost:5051")]
    base_url: String,
    /// Address to listen on
    #[arg(long, env = "SAMPLE_LISTEN", default_value = "127.0.0.1:5051")]
    listen: String,
    /// Folder for the sealing key and the sealed sessions
    #[arg(long, env = "SAMPLE_DATA", default_value = "sample-data")]
    data: PathBuf,
    /// Scopes to ask for, separated by spaces
    #[arg(long, env = "SAMPLE_SCOPES", default_value = "openid profile email read")]
    scopes: String,
    /// Protected API to call; <ISSUER>/protected where left out
    #[arg(long, env = "SAMPLE_PROTECTED_URL")]
    protected_url: Option<String>,
    /// Public client for the television page, which may use the device grant; no page where left out
    #[arg(long, env = "SAMPLE_TV_CLIENT_ID")]
    tv_client_id: Option<String>,
    /// API key of the provider's vault for the calendar page; no page where left out, prefer
    /// --vault-api-key-file
    #[arg(long, env = "SAMPLE_VAULT_API_KEY", hide_env_values = true)]
    vault_api_key: Option<String>,
    /// File that holds the API key
    #[arg(long, env = "SAMPLE_VAULT_API_KEY_FILE", conflicts_with = "vault_api_key")]
    vault_api_key_file: Option<PathBuf>,
    /// Integration of the vault that people's calendars are at
    #[arg(long, env = "SAMPLE_VAULT_INTEGRATION", default_value = "google")]
    vault_integration: String,
    /// API that lists a person's calendars
    #[arg(
        long,
        env = "SAMPLE_CALENDAR_URL",
        default_value = "https://www.googleapis.com/calendar/v3/users/me/calendarList"
    )]
    calendar_url: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .init();
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ensure!(installed.is_ok(), "another TLS provider is installed already");
    let listener = TcpListener::bind(&args.listen).await.with_context(|| {
        format!("cannot listen on {}: choose another with --listen", args.listen)
    })?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening, open {} in a browser", args.base_url);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    sample::serve(config(args)?, vec![listener], stop).await?;
    Ok(())
}

fn config(args: Args) -> Result<Config> {
    let mut config = Config::new(&args.issuer, &args.client_id, &args.base_url, args.data);
    config.client_secret = secret(args.client_secret, args.client_secret_file)?;
    config.scopes = args.scopes.split_whitespace().map(str::to_owned).collect();
    config.protected_url = args.protected_url;
    config.tv_client_id = args.tv_client_id;
    config.calendar = secret(args.vault_api_key, args.vault_api_key_file)?.map(|api_key| {
        Calendar { api_key, integration: args.vault_integration, api_url: args.calendar_url }
    });
    Ok(config)
}

fn secret(given: Option<String>, file: Option<PathBuf>) -> Result<Option<Secret>> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(Secret::new(&secret))),
        (None, Some(path)) => {
            let secret = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read the secret in {}", path.display()))?;
            Ok(Some(Secret::new(&secret)))
        }
        (None, None) => Ok(None),
    }
}
