//! What a deployment of the sample decides, checked once at start: RFC 9700 §2.6, OpenID Connect
//! Core §3.1.2.1.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// A client secret: never printed by `Debug`, taken out by name.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret; surrounding white space, as a file's last newline, is dropped.
    pub fn new(secret: &str) -> Self {
        Self(secret.trim().to_owned())
    }

    /// The secret itself, for the request to the token endpoint.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The settings of the sample client backend. [`Config::new`] fills the safe defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The provider's issuer identifier, exactly as its discovery document states it.
    pub issuer: String,
    /// The identifier under which the provider knows this application.
    pub client_id: String,
    /// The client secret, or `None` for a public client.
    pub client_secret: Option<Secret>,
    /// The origin where browsers reach this application; `/callback` below it is the redirect URI.
    pub base_url: String,
    /// The folder for the sealing key and the sealed sessions; made if missing.
    pub data_dir: PathBuf,
    /// The scopes to ask for; `openid` is added where it is missing.
    pub scopes: Vec<String>,
    /// The API to call with the access token; `<issuer>/protected` where `None`.
    pub protected_url: Option<String>,
    /// The public client that the television page uses; there is no such page where `None`.
    pub tv_client_id: Option<String>,
    /// How people's calendars are read; there is no such page where `None`.
    pub calendar: Option<Calendar>,
    /// How long a sign-in here lasts at most. Default 14 days.
    pub session_lifetime: Duration,
    /// How many signed-in browsers are remembered; the oldest make room. Default 10 000.
    pub max_sessions: usize,
    /// How long one request to the provider or the API may take. Default 10 seconds.
    pub request_timeout: Duration,
}

/// How people's calendars are read: with tokens from the vault of the issuer.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The API key that the vault gave this application.
    pub api_key: Secret,
    /// The integration to ask for: a name that the vault's operator chose.
    pub integration: String,
    /// The API that lists a person's calendars.
    pub api_url: String,
}

impl Config {
    /// Settings with the defaults of the sample: scopes `openid profile email read`, a public client.
    pub fn new(
        issuer: &str,
        client_id: &str,
        base_url: &str,
        data_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            base_url: base_url.to_owned(),
            data_dir: data_dir.into(),
            scopes: ["openid", "profile", "email", "read"].map(str::to_owned).to_vec(),
            protected_url: None,
            tv_client_id: None,
            calendar: None,
            session_lifetime: Duration::from_secs(14 * 24 * 60 * 60),
            max_sessions: 10_000,
            request_timeout: Duration::from_secs(10),
        }
    }
}

/// Why the sample could not start; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that cannot be used.
    #[error("{name} is {value:?}, but {wanted}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The data folder or a file in it cannot be used.
    #[error("the data folder cannot be used: {path}: {reason}")]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The sealing key file has been damaged.
    #[error(
        "{path} is not a sealing key of 32 bytes: put the right file back, or remove it and sign in anew"
    )]
    SealKey {
        /// The key file.
        path: PathBuf,
    },
    /// The HTTP client for the provider could not be made.
    #[error("the HTTP client cannot start: {0}")]
    Http(#[from] reqwest::Error),
    /// A listener stopped working.
    #[error("the listener stopped: {0}")]
    Listener(#[from] std::io::Error),
}

/// The checked settings, as the rest of the crate uses them.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) issuer: Url,
    pub(crate) base: Url,
    pub(crate) redirect_uri: String,
    pub(crate) protected_url: Url,
    pub(crate) config: Config,
}

impl Settings {
    pub(crate) fn check(mut config: Config) -> Result<Self, StartError> {
        let issuer = safe_url("issuer", &config.issuer)?;
        let base = safe_url("base_url", &config.base_url)?;
        if base.path() != "/" || base.query().is_some() {
            return Err(refused(
                "base_url",
                &config.base_url,
                "it must be an origin without a path",
            ));
        }
        if config.client_id.is_empty() {
            return Err(refused("client_id", "", "it must name the registered client"));
        }
        let protected = match &config.protected_url {
            Some(url) => url.clone(),
            None => format!("{}/protected", config.issuer.trim_end_matches('/')),
        };
        let protected_url = safe_url("protected_url", &protected)?;
        if let Some(own) = &config.calendar {
            safe_url("calendar.api_url", &own.api_url)?;
        }
        if !config.scopes.iter().any(|scope| scope == "openid") {
            config.scopes.insert(0, "openid".to_owned());
        }
        let redirect_uri = format!("{base}callback");
        Ok(Self { issuer, base, redirect_uri, protected_url, config })
    }

    /// Whether browsers reach this application over TLS, which decides the cookies' attributes.
    pub(crate) fn https(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// The provider as people know it: its host, with the port where it has one.
    pub(crate) fn provider_name(&self) -> String {
        let host = self.issuer.host_str().unwrap_or("the provider");
        match self.issuer.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

/// Whether the URL's host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

/// Whether the host, as it stands in a URL or a `Host` header without its port, is this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

// RFC 9700 §2.6: tokens and codes travel over TLS; plain http is for this machine only.
fn safe_url(name: &'static str, value: &str) -> Result<Url, StartError> {
    let wanted = "it must be an https URL (http only on localhost) without a fragment";
    let url = Url::parse(value).map_err(|_| refused(name, value, wanted))?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    match safe && plain && url.host_str().is_some() {
        true => Ok(url),
        false => Err(refused(name, value, wanted)),
    }
}

fn refused(name: &'static str, value: &str, wanted: &'static str) -> StartError {
    StartError::Setting { name, value: value.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in ["http://localhost:5050", "http://[::1]:1", "https://id.example.com/tenant"] {
            assert!(safe_url("issuer", good).is_ok(), "{good}");
        }
        for bad in ["http://id.example.com", "ftp://localhost", "nonsense", "https://a.b/#c"] {
            assert!(safe_url("issuer", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut config = Config::new("http://localhost:1", "c", "http://localhost:2", "/tmp");
        config.client_secret = Some(Secret::new("hunter2\n"));
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.client_secret.map(|s| s.expose().to_owned()), Some("hunter2".into()));
    }

    #[test]
    fn openid_is_always_asked_for() {
        let mut config = Config::new("http://localhost:1", "c", "http://localhost:2", "/tmp");
        config.scopes = vec!["read".into()];
        let settings = Settings::check(config).expect("good settings");
        assert_eq!(settings.config.scopes, ["openid", "read"]);
        assert_eq!(settings.redirect_uri, "http://localhost:2/callback");
        assert_eq!(settings.protected_url.as_str(), "http://localhost:1/protected");
    }
}
