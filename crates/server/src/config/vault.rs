//! Settings of the vault: integrations with providers, how their tokens are refreshed, webhooks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Period, Secret};

/// The vault: tokens of providers, kept for services.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Vault {
    /// A folder with descriptions of providers, `*.toml`, beside the built-in ones.
    pub(crate) providers: Option<PathBuf>,
    /// How long a provider may take to answer, from the first packet to the last byte.
    pub(crate) deadline: Period,
    /// How long a caller without a valid token waits for a refresh before it is answered 503; the
    /// refresh goes on.
    pub(crate) patience: Period,
    /// How long before an unused refresh token would expire it is used, to keep it alive.
    pub(crate) keep_alive: Period,
    /// Where a browser may be sent after it has connected an account: a `return_url` must begin with
    /// one of these URLs, and be the same up to the end of the path that is given here.
    pub(crate) return_urls: Vec<String>,
    /// What passes through `/proxy/`, where an integration has it switched on.
    pub(crate) proxy: Proxy,
}

impl Default for Vault {
    fn default() -> Self {
        Self {
            providers: None,
            deadline: Period::of(90),
            patience: Period::of(30),
            keep_alive: Period::of(7 * 86_400),
            return_urls: Vec::new(),
            proxy: Proxy::default(),
        }
    }
}

/// What passes through `/proxy/`, where an integration has it switched on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Proxy {
    /// Bytes of a request body at most; more is answered with 413.
    pub(crate) request_bytes: u64,
    /// Bytes of a provider's answer at most; a longer one is cut off.
    pub(crate) answer_bytes: u64,
    /// How long nothing may move in either direction.
    pub(crate) timeout: Period,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            request_bytes: 100 * 1024 * 1024,
            answer_bytes: 1024 * 1024 * 1024,
            timeout: Period::of(60),
        }
    }
}

/// A provider with a client id of yours. `docs/providers.md` says what each provider wants.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Integration {
    /// The provider, one of `grantor provider list`; by default the name of the table.
    pub(crate) provider: Option<String>,
    /// What people read; by default the provider's name.
    pub(crate) label: Option<String>,
    /// Your client id at the provider.
    pub(crate) client_id: String,
    /// Your client secret at the provider, or a private key in PEM where it wants signed assertions.
    pub(crate) client_secret: Option<Secret>,
    /// A file with your client secret.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The scopes to ask for; by default what the provider's description says.
    pub(crate) scopes: Option<Vec<String>>,
    /// The scopes without which a connection is refused: people may grant less than was asked for.
    #[serde(default)]
    pub(crate) required_scopes: Vec<String>,
    /// What the provider's description leaves to you: `variables = { tenant = "…" }`.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    /// Who grants.
    #[serde(default)]
    pub(crate) grant: Grant,
    /// Where the provider sends browsers back to; by default `/connect/callback` of this server. With
    /// `/connect/callback/NAME`, NAME being that of the integration, no other provider's answer is
    /// taken for this one's.
    pub(crate) redirect_uri: Option<String>,
    /// Whether people who sign in here may connect accounts of their own on the page "Connections".
    #[serde(default = "yes")]
    pub(crate) self_service: bool,
    /// Whether a connect link may be confirmed by whoever opens it. Only for links that you hand
    /// over yourself: the page names account and subject, but cannot know who is there.
    #[serde(default)]
    pub(crate) link: bool,
    /// Whether services may call the provider's API through `/proxy/`, and never see the token.
    #[serde(default)]
    pub(crate) proxy: bool,
    /// Refreshes at once, at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) concurrency: u32,
    /// Refreshes in a minute, at most; 0 for no limit.
    #[serde(default)]
    pub(crate) refreshes_per_minute: u32,
}

impl Integration {
    /// With a client of the demo's stand-in.
    pub(crate) fn stand_in(
        provider: &str,
        client_id: &str,
        secret: &str,
        scopes: [&str; 3],
    ) -> Self {
        Self {
            provider: Some(provider.to_owned()),
            label: None,
            client_id: client_id.to_owned(),
            client_secret: Some(Secret::new(secret)),
            client_secret_file: None,
            scopes: Some(scopes.map(str::to_owned).to_vec()),
            required_scopes: Vec::new(),
            variables: BTreeMap::new(),
            grant: Grant::AuthorizationCode,
            redirect_uri: None,
            self_service: true,
            link: false,
            proxy: true,
            concurrency: ten(),
            refreshes_per_minute: 0,
        }
    }
}

/// Who grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grant {
    /// A person, in a browser.
    #[default]
    AuthorizationCode,
    /// Nobody: the client acts for itself.
    ClientCredentials,
}

/// An endpoint of yours that is told what happens to connections.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Where messages are posted.
    pub(crate) url: String,
    /// The key that signs them: `whsec_` and 24 to 64 random bytes in base64. While the receiver
    /// changes over to a new key both, with a space between: each signs.
    pub(crate) secret: Option<Secret>,
    /// A file with the key that signs them.
    pub(crate) secret_file: Option<PathBuf>,
    /// The events that it wants, such as `connection.reauth_required`; by default all.
    #[serde(default)]
    pub(crate) events: Vec<String>,
}

const fn yes() -> bool {
    true
}

const fn ten() -> u32 {
    10
}
