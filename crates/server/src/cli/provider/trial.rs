//! `grantor provider try`: a connect on the terminal, with nothing stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use grantor_core::model::Scope;
use grantor_core::vault::provider::Provider;
use grantor_core::vault::{Integration, IntegrationKind};
use url::Url;
use zeroize::Zeroizing;

use super::attempt::Attempt;
use super::read;
use crate::app;
use crate::app::vault::{descriptions, load};
use crate::cli::settings::Place;
use crate::outbound::Web;

/// What to try, and how.
#[derive(Debug, Args)]
pub(in crate::cli) struct Trial {
    /// A provider's name, or the file of a description.
    provider: String,
    /// Your client id at the provider.
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// The file of your client secret there, or of a private key in PEM.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// A variable of the description, such as `tenant=contoso.com`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// The scopes to ask for [default: those of the description]
    #[arg(long, value_name = "SCOPES")]
    scope: Vec<String>,
    /// Wait for the browser on this port of this machine; else its address is pasted.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// Where the provider sends the browser back to, as it is registered there [default:
    /// http://localhost:PORT/callback, with 5059 for PORT unless --port is given]
    #[arg(long, value_name = "URL", value_parser = redirect_uri)]
    redirect_uri: Option<String>,
    /// The account that is expected, for the provider's sign-in page.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) login_hint: Option<String>,
    /// Make the provider show its consent page, so that there is a refresh token.
    #[arg(long)]
    pub(super) consent: bool,
    /// Get a token for the client itself; no browser is needed.
    #[arg(long)]
    pub(super) client_credentials: bool,
    /// Do not refresh.
    #[arg(long)]
    pub(super) no_refresh: bool,
    /// Give the grant back in the end.
    #[arg(long)]
    pub(super) revoke: bool,
    /// Print a report as JSON, and everything else on standard error.
    #[arg(long)]
    pub(super) json: bool,
}

/// Without a port, this one is in the redirect URI, and nothing listens there.
const USUAL_PORT: u16 = 5_059;

pub(super) async fn run(own: Trial, place: &Place) -> anyhow::Result<()> {
    let config = place.load()?;
    let provider = find(&own.provider, descriptions(config.vault.providers.as_deref())?)?;
    let integration = own.integration(provider)?;
    own.fits(&integration)?;
    let web = Web::new(app::reach(&config)?);
    let deadline = config.vault.deadline.seconds();
    Attempt { own, integration, web, deadline, variables: BTreeMap::new() }.go().await
}

/// A description by its name, or in a file.
fn find(named: &str, mut files: Vec<(String, String)>) -> anyhow::Result<Arc<Provider>> {
    let mut name = named.to_owned();
    if named.ends_with(".toml") {
        let (own, text) = read(Path::new(named))?;
        files.retain(|(other, _)| *other != own);
        name.clone_from(&own);
        files.push((own, text));
    }
    let found = load(files)?.remove(&name);
    found.with_context(|| format!("there is no provider {name:?}; see `grantor provider list`"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}

/// RFC 6749 §3.1.2: absolute, and without a fragment.
fn redirect_uri(text: &str) -> Result<String, String> {
    let fits = Url::parse(text).is_ok_and(|url| url.has_host() && url.fragment().is_none());
    let like = format!("http://localhost:{USUAL_PORT}/callback");
    if fits { Ok(text.to_owned()) } else { Err(format!("write a whole URL, such as {like}")) }
}

impl Trial {
    /// Whether what is given is what the provider needs; else what to give.
    fn fits(&self, integration: &Integration) -> anyhow::Result<()> {
        let provider = &integration.provider;
        if self.client_credentials && !provider.offers(IntegrationKind::ClientCredentials) {
            bail!("{} gives no tokens to clients: leave out --client-credentials", provider.name);
        }
        if !self.client_credentials && !provider.offers(IntegrationKind::Person) {
            bail!("{} gives tokens to clients only: add --client-credentials", provider.name);
        }
        let unfit = provider.unfit(integration);
        if !unfit.is_empty() {
            bail!("{}; see --set and --client-secret-file", unfit.join("; "));
        }
        Ok(())
    }

    fn integration(&self, provider: Arc<Provider>) -> anyhow::Result<Integration> {
        let kind = match self.client_credentials {
            true => IntegrationKind::ClientCredentials,
            false => IntegrationKind::Person,
        };
        let scope = match self.scope.as_slice() {
            [] => provider.default_scope(kind),
            own => Scope::parse(&own.join(" "))?,
        };
        let secret = self.client_secret_file.as_deref().map(|file| {
            let text = std::fs::read_to_string(file).map(Zeroizing::new);
            let text = text.with_context(|| format!("cannot read {}", file.display()))?;
            anyhow::Ok(Zeroizing::new(text.trim().to_owned()))
        });
        let port = self.port.unwrap_or(USUAL_PORT);
        let usual = || format!("http://localhost:{port}/callback");
        Ok(Integration {
            name: provider.name.clone(),
            label: provider.label.clone(),
            provider,
            client_id: self.client_id.clone(),
            client_secret: secret.transpose()?,
            scope,
            required: Scope::default(),
            variables: self.variables.iter().cloned().collect(),
            kind,
            redirect_uri: self.redirect_uri.clone().unwrap_or_else(usual),
            self_service: false,
            link: false,
            proxy: false,
            concurrency: 1,
            per_minute: 0,
        })
    }
}
