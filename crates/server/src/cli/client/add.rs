//! `grantor client add`: from options to a client.

use anyhow::{bail, ensure};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::authorize::redirect_uri::registrable;
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    AccessTokenFormat, AuthMethod, Client, GrantType, Lifetimes, MethodName, OnNewToken,
    RefreshPolicy, ResponseType, Scope,
};
use grantor_core::time::Seconds;

use super::{random_client_id, stored};
use crate::client_secret;
use crate::config::Period;

/// An application.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The client_id [default: a random one]
    client_id: Option<String>,
    /// The name that people read on the consent page.
    #[arg(long)]
    name: Option<String>,
    /// Where answers may go, compared byte by byte; may be given several times.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a person may land after signing out; may be given several times.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// The scopes that it may ask for, separated by spaces.
    #[arg(long, default_value = "openid profile email")]
    scope: String,
    /// A grant that it may use; may be given several times.
    #[arg(long = "grant", value_name = "GRANT", value_parser = grant, default_values = ["authorization_code", "refresh_token"])]
    grants: Vec<GrantType>,
    /// An answer of the authorization endpoint that it may ask for; may be given several times
    /// [default: code, if it may use authorization_code]
    #[arg(long = "response-type", value_name = "TYPE", value_parser = response_type)]
    response_types: Vec<ResponseType>,
    /// What its access tokens look like: `opaque` or `jwt` [default: opaque]
    #[arg(long, value_name = "FORMAT", value_parser = token_format)]
    access_token_format: Option<AccessTokenFormat>,
    /// What its JWT access tokens are signed with.
    #[arg(long, value_name = "ALG", default_value = "ES256")]
    access_token_alg: Algorithm,
    /// What becomes of its earlier tokens when it gets a new one: `keep` or `revoke_previous`.
    #[arg(long, value_name = "WHAT", value_parser = on_new_token, default_value = "keep")]
    on_new_token: OnNewToken,
    /// A resource whose tokens it may ask about at /introspect: its identifier, or the issuer for
    /// tokens without a resource; may be given several times.
    #[arg(long = "resource-server-for", value_name = "RESOURCE")]
    resource_server_for: Vec<String>,
    /// An application that cannot keep a secret: in a browser, on a phone or a desktop.
    #[arg(long)]
    public: bool,
    /// Take authorization requests without PKCE. Not for public clients.
    #[arg(long, conflicts_with = "public")]
    no_pkce: bool,
    /// Refresh tokens: `rotate`, `reuse`, or `reuse:5` for five uses [default: rotate for public clients, else reuse]
    #[arg(long, value_name = "POLICY", value_parser = refresh_policy)]
    refresh: Option<RefreshPolicy>,
    /// What its ID tokens are signed with.
    #[arg(long, value_name = "ALG", default_value = "ES256")]
    id_token_alg: Algorithm,
    /// A sign-in method that it allows; may be given several times [default: all]
    #[arg(long = "sign-in-method", value_name = "METHOD", value_parser = method)]
    sign_in_methods: Vec<MethodName>,
    /// Token requests a minute; 0 for no limit [default: the server's]
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    #[command(flatten)]
    lifetimes: OwnLifetimes,
    #[command(flatten)]
    links: Links,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Lifetimes that differ from the server's, such as `90s`, `10m`, `12h` or `30d`.
#[derive(Debug, Args)]
struct OwnLifetimes {
    /// Of an authorization code.
    #[arg(long, value_name = "TIME")]
    code_lifetime: Option<Period>,
    /// Of an access token.
    #[arg(long, value_name = "TIME")]
    access_token_lifetime: Option<Period>,
    /// Of a refresh token that is not used.
    #[arg(long, value_name = "TIME")]
    refresh_idle_lifetime: Option<Period>,
    /// Of a refresh token, however often it is used.
    #[arg(long, value_name = "TIME")]
    refresh_absolute_lifetime: Option<Period>,
    /// Of an ID token; at most a day.
    #[arg(long, value_name = "TIME")]
    id_token_lifetime: Option<Period>,
    /// The oldest sign-in that it takes before a person must sign in again.
    #[arg(long, value_name = "TIME")]
    session_lifetime: Option<Period>,
}

/// What people may want to read about it.
#[derive(Debug, Args)]
struct Links {
    /// The home page.
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// The logo.
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// The privacy policy.
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// The terms of service.
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
}

impl Add {
    /// The client and, unless it is public, its secret.
    pub(super) fn into_client(
        self,
        server: &AuthorizationServer,
    ) -> anyhow::Result<(Client, Option<String>)> {
        self.check(server)?;
        let entropy = server.entropy.as_ref();
        let client_id = self.client_id.unwrap_or_else(|| random_client_id(entropy));
        let secret = (!self.public).then(|| client_secret::generate(entropy));
        let default_refresh =
            if self.public { RefreshPolicy::Rotate } else { RefreshPolicy::Reuse { uses: None } };
        let base = Client::new(client_id, server.clock.now());
        let client = Client {
            token_endpoint_auth_method: match self.public {
                true => AuthMethod::None,
                false => AuthMethod::ClientSecretBasic,
            },
            secret: secret.as_deref().map(|secret| stored(&base.client_id, secret)),
            client_name: self.name.unwrap_or_else(|| base.client_name.clone()),
            client_uri: self.links.client_uri,
            logo_uri: self.links.logo_uri,
            policy_uri: self.links.policy_uri,
            tos_uri: self.links.tos_uri,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            response_types: match self.response_types.is_empty() {
                true if self.grants.contains(&GrantType::AuthorizationCode) => {
                    vec![ResponseType::Code]
                }
                _ => self.response_types,
            },
            grant_types: self.grants,
            access_token_format: self.access_token_format,
            access_token_signed_response_alg: self.access_token_alg,
            on_new_token: self.on_new_token,
            resource_server_for: self.resource_server_for,
            scope: Scope::parse(&self.scope)?,
            require_pkce: self.public || !self.no_pkce,
            refresh: self.refresh.unwrap_or(default_refresh),
            id_token_signed_response_alg: self.id_token_alg,
            lifetimes: self.lifetimes.registered(),
            sign_in_methods: self.sign_in_methods,
            requests_per_minute: self.requests_per_minute,
            ..base
        };
        Ok((client, secret))
    }

    fn check(&self, server: &AuthorizationServer) -> anyhow::Result<()> {
        if let Some(id) = &self.client_id {
            let plain = id.bytes().all(|b| b.is_ascii_graphic() && b != b':');
            ensure!(
                (1..=200).contains(&id.len()) && plain,
                "a client_id is 1 to 200 ASCII characters without spaces and colons"
            );
        }
        for uri in self.redirect_uris.iter().chain(&self.post_logout_redirect_uris) {
            if let Err(why) = registrable(uri) {
                bail!("{uri:?} cannot be registered: {why}");
            }
        }
        let scope = Scope::parse(&self.scope)?;
        if let Some(unknown) = scope.iter().find(|name| !server.policy.scopes.contains_key(*name)) {
            bail!(
                "the scope {unknown:?} is unknown; name it in [scopes] of the configuration first"
            );
        }
        let redirects = [GrantType::AuthorizationCode, GrantType::Implicit];
        ensure!(
            !self.redirect_uris.is_empty()
                || !redirects.iter().any(|own| self.grants.contains(own)),
            "give the application a --redirect-uri: its grants send answers there"
        );
        for alg in [self.id_token_alg, self.access_token_alg] {
            let enabled = server.policy.keys.algorithms.contains(&alg);
            ensure!(enabled, "{alg} is not among keys.algorithms of the configuration");
        }
        let id_token = self.lifetimes.id_token_lifetime.as_ref().map(|own| own.seconds());
        ensure!(
            id_token.is_none_or(|own| own <= Seconds::days(1)),
            "an ID token may live a day at most"
        );
        self.links.check()
    }
}

impl Links {
    fn check(&self) -> anyhow::Result<()> {
        let all = [&self.client_uri, &self.logo_uri, &self.policy_uri, &self.tos_uri];
        for link in all.into_iter().flatten() {
            let url = url::Url::parse(link).ok();
            let web = url.is_some_and(|url| matches!(url.scheme(), "https" | "http"));
            ensure!(web, "{link:?} is not an http or https URL");
        }
        Ok(())
    }
}

impl OwnLifetimes {
    fn registered(&self) -> Lifetimes {
        let own = |period: &Option<Period>| period.as_ref().map(|period| period.seconds());
        Lifetimes {
            code: own(&self.code_lifetime),
            access_token: own(&self.access_token_lifetime),
            refresh_idle: own(&self.refresh_idle_lifetime),
            refresh_absolute: own(&self.refresh_absolute_lifetime),
            id_token: own(&self.id_token_lifetime),
            session: own(&self.session_lifetime),
        }
    }
}

/// A grant type by its name, or by the last part of a long one.
fn grant(text: &str) -> Result<GrantType, String> {
    let short = |own: GrantType| own.as_str().rsplit(':').next().unwrap_or_default();
    let same = |own: &GrantType| {
        own.as_str() == text || short(*own).replace('-', "_") == text.replace('-', "_")
    };
    let found = GrantType::ALL.iter().copied().find(same);
    found.ok_or_else(|| one_of(GrantType::ALL.iter().copied().map(short)))
}

fn response_type(text: &str) -> Result<ResponseType, String> {
    ResponseType::parse(text)
        .ok_or_else(|| one_of(ResponseType::ALL.iter().map(|own| own.as_str())))
}

fn token_format(text: &str) -> Result<AccessTokenFormat, String> {
    AccessTokenFormat::parse(text)
        .ok_or_else(|| one_of(AccessTokenFormat::ALL.iter().map(|own| own.as_str())))
}

fn on_new_token(text: &str) -> Result<OnNewToken, String> {
    OnNewToken::parse(text).ok_or_else(|| one_of(OnNewToken::ALL.iter().map(|own| own.as_str())))
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("use one of: {}", names.collect::<Vec<_>>().join(", "))
}

fn refresh_policy(text: &str) -> Result<RefreshPolicy, String> {
    match (text, text.strip_prefix("reuse:").map(str::parse::<u32>)) {
        ("rotate", _) => Ok(RefreshPolicy::Rotate),
        ("reuse", _) => Ok(RefreshPolicy::Reuse { uses: None }),
        (_, Some(Ok(uses))) if uses > 0 => Ok(RefreshPolicy::Reuse { uses: Some(uses) }),
        _ => Err("use rotate, reuse, or reuse:N with N uses".to_owned()),
    }
}

fn method(text: &str) -> Result<MethodName, String> {
    MethodName::parse(text).ok_or_else(|| {
        let names = MethodName::ALL.iter().map(|own| own.as_str()).collect::<Vec<_>>().join(", ");
        format!("use one of: {names}")
    })
}
