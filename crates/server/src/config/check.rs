//! What the types of the settings cannot say: how they fit together, and what production needs.

mod vault;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor_core::model::MethodName;
use serde::Serialize;
use url::{Host, Url};

use super::{Allowed, Config, Period, Problem, Store, TokenMode};
use crate::mail::Security;

/// Something that a real deployment still needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Advice {
    /// The setting to look at.
    pub(crate) setting: &'static str,
    /// Why, and what to do.
    pub(crate) text: String,
}

/// Everything that does not fit together.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut found = Found(Vec::new());
    issuer(config, &mut found);
    listen(config, &mut found);
    keys(config, &mut found);
    lifetimes(config, &mut found);
    sign_in(config, &mut found);
    external(config, &mut found);
    mail(config, &mut found);
    brand(config, &mut found);
    scopes(config, &mut found);
    resources(config, &mut found);
    registration(config, &mut found);
    cors(config, &mut found);
    trusted_issuers(config, &mut found);
    outbound(config, &mut found);
    vault::vault(config, &mut found);
    vault::integrations(config, &mut found);
    vault::webhooks(config, &mut found);
    found.0
}

pub(super) use vault::webhook_keys;

/// Those of `found` that are not about a setting which was already reported and taken out.
pub(super) fn not_consequences(found: Vec<Problem>, known: &[Problem]) -> Vec<Problem> {
    let consequence = |problem: &Problem| {
        known.iter().any(|k| !k.path.is_empty() && k.path.starts_with(problem.path.as_str()))
    };
    found.into_iter().filter(|problem| !consequence(problem)).collect()
}

struct Found(Vec<Problem>);

impl Found {
    fn when(&mut self, wrong: bool, path: &str, text: &str) {
        if wrong {
            self.0.push(Problem { path: path.to_owned(), text: text.to_owned() });
        }
    }
}

fn issuer(config: &Config, found: &mut Found) {
    let issuer = config.issuer();
    let Ok(url) = Url::parse(&issuer) else {
        return found.when(true, "issuer", "is not a URL: write it like https://login.example.com");
    };
    // RFC 8414 §2: the issuer is an https URL without query or fragment.
    let http = url.scheme() == "http" && is_loopback(&url);
    found.when(
        url.scheme() != "https" && !http,
        "issuer",
        "must start with https:// (http:// is for this machine only)",
    );
    found.when(
        url.path() != "/" || url.query().is_some() || url.fragment().is_some(),
        "issuer",
        "must be a scheme, a host and a port at most, without path, query or fragment",
    );
    found.when(issuer.ends_with('/'), "issuer", "must not end with a slash");
    found.when(
        !url.username().is_empty() || url.password().is_some(),
        "issuer",
        "must not name a user",
    );
    let written = issuer.trim_end_matches('/');
    found.when(
        url.path() == "/" && url.origin().ascii_serialization() != written,
        "issuer",
        "must be in lower case and without the default port",
    );
}

/// RFC 8707 §2: an absolute URI without a fragment.
fn resources(config: &Config, found: &mut Found) {
    for (name, resource) in &config.resources {
        let path = format!("resources.{name:?}");
        let sound = Url::parse(name).is_ok_and(|url| url.fragment().is_none());
        found.when(!sound, &path, "must be an absolute URI without a fragment");
        let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
        found.when(!visible, &path, "must be ASCII without spaces");
        let unknown = resource.scopes.iter().flatten().find(|own| !known_scope(config, own));
        if let Some(unknown) = unknown {
            let text = format!("names the scope {unknown:?}, which [scopes] does not have");
            found.when(true, &path, &text);
        }
        let keyless = resource.signing_alg.is_some_and(|alg| {
            alg != super::Algorithm::Rs256 && !config.keys.algorithms.contains(&alg)
        });
        found.when(keyless, &path, "names a signing_alg that keys.algorithms does not have");
    }
}

fn registration(config: &Config, found: &mut Found) {
    let scopes = config.registration.scopes.iter().flatten();
    for unknown in scopes.filter(|own| !known_scope(config, own)) {
        let text = format!("names the scope {unknown:?}, which [scopes] does not have");
        found.when(true, "registration.scopes", &text);
    }
}

fn known_scope(config: &Config, name: &str) -> bool {
    ["openid", "profile", "email", "offline_access"].contains(&name)
        || config.scopes.contains_key(name)
}

/// RFC 6454 §6.2: what a browser sends as Origin.
fn cors(config: &Config, found: &mut Found) {
    for origin in &config.cors.origins {
        let same = Url::parse(origin).is_ok_and(|url| {
            url.origin().is_tuple() && url.origin().ascii_serialization() == *origin
        });
        let text = format!(
            "{origin:?} is not an origin: write scheme, host and an unusual port, such as https://app.example.com"
        );
        found.when(!same, "cors.origins", &text);
    }
}

fn trusted_issuers(config: &Config, found: &mut Found) {
    let all = &config.trusted_issuers;
    for (place, own) in all.iter().enumerate() {
        let path = format!("trusted_issuers[{}]", place + 1);
        if let Err(text) = own.set() {
            found.when(true, &path, &text);
        }
        let uri = own.jwks_uri.as_deref().map(Url::parse);
        found.when(uri.is_some_and(|uri| uri.is_err()), &path, "jwks_uri is not a URL");
        found.when(own.algorithms.is_empty(), &path, "names no algorithm");
        let twice = all[..place].iter().any(|other| other.issuer == own.issuer);
        found.when(twice, &path, "is the same issuer as one before it");
        // Its own ID tokens and access tokens are no assertions.
        found.when(own.issuer == config.issuer(), &path, "is this server itself");
    }
}

fn outbound(config: &Config, found: &mut Found) {
    for host in &config.outbound.allowed_hosts {
        let sound = Host::parse(host).is_ok() || host.parse::<std::net::Ipv6Addr>().is_ok();
        let text = format!("{host:?} is not a host: write a name or an IP address, without a port");
        found.when(!sound, "outbound.allowed_hosts", &text);
    }
    let proxy = config.outbound.proxy.as_deref().map(Url::parse);
    let sound = proxy.is_none_or(|proxy| {
        proxy.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
    });
    found.when(!sound, "outbound.proxy", "must be a URL like http://proxy.example.com:3128");
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn listen(config: &Config, found: &mut Found) {
    let listen = &config.listen;
    found.when(listen.address.is_empty(), "listen.address", "needs one address at least");
    for address in &listen.address {
        let known = address == "localhost" || address.parse::<IpAddr>().is_ok();
        let text = format!("\"{address}\" is neither \"localhost\" nor an IP address");
        found.when(!known, "listen.address", &text);
    }
    for (path, period) in [
        ("listen.header_timeout", listen.header_timeout),
        ("listen.body_timeout", listen.body_timeout),
        ("listen.tls_timeout", listen.tls_timeout),
    ] {
        found.when(period == ZERO, path, "must be one second at least");
    }
}

const ZERO: Period = Period::of(0);

fn keys(config: &Config, found: &mut Found) {
    let keys = &config.keys;
    let unreadable = |key: &super::Secret| key_bytes(key.expose()).is_none();
    let form =
        "must be 32 bytes as 64 hex digits or as base64: make one with `openssl rand -hex 32`";
    let key = keys.key_encryption_key.as_ref();
    found.when(key.is_some_and(unreadable), "keys.key_encryption_key", form);
    let retired = &keys.retired_key_encryption_keys;
    found.when(retired.iter().any(unreadable), "keys.retired_key_encryption_keys", form);
    found.when(
        keys.rotate_after != ZERO && keys.publish_ahead >= keys.rotate_after,
        "keys.publish_ahead",
        "must be shorter than keys.rotate_after",
    );
    found.when(keys.algorithms.is_empty(), "keys.algorithms", "needs one algorithm at least");
}

/// The 32 bytes of a key that is written as hex or base64.
pub(super) fn key_bytes(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    let bytes = if text.len() == 64 {
        let digit =
            |at: usize| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        (0..32).map(|n| digit(n * 2)).collect::<Option<Vec<u8>>>()?
    } else {
        let bare = text.trim_end_matches('=');
        URL_SAFE_NO_PAD.decode(bare).or_else(|_| STANDARD.decode(text)).ok()?
    };
    bytes.try_into().ok()
}

fn lifetimes(config: &Config, found: &mut Found) {
    let lifetimes = &config.lifetimes;
    for (path, period) in [
        ("lifetimes.code", lifetimes.code),
        ("lifetimes.access_token", lifetimes.access_token),
        ("lifetimes.refresh_idle", lifetimes.refresh_idle),
        ("lifetimes.id_token", lifetimes.id_token),
        ("lifetimes.session_idle", lifetimes.session_idle),
        ("lifetimes.pending_request", lifetimes.pending_request),
        ("sign_in.admin_token.lifetime", config.sign_in.admin_token.lifetime),
    ] {
        found.when(period == ZERO, path, "must be one second at least");
    }
    // RFC 6749 §4.1.2: a maximum of ten minutes is recommended.
    found.when(lifetimes.code > Period::of(600), "lifetimes.code", "must be ten minutes at most");
    found.when(
        lifetimes.refresh_grace > Period::of(60),
        "lifetimes.refresh_grace",
        "must be one minute at most",
    );
    found.when(
        lifetimes.refresh_idle > lifetimes.refresh_absolute,
        "lifetimes.refresh_idle",
        "must not be longer than lifetimes.refresh_absolute",
    );
    found.when(
        lifetimes.session_idle > lifetimes.session_absolute,
        "lifetimes.session_idle",
        "must not be longer than lifetimes.session_absolute",
    );
}

fn sign_in(config: &Config, found: &mut Found) {
    let sign_in = &config.sign_in;
    found.when(sign_in.methods.is_empty(), "sign_in.methods", "needs one method at least");
    let again = |n: usize| sign_in.methods[..n].contains(&sign_in.methods[n]);
    let doubled = (0..sign_in.methods.len()).any(again);
    found.when(doubled, "sign_in.methods", "names a method twice");

    let admin = &sign_in.admin_token;
    let is_static = admin.mode == TokenMode::Static;
    found.when(
        is_static && admin.token.as_ref().is_none_or(|token| token.expose().is_empty()),
        "sign_in.admin_token.token",
        "has to be set in static mode (or sign_in.admin_token.token_file)",
    );
    found.when(
        !is_static && admin.token.is_some(),
        "sign_in.admin_token.token",
        "is only for the static mode: remove it, or set sign_in.admin_token.mode = \"static\"",
    );
    let here =
        |own: &String| own == "localhost" || own.parse().is_ok_and(|own: IpAddr| own.is_loopback());
    let local = Url::parse(&config.issuer()).is_ok_and(|url| is_loopback(&url))
        && config.listen.address.iter().all(here)
        && config.listen.trusted_proxies.is_empty();
    found.when(
        is_static && !local && !admin.allow_static_token,
        "sign_in.admin_token.mode",
        "\"static\" lets everybody in who knows one token; where more than this machine can reach the server, \
         set sign_in.admin_token.allow_static_token = true if you want that",
    );
}

fn external(config: &Config, found: &mut Found) {
    let sign_in = &config.sign_in;
    let Some(own) = &sign_in.external else {
        let named = sign_in.methods.contains(&MethodName::External);
        let text = "names external: set sign_in.external.url and sign_in.external.secret";
        return found.when(named, "sign_in.methods", text);
    };
    let sound = Url::parse(&own.url).is_ok_and(|url| {
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        safe && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
    });
    let text = "must be an https URL without a fragment (http:// is for this machine only)";
    found.when(!sound || own.url.contains(char::is_whitespace), "sign_in.external.url", text);
    found.when(
        own.secret.as_ref().is_none_or(|secret| secret.expose().trim().len() < 20),
        "sign_in.external.secret",
        "has to be set (or sign_in.external.secret_file) and have 20 characters at least: make one \
         with `openssl rand -hex 32`",
    );
    found.when(own.lifetime == ZERO, "sign_in.external.lifetime", "must be one second at least");
    let blank = |label: &String| label.trim().is_empty() || label.contains(char::is_control);
    found.when(
        own.label.as_ref().is_some_and(blank),
        "sign_in.external.label",
        "must be a text on one line",
    );
}

fn mail(config: &Config, found: &mut Found) {
    let Some(smtp) = &config.mail.smtp else {
        return;
    };
    found.when(smtp.host.trim().is_empty(), "mail.smtp.host", "has to be set");
    found.when(
        smtp.username.is_some() != smtp.password.is_some(),
        "mail.smtp.username",
        "and mail.smtp.password (or password_file) go together: set both or none",
    );
    let local = smtp.host == "localhost"
        || smtp.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    found.when(
        smtp.security == Security::None && smtp.username.is_some() && !local,
        "mail.smtp.security",
        "\"none\" would send the password in clear: use \"starttls\" or \"tls\"",
    );
    found.when(smtp.timeout == ZERO, "mail.smtp.timeout", "must be one second at least");
}

fn brand(config: &Config, found: &mut Found) {
    let brand = &config.brand;
    let bad_logo = |logo: &String| {
        Url::parse(logo).map_or(true, |url| url.scheme() != "https" && !is_loopback(&url))
    };
    found.when(
        brand.logo_url.as_ref().is_some_and(bad_logo),
        "brand.logo_url",
        "must be an https URL",
    );
    found.when(
        brand.templates.as_ref().is_some_and(|folder| !folder.is_dir()),
        "brand.templates",
        "is not a folder that can be read",
    );
    let blank = brand.operator.trim().is_empty() || brand.operator.contains(char::is_control);
    found.when(blank, "brand.operator", "must be a name on one line");
}

fn scopes(config: &Config, found: &mut Found) {
    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
    let token = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    for name in config.scopes.keys() {
        let fine = !name.is_empty() && name.bytes().all(token);
        let text = "is not a scope name: printable ASCII without spaces, quotes and backslashes";
        found.when(!fine, &format!("scopes.{name}"), text);
    }
}

impl Config {
    /// What a deployment for real people still needs. None of it keeps the server from starting.
    pub(crate) fn missing_for_production(&self) -> Vec<Advice> {
        let mut missing = Vec::new();
        let mut when = |needed: bool, setting: &'static str, text: &str| {
            if needed {
                missing.push(Advice { setting, text: text.to_owned() });
            }
        };
        let local = Url::parse(&self.issuer()).is_ok_and(|url| is_loopback(&url));
        let admin = &self.sign_in.admin_token;
        let mails = self.sign_in.methods.contains(&MethodName::AdminToken)
            && admin.mode == TokenMode::EMailed;
        when(
            local,
            "issuer",
            "only this machine can reach it: set the https URL by which people will",
        );
        when(
            mails && self.mail.smtp.is_none(),
            "mail.smtp",
            "admin tokens cannot be sent: name the SMTP server (host, from, username, password)",
        );
        when(
            self.sign_in.methods.contains(&MethodName::AdminToken) && admin.allowed.is_empty(),
            "sign_in.admin_token.allowed",
            "nobody may sign in by admin token: list addresses or domains",
        );
        when(
            admin.allowed.contains(&Allowed::Any) && self.sign_in.sign_up,
            "sign_in.admin_token.allowed",
            "everybody with a mail address gets an account: list addresses or domains instead",
        );
        when(
            self.static_token().is_some_and(|token| token.expose().len() < 20),
            "sign_in.admin_token.token",
            "is short enough to be guessed: use the e-mailed mode, or 20 random characters",
        );
        self.missing_around(&mut when);
        missing
    }

    fn missing_around(&self, when: &mut impl FnMut(bool, &'static str, &str)) {
        when(
            self.listen.tls.is_none() && self.listen.trusted_proxies.is_empty(),
            "listen.tls",
            "set certificate and key, or put a TLS proxy in front and name it in \
             listen.trusted_proxies",
        );
        when(
            self.listen.metrics.is_none(),
            "listen.metrics",
            "nothing is measured: set an address for Prometheus, such as \"127.0.0.1:5059\"",
        );
        let file = self.store == Store::Sqlite;
        let own_key = self.keys.key_encryption_key.is_none();
        when(
            own_key && file,
            "keys.key_encryption_key_file",
            "the key that seals what is secret lies beside the database it protects: keep it in a \
             file elsewhere, and keep a copy",
        );
        when(
            own_key && !file,
            "keys.key_encryption_key_file",
            "the key that seals what is secret lies in the data folder of this node: name a file, \
             the same one for every node, and keep a copy",
        );
        when(
            file,
            "data",
            "back up this folder: `sqlite3 grantor.db \".backup copy.db\"` while the server runs, \
             and the key-encryption key apart from it",
        );
        when(
            !file,
            "store",
            "back up the database, and the key-encryption key apart from it: docs/operating.md",
        );
    }
}
