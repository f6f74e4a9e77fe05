//! The top level of the settings and its smaller sections.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use super::listen::{Lifetimes, Listen};
use super::protocol::{Cors, Grants, Registration, Resource};
use super::sign_in::{Mail, SignIn};
use super::store::{Postgres, Redis, Store};
use super::trust::{Outbound, TrustedIssuer};
use super::values::{Period, Secret};
use super::vault::{Integration, Vault, Webhook};

/// The settings of Grantor. Every one has a safe default.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The URL by which people and programs reach this server, without a path: it stands in every
    /// token and never follows from a request. https, except on this machine. By default
    /// `http://localhost:` and the port.
    pub(crate) issuer: Option<String>,
    /// The folder of the database and the keys. It is made if it is not there. A backup needs both.
    pub(crate) data: PathBuf,
    /// Where accounts, clients and tokens are kept: `sqlite`, the file `grantor.db` in the data
    /// folder; or the URL of a Postgres database, `postgres://user:password@host/database`; or that
    /// of Redis, `redis://:password@host`. Several nodes share one of the latter.
    pub(crate) store: Store,
    /// A file with the URL, which may have a password in it.
    pub(crate) store_file: Option<PathBuf>,
    /// How a Postgres database is used.
    pub(crate) postgres: Postgres,
    /// How Redis is used.
    pub(crate) redis: Redis,
    /// Where Grantor listens.
    pub(crate) listen: Listen,
    /// Signing keys, and the keys that seal what is stored.
    pub(crate) keys: Keys,
    /// How long things live.
    pub(crate) lifetimes: Lifetimes,
    /// Who may sign in, and how.
    pub(crate) sign_in: SignIn,
    /// How mail is sent.
    pub(crate) mail: Mail,
    /// Grants that need a decision.
    pub(crate) grants: Grants,
    /// Who may register clients over HTTP.
    pub(crate) registration: Registration,
    /// APIs that tokens can be asked for by name (RFC 8707), each under its identifier:
    /// `[resources."https://api.example.com"]`.
    pub(crate) resources: BTreeMap<String, Resource>,
    /// Which web pages may call the server from a browser.
    pub(crate) cors: Cors,
    /// Issuers whose assertions are grants (RFC 7523 §2.1), each a table `[[trusted_issuers]]`.
    pub(crate) trusted_issuers: Vec<TrustedIssuer>,
    /// What Grantor asks of others: the key sets of clients and issuers that are registered by their
    /// address, providers, webhooks. Only public addresses are asked, over https, so that nobody
    /// can make this server reach into its own network.
    pub(crate) outbound: Outbound,
    /// Tokens of providers, kept for services.
    pub(crate) vault: Vault,
    /// Providers with client ids of yours, each under a name that requests and API keys use:
    /// `[integrations.google]`.
    pub(crate) integrations: BTreeMap<String, Integration>,
    /// Endpoints of yours that are told what happens to connections, each under a name:
    /// `[webhooks.ops]`.
    pub(crate) webhooks: BTreeMap<String, Webhook>,
    /// A protected API to try tokens on.
    pub(crate) sample_api: SampleApi,
    /// How many requests are answered. Nodes that share a store count together: all of them let pass
    /// that much, and what each does in a tenth of a second more.
    pub(crate) limits: Limits,
    /// What people see on the pages.
    pub(crate) brand: Brand,
    /// What is logged.
    pub(crate) log: Log,
    /// Scopes that clients may ask for beside `openid`, `profile`, `email` and `offline_access`,
    /// each with what it lets a client do, as the consent page says it: `read = "Read your data"`.
    /// Where any is set, the default ones are gone.
    pub(crate) scopes: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: None,
            data: "data".into(),
            store: Store::Sqlite,
            store_file: None,
            postgres: Postgres::default(),
            redis: Redis::default(),
            listen: Listen::default(),
            keys: Keys::default(),
            lifetimes: Lifetimes::default(),
            sign_in: SignIn::default(),
            mail: Mail::default(),
            grants: Grants::default(),
            registration: Registration::default(),
            resources: BTreeMap::new(),
            cors: Cors::default(),
            trusted_issuers: Vec::new(),
            outbound: Outbound::default(),
            vault: Vault::default(),
            integrations: BTreeMap::new(),
            webhooks: BTreeMap::new(),
            sample_api: SampleApi::default(),
            limits: Limits::default(),
            brand: Brand::default(),
            log: Log::default(),
            scopes: BTreeMap::from([
                ("read".into(), "Read your data".into()),
                ("write".into(), "Change your data".into()),
            ]),
        }
    }
}

/// Signing keys, and the keys that seal what is stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    /// The key that seals what is secret in the database (signing keys, tokens of providers): 32
    /// random bytes as hex or base64. By default it is made at first start and kept in the data
    /// folder.
    pub(crate) key_encryption_key: Option<Secret>,
    /// A file with the key that seals.
    pub(crate) key_encryption_key_file: Option<PathBuf>,
    /// Keys that sealed before, and still open: until `grantor vault rewrap` has moved everything to
    /// the one that seals, and `grantor vault retire` says that nothing needs them.
    pub(crate) retired_key_encryption_keys: Vec<Secret>,
    /// Files with keys that sealed before, one key in each. For a key that was made at first start:
    /// `key-encryption.key` in the data folder.
    pub(crate) retired_key_encryption_key_files: Vec<PathBuf>,
    /// How long a key signs before the next one takes over; `0s` for only by hand.
    pub(crate) rotate_after: Period,
    /// How long a key is published before it signs, so that every verifier has read it.
    pub(crate) publish_ahead: Period,
    /// What ID tokens can be signed with. RS256 is always among them.
    pub(crate) algorithms: Vec<Algorithm>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            key_encryption_key: None,
            key_encryption_key_file: None,
            retired_key_encryption_keys: Vec::new(),
            retired_key_encryption_key_files: Vec::new(),
            rotate_after: Period::of(90 * 86_400),
            publish_ahead: Period::of(86_400),
            algorithms: vec![
                Algorithm::Rs256,
                Algorithm::Es256,
                Algorithm::EdDsa,
                Algorithm::Ps256,
            ],
        }
    }
}

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Algorithm {
    /// RSA with PKCS #1 v1.5 padding.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA with PSS padding.
    #[serde(rename = "PS256")]
    Ps256,
}

/// A protected API to try tokens on.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SampleApi {
    /// Whether `/protected` and `/api-secure-data` answer bearers of a token with scope `read`.
    pub(crate) enabled: bool,
}

/// How many requests are answered in a minute before 429; 0 for no limit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Token requests of a client that may use `client_credentials`, if it has no limit of its own.
    pub(crate) machine_client: u32,
    /// Token requests of any other client, if it has no limit of its own.
    pub(crate) interactive_client: u32,
    /// Failed client authentications from one source address (IPv6: one /64).
    pub(crate) failed_client_auth: u32,
    /// Sign-in attempts from one source address.
    pub(crate) sign_in: u32,
    /// Wrong user codes of devices from one source address, in ten minutes.
    pub(crate) user_codes: u32,
    /// Page views from one source address.
    pub(crate) pages: u32,
    /// Clients registered over HTTP, and attempts to, from one source address (IPv6: one /64).
    pub(crate) registrations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            machine_client: 10,
            interactive_client: 600,
            failed_client_auth: 10,
            sign_in: 30,
            user_codes: 10,
            pages: 600,
            registrations: 10,
        }
    }
}

/// What people see on the pages.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Brand {
    /// Who runs this server, as pages and mails say it.
    pub(crate) operator: String,
    /// An https URL of a logo to show instead of the mark.
    pub(crate) logo_url: Option<String>,
    /// A folder of templates that replace the built-in ones of the same name.
    pub(crate) templates: Option<PathBuf>,
}

impl Default for Brand {
    fn default() -> Self {
        Self { operator: "Grantor".into(), logo_url: None, templates: None }
    }
}

/// What is logged, to standard error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// Lines for people or for programs.
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`. Requests that went well and were quick are
    /// logged at `debug`, broken (5xx) and slow ones (over one second) at `info` and above.
    pub(crate) level: LogLevel,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: LogLevel::Info }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// A line of text.
    Text,
    /// A JSON object.
    Json,
}

/// The least weight of what is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogLevel {
    /// What is broken.
    Error,
    /// What may break.
    Warn,
    /// What the operator wants to know.
    Info,
    /// Every request.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// As `tracing` takes it.
    pub(crate) const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}
