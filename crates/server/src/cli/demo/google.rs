//! The demo's Google: a stand-in on this machine, and what Grantor is told about it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use grantor_core::ports::Entropy as _;
use standins::google::Client;

use crate::clock::SystemEntropy;
use crate::config::{Config, Integration};
use crate::key_file;

/// The name of the integration.
pub(super) const INTEGRATION: &str = "google";

/// The description of the stand-in.
const PROVIDER: &str = "google-stand-in";

/// Grantor's client id there.
const CLIENT_ID: &str = "grantor-demo.apps.stand-in.example";

/// The APIs that the demo asks for.
const SCOPES: [&str; 3] = ["openid", "email", "https://www.googleapis.com/auth/calendar.readonly"];

/// Adds the integration to the settings, unless they have one of its name or descriptions of
/// providers, and answers those of the stand-in. Description and settings are also kept as files in the data folder, for the commands
/// that are run beside the demo.
pub(super) fn set_up(
    config: &mut Config,
    port: u16,
    sample_url: &str,
) -> anyhow::Result<standins::google::Config> {
    let url = format!("http://localhost:{port}");
    let data = folder(&config.data)?;
    let providers = data.join("providers");
    fs::create_dir_all(&providers)
        .with_context(|| format!("cannot make {}", providers.display()))?;
    write(&providers.join(format!("{PROVIDER}.toml")), &description(&url))?;
    let secret_file = data.join("google-secret");
    let secret = secret(&secret_file)?;
    let issuer = config.issuer();
    write(&data.join("grantor.toml"), &settings(&issuer, &data, &providers, &secret_file))?;

    let integration = Integration::stand_in(PROVIDER, CLIENT_ID, &secret, SCOPES);
    // Who brings descriptions brings integrations too.
    if config.vault.providers.is_none() {
        config.vault.providers = Some(providers);
        config.integrations.entry(INTEGRATION.to_owned()).or_insert(integration);
    }
    config.vault.return_urls.push(format!("{sample_url}/calendar/connected"));
    config.outbound.allowed_hosts.push("localhost".to_owned());
    let mut client = Client::new(CLIENT_ID, &secret, &format!("{issuer}/connect/callback"));
    client.name = "Grantor demo".to_owned();
    let clients = vec![client];
    Ok(standins::google::Config { base_url: Some(url), clients, ..Default::default() })
}

/// As a whole path, so that the files name it wherever they are used.
fn folder(data: &Path) -> anyhow::Result<PathBuf> {
    let shown = data.display();
    fs::create_dir_all(data).with_context(|| format!("cannot make the data folder {shown}"))?;
    data.canonicalize().with_context(|| format!("cannot use the data folder {shown}"))
}

/// The client secret, the same at each start.
fn secret(file: &Path) -> anyhow::Result<String> {
    if let Ok(secret) = fs::read_to_string(file) {
        return Ok(secret.trim().to_owned());
    }
    let mut bytes = [0; 24];
    SystemEntropy.fill(&mut bytes);
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    key_file::write_private(file, &secret)?;
    Ok(secret)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Google's description with the addresses of the stand-in.
fn description(url: &str) -> String {
    format!(
        "# The demo's stand-in for Google: everything as at Google, but for the addresses.
label = \"Google (stand-in)\"
extends = \"google\"

[authorize]
url = \"{url}/o/oauth2/v2/auth\"
issuer = \"{url}\"

[token]
url = \"{url}/token\"

[id_token]
issuers = [\"{url}\"]
jwks_uri = \"{url}/oauth2/v3/certs\"

[revoke]
url = \"{url}/revoke\"

[proxy]
base = \"{url}\"
hosts = [\"localhost\"]
"
    )
}

/// What the demo adds to the settings, as a file.
fn settings(issuer: &str, data: &Path, providers: &Path, secret_file: &Path) -> String {
    format!(
        "# The settings of the demo that other commands need: grantor --config <this file> …
# Written at each start of the demo.
issuer = {issuer:?}
data = {data:?}

[vault]
providers = {providers:?}

[outbound]
allowed_hosts = [\"localhost\"]

[integrations.{INTEGRATION}]
provider = {PROVIDER:?}
client_id = {CLIENT_ID:?}
client_secret_file = {secret_file:?}
scopes = {SCOPES:?}
"
    )
}
