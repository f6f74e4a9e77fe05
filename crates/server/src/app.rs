//! The running server: made from the configuration, shared by every request.

pub(crate) mod backend;
mod ring;
pub(crate) mod vault;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Bytes;
use grantor_core::client_auth::VerifiedSecrets;
use grantor_core::jose::Algorithm;
use grantor_core::key_sets::KeySets;
use grantor_core::keys::{self, Keys};
use grantor_core::model::{AccessTokenFormat, Client, GrantType, Scope};
use grantor_core::policy::{
    AdminTokenMode, AdminTokenPolicy, AllowedAddress, ExternalPolicy, IssuerKeys, KeyPolicy,
    Policy, RegistrationMode, RegistrationPolicy, Resource, ServerLifetimes, SignInPolicy,
    SubjectIs, TrustedIssuer,
};
use grantor_core::server::Secrets;
use grantor_core::store::AttemptLimits;
use grantor_core::vault::Runtime;
use grantor_core::{AuthorizationServer, discovery, signin};
use tokio::sync::Notify;

use backend::Backend;

use crate::clock::{StoreClock, SystemClock, SystemEntropy};
use crate::config::{self, Config};
use crate::cookies::Cookies;
use crate::limits::{Limits, Rates};
use crate::mail::Mailbox;
use crate::openapi::Description;
use crate::outbound::{Reach, Streams, Web};
use crate::pages::{Brand, Pages};
use crate::passwords::PasswordPool;
use crate::proxy::{Calls, ProxyLimits};
use crate::telemetry::{Leaving, Metrics};

/// What every request needs.
pub(crate) struct App {
    /// Decides.
    pub(crate) server: AuthorizationServer,
    /// The store as what it is, for its own figures and a clean end.
    pub(crate) backend: Backend,
    /// The store's time, where it has one: the server's clock.
    pub(crate) store_clock: Option<Arc<StoreClock>>,
    /// Pages.
    pub(crate) pages: Pages,
    /// Rate limits.
    pub(crate) limits: Limits,
    /// The default limits of clients.
    pub(crate) client_rates: ClientRates,
    /// Cookie names and flags.
    pub(crate) cookies: Cookies,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Whether the server is about to stop.
    pub(crate) leaving: Leaving,
    /// How large a body may be, and how long it may take.
    pub(crate) body: BodyLimits,
    /// What may pass through the proxy.
    pub(crate) proxy: ProxyLimits,
    /// Passes calls on.
    pub(crate) streams: Streams,
    /// Calls that have ended.
    pub(crate) calls: Calls,
    /// Web pages that may call from a browser.
    pub(crate) cors_origins: Vec<String>,
    /// The server metadata, serialized once.
    pub(crate) metadata: Bytes,
    /// The description of the API.
    pub(crate) description: Description,
    /// Rings when a mail was queued.
    pub(crate) mail_queued: Notify,
    /// Rings when a webhook may have been queued.
    pub(crate) notices_queued: Notify,
    /// What only the demo has.
    pub(crate) demo: Option<Demo>,
}

/// Requests a minute on the token endpoint, for a client without a limit of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientRates {
    /// For a client that may use `client_credentials`.
    pub(crate) machine: u32,
    /// For every other client.
    pub(crate) interactive: u32,
}

impl ClientRates {
    /// The limit of `client`.
    pub(crate) fn of(&self, client: &Client) -> u32 {
        let default = match client.may_use(GrantType::ClientCredentials) {
            true => self.machine,
            false => self.interactive,
        };
        client.requests_per_minute.unwrap_or(default)
    }
}

/// What is read of a request body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    /// Bytes.
    pub(crate) bytes: usize,
    /// From the first byte to the last.
    pub(crate) timeout: std::time::Duration,
}

/// What only the demo has.
#[derive(Clone)]
pub(crate) struct Demo {
    /// Where mail goes without SMTP settings.
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    /// The sample client.
    pub(crate) sample_url: String,
}

impl App {
    /// Opens the data folder and makes what is missing in it: key, database, signing keys.
    pub(crate) async fn open(
        config: &Config,
        metrics: Metrics,
        demo: Option<Demo>,
    ) -> anyhow::Result<Arc<Self>> {
        let backend = Backend::open(config).await?;
        let store_clock = store_clock(&backend).await?;
        let server = server_with(config, &backend, store_clock.clone()).await?;
        server.vault.counter.set(Arc::new(metrics.clone()));
        keys::ensure(&server, server.clock.now())
            .await
            .context("cannot prepare the signing keys")?;
        let brand = Brand {
            operator_name: config.brand.operator.clone(),
            logo_url: config.brand.logo_url.clone(),
        };
        let pages = Pages::new(config.brand.templates.as_deref(), brand)?;
        let metadata = serde_json::to_vec(&discovery::metadata(&server.policy))?;
        let features = features(&server.policy, demo.as_ref());
        let description = Description::new(server.policy.issuer.clone(), features);
        Ok(Arc::new(Self {
            cookies: Cookies::of(&server.policy.issuer),
            limits: limits(config, &server, backend.is_shared()),
            client_rates: ClientRates {
                machine: config.limits.machine_client,
                interactive: config.limits.interactive_client,
            },
            body: BodyLimits {
                bytes: config.listen.body_bytes,
                timeout: config.listen.body_timeout.duration(),
            },
            proxy: ProxyLimits {
                request_bytes: config.vault.proxy.request_bytes,
                answer_bytes: config.vault.proxy.answer_bytes,
                timeout: config.vault.proxy.timeout.duration(),
            },
            streams: Streams::new(reach(config)?),
            calls: Calls::default(),
            cors_origins: config.cors.origins.clone(),
            metadata: metadata.into(),
            description,
            mail_queued: Notify::new(),
            notices_queued: Notify::new(),
            server,
            backend,
            store_clock,
            pages,
            metrics,
            leaving: Leaving::default(),
            demo,
        }))
    }
}

fn limits(config: &Config, server: &AuthorizationServer, shared: bool) -> Limits {
    let own = &config.limits;
    let rates = Rates {
        failed_client_auth: own.failed_client_auth,
        sign_in: own.sign_in,
        user_codes: own.user_codes,
        pages: own.pages,
        registrations: own.registrations,
    };
    Limits::new(rates, &server.secrets.limits, shared)
}

/// What the description of the API leaves out unless it is switched on.
fn features(policy: &Policy, demo: Option<&Demo>) -> BTreeSet<&'static str> {
    let registration = policy.registration.mode != RegistrationMode::Closed;
    let mailbox = demo.is_some_and(|demo| demo.mailbox.is_some());
    let all = [
        ("sample_api", policy.sample_api),
        ("registration", registration),
        ("chosen_credentials", registration && policy.registration.chosen_credentials),
        ("password", policy.password_grant),
        ("jwt_bearer", !policy.trusted_issuers.is_empty()),
        ("external", policy.sign_in.external.is_some()),
        ("proxy", policy.vault.integrations.values().any(|own| own.proxy)),
        ("demo", demo.is_some()),
        ("mailbox", mailbox),
    ];
    all.into_iter().filter_map(|(feature, on)| on.then_some(feature)).collect()
}

/// The deciding part alone, for the command line.
pub(crate) async fn authorization_server(
    config: &Config,
    backend: &Backend,
) -> anyhow::Result<AuthorizationServer> {
    server_with(config, backend, store_clock(backend).await?).await
}

async fn store_clock(backend: &Backend) -> anyhow::Result<Option<Arc<StoreClock>>> {
    StoreClock::of(backend).await.context("cannot ask the store for the time")
}

async fn server_with(
    config: &Config,
    backend: &Backend,
    store_clock: Option<Arc<StoreClock>>,
) -> anyhow::Result<AuthorizationServer> {
    let store = backend.store();
    let (ring, root) = ring::start(config, store.as_ref()).await?;
    let hashing = &config.sign_in.password;
    Ok(AuthorizationServer {
        policy: policy(config)?,
        store,
        clock: match store_clock {
            Some(clock) => clock,
            None => Arc::new(SystemClock),
        },
        entropy: Arc::new(SystemEntropy),
        passwords: Arc::new(PasswordPool::start(hashing.threads, hashing.queue)?),
        secrets: Secrets::of(&root),
        outbound: Arc::new(Web::new(reach(config)?)),
        key_sets: KeySets::default(),
        verified_secrets: VerifiedSecrets::new(root.derive("chosen client secret")),
        ring: Arc::new(ring),
        keys: Keys::default(),
        vault: Runtime::default(),
    })
}

fn make_folder(data: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(data).with_context(|| {
        let shown = data.display();
        format!("cannot make the data folder {shown}; choose another with --data or GRANTOR_DATA")
    })
}

fn policy(config: &Config) -> anyhow::Result<Policy> {
    let known =
        ["openid", "profile", "email", "offline_access"].map(|name| (name.to_owned(), None));
    let own = config.scopes.iter().map(|(name, text)| (name.clone(), Some(text.clone())));
    Ok(Policy {
        issuer: config.issuer(),
        lifetimes: lifetimes(&config.lifetimes),
        scopes: known.into_iter().chain(own).collect(),
        sign_in: sign_in(config),
        keys: KeyPolicy {
            algorithms: algorithms(&config.keys.algorithms),
            rotate_after: config.keys.rotate_after.seconds(),
            publish_ahead: config.keys.publish_ahead.seconds(),
        },
        sample_api: config.sample_api.enabled,
        resources: config
            .resources
            .iter()
            .map(|(name, own)| (name.clone(), resource(own)))
            .collect(),
        registration: RegistrationPolicy {
            mode: match config.registration.policy {
                config::RegistrationPolicy::Closed => RegistrationMode::Closed,
                config::RegistrationPolicy::Token => RegistrationMode::Token,
                config::RegistrationPolicy::Open => RegistrationMode::Open,
            },
            chosen_credentials: config.registration.chosen_credentials,
            scope: config.registration.scopes.as_deref().and_then(named),
        },
        password_grant: config.grants.password,
        trusted_issuers: trusted_issuers(config)?,
        vault: vault::policy(config)?,
    })
}

fn trusted_issuers(config: &Config) -> anyhow::Result<Vec<TrustedIssuer>> {
    let one = |own: &config::TrustedIssuer| -> anyhow::Result<TrustedIssuer> {
        let set = own.set().map_err(|error| anyhow::anyhow!("trusted_issuers: {error}"))?;
        let keys = match (set, &own.jwks_uri) {
            (Some(set), _) => IssuerKeys::Set(set),
            (None, uri) => IssuerKeys::Uri(uri.clone().unwrap_or_default()),
        };
        let subject = match own.subject {
            config::Subject::Id => SubjectIs::Id,
            config::Subject::Username => SubjectIs::Username,
            config::Subject::Email => SubjectIs::Email,
        };
        let algorithms = own.algorithms.iter().map(algorithm).collect();
        Ok(TrustedIssuer { issuer: own.issuer.clone(), keys, algorithms, subject })
    };
    config.trusted_issuers.iter().map(one).collect()
}

/// Where requests of the server may go.
pub(crate) fn reach(config: &Config) -> anyhow::Result<Reach> {
    let own = &config.outbound;
    Reach::new(own.allow_private, &own.allowed_hosts, own.proxy.as_deref())
        .context("outbound.proxy")
}

/// Checked when the settings were loaded.
fn named(scopes: &[String]) -> Option<Scope> {
    Scope::parse(&scopes.join(" ")).ok()
}

fn resource(own: &config::Resource) -> Resource {
    Resource {
        scope: own.scopes.as_deref().and_then(named),
        access_token_format: own.access_token_format.map(|format| match format {
            config::TokenFormat::Opaque => AccessTokenFormat::Opaque,
            config::TokenFormat::Jwt => AccessTokenFormat::Jwt,
        }),
        signing_alg: own.signing_alg.as_ref().map(algorithm),
    }
}

fn lifetimes(own: &config::Lifetimes) -> ServerLifetimes {
    ServerLifetimes {
        code: own.code.seconds(),
        access_token: own.access_token.seconds(),
        refresh_idle: own.refresh_idle.seconds(),
        refresh_absolute: own.refresh_absolute.seconds(),
        refresh_grace: own.refresh_grace.seconds(),
        device_code: own.device_code.seconds(),
        id_token: own.id_token.seconds(),
        session_idle: own.session_idle.seconds(),
        session_absolute: own.session_absolute.seconds(),
        pending_request: own.pending_request.seconds(),
    }
}

fn sign_in(config: &Config) -> SignInPolicy {
    let own = &config.sign_in.admin_token;
    let fixed = config.static_token().map(|token| signin::static_token_digest(token.expose()));
    SignInPolicy {
        methods: config.sign_in.methods.clone(),
        admin_token: AdminTokenPolicy {
            mode: fixed.map_or(AdminTokenMode::Emailed, AdminTokenMode::Static),
            allowed: own.allowed.iter().map(allowed).collect(),
            lifetime: own.lifetime.seconds(),
            tries: own.tries,
            limits: AttemptLimits { pause: own.pause.seconds(), per_hour: own.per_hour },
        },
        external: config.sign_in.external.as_ref().and_then(external),
        sign_up: config.sign_in.sign_up,
    }
}

/// The secret is there: the settings were checked.
fn external(own: &config::External) -> Option<ExternalPolicy> {
    Some(ExternalPolicy {
        url: own.url.clone(),
        secret: signin::external::secret_digest(own.secret.as_ref()?.expose().trim()),
        label: own.label.clone(),
        lifetime: own.lifetime.seconds(),
    })
}

fn allowed(own: &config::Allowed) -> AllowedAddress {
    match own {
        config::Allowed::Any => AllowedAddress::Any,
        config::Allowed::Domain(domain) => AllowedAddress::Domain(domain.clone()),
        config::Allowed::Address(address) => AllowedAddress::Address(address.clone()),
    }
}

/// OpenID Connect Discovery 1.0 §3: RS256 must be among them.
fn algorithms(own: &[config::Algorithm]) -> Vec<Algorithm> {
    let mut algorithms: Vec<_> = own.iter().map(algorithm).collect();
    if !algorithms.contains(&Algorithm::Rs256) {
        algorithms.push(Algorithm::Rs256);
    }
    algorithms
}

const fn algorithm(own: &config::Algorithm) -> Algorithm {
    match own {
        config::Algorithm::Rs256 => Algorithm::Rs256,
        config::Algorithm::Es256 => Algorithm::Es256,
        config::Algorithm::EdDsa => Algorithm::EdDsa,
        config::Algorithm::Ps256 => Algorithm::Ps256,
    }
}
