//! `grantor client add`: from options to a client.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use grantor_core::AuthorizationServer;
use grantor_core::jose::Algorithm;
use grantor_core::model::{
    AccessTokenFormat, AuthMethod, Client, GrantType, MethodName, OnNewToken, RefreshPolicy,
    ResponseType, Scope,
};
use grantor_core::registration::{self, Registrant};
use grantor_core::store::Added;
use serde_json::Value;

use super::Made;
use super::options::{
    Grant, Links, OwnLifetimes, auth_method, method, on_new_token, refresh_policy, response_type,
    token_format,
};
use super::secret::{ChosenSecret, say_secret};
use crate::cli::output::{json, say};

/// An application.
#[derive(Debug, Args)]
pub(in crate::cli) struct Add {
    /// The client_id [default: a random one]
    client_id: Option<String>,
    /// The name that people read on the consent page.
    #[arg(long)]
    name: Option<String>,
    /// Where answers may go, compared byte by byte; may be given several times. Needed for
    /// authorization_code and implicit.
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where a person may land after signing out; may be given several times.
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// The scopes that it may ask for, separated by spaces [default: openid profile email; read for
    /// one that has only client_credentials]
    #[arg(long)]
    scope: Option<String>,
    /// A grant that it may use; may be given several times.
    #[arg(long = "grant", value_name = "GRANT", default_values = ["authorization_code", "refresh_token"])]
    grants: Vec<Grant>,
    /// An answer of the authorization endpoint that it may ask for, such as `code` or
    /// `id_token token`; may be given several times [default: code for authorization_code, token
    /// for implicit]
    #[arg(long = "response-type", value_name = "TYPE", value_parser = response_type)]
    response_types: Vec<ResponseType>,
    /// An application that cannot keep a secret: in a browser, on a phone or a desktop.
    #[arg(long)]
    public: bool,
    /// How it authenticates: none, client_secret_basic, client_secret_post, client_secret_jwt or
    /// private_key_jwt [default: client_secret_basic]
    #[arg(long, value_name = "METHOD", value_parser = auth_method, conflicts_with = "public")]
    auth_method: Option<AuthMethod>,
    #[command(flatten)]
    secret: ChosenSecret,
    /// A file with its public keys as a JWK set, for private_key_jwt.
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_uri")]
    jwks_file: Option<PathBuf>,
    /// Where its public keys are, for private_key_jwt.
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// Take authorization requests without PKCE. Not for public clients.
    #[arg(long, conflicts_with = "public")]
    no_pkce: bool,
    /// Refresh tokens: `rotate`, `reuse`, or `reuse:5` for five uses [default: rotate for public
    /// clients, reuse:5 for one that has only client_credentials, else reuse]
    #[arg(long, value_name = "POLICY", value_parser = refresh_policy)]
    refresh: Option<RefreshPolicy>,
    /// Its earlier tokens when it gets a new one: keep or revoke_previous.
    #[arg(long, value_name = "WHAT", value_parser = on_new_token, default_value = "keep")]
    on_new_token: OnNewToken,
    /// Access tokens: opaque or jwt, unless the resource says otherwise [default: opaque]
    #[arg(long, value_name = "FORMAT", value_parser = token_format)]
    access_token_format: Option<AccessTokenFormat>,
    /// What its JWT access tokens are signed with [default: ES256, if the server has such keys]
    #[arg(long, value_name = "ALG")]
    access_token_alg: Option<Algorithm>,
    /// What its ID tokens are signed with [default: ES256, if the server has such keys]
    #[arg(long, value_name = "ALG")]
    id_token_alg: Option<Algorithm>,
    /// A resource whose tokens it may ask about at /introspect: its identifier, or the issuer for
    /// tokens of no resource; may be given several times.
    #[arg(long, value_name = "URI")]
    resource_server_for: Vec<String>,
    /// An integration whose tokens it may have by token exchange, of persons whose access tokens it
    /// holds; may be given several times. Needs the grant token_exchange.
    #[arg(long = "integration", value_name = "NAME")]
    integrations: Vec<String>,
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
    json: bool,
}

pub(super) async fn run(server: &AuthorizationServer, own: Add) -> anyhow::Result<()> {
    let as_json = own.json;
    let chosen = own.secret.read()?;
    let mut client = own.into_client(server)?;
    registration::check(&server.policy, &client, Registrant::Operator, None)?;
    let method = client.token_endpoint_auth_method;
    let chosen = chosen.as_ref().map(|own| own.as_str());
    let secret = registration::secret::make(server, &client.client_id, method, chosen).await?;
    client.secret = secret.as_ref().map(|own| own.stored.clone());
    if server.store.add_client(client.clone()).await? == Added::Exists {
        bail!("a client {:?} exists; choose another client_id", client.client_id);
    }
    // Who chose a secret knows it.
    let shown = secret.filter(|_| chosen.is_none()).map(|own| own.text);
    if as_json {
        return json(&Made { client: &client, client_secret: shown.as_deref() });
    }
    say(&format!("Registered {}.\n  client_id      {}", client.client_name, client.client_id));
    match (shown, method) {
        (Some(secret), _) => say_secret(&secret),
        (None, AuthMethod::None) if client.may_use(GrantType::AuthorizationCode) => {
            say("It is a public client: it has no secret and must use PKCE.");
        }
        (None, AuthMethod::None) => {
            say("It is a public client: it has no secret.");
        }
        (None, AuthMethod::PrivateKeyJwt) => say("It signs with its own key: it has no secret."),
        (
            None,
            AuthMethod::ClientSecretBasic
            | AuthMethod::ClientSecretPost
            | AuthMethod::ClientSecretJwt,
        ) => say("It has the secret that you chose."),
    }
    Ok(())
}

impl Add {
    fn into_client(self, server: &AuthorizationServer) -> anyhow::Result<Client> {
        let id = self.client_id.clone();
        let id = id.unwrap_or_else(|| registration::random_client_id(server.entropy.as_ref()));
        let base = Client::new(id, server.clock.now());
        let method = match self.public {
            true => AuthMethod::None,
            false => self.auth_method.unwrap_or(AuthMethod::ClientSecretBasic),
        };
        let grant_types: Vec<_> = self.grants.iter().map(|grant| grant.registered()).collect();
        let usual = server.policy.keys.usual();
        let mut client = Client {
            token_endpoint_auth_method: method,
            client_name: self.name.clone().unwrap_or_else(|| base.client_name.clone()),
            jwks: self.jwks()?,
            scope: self.scopes(server, &grant_types)?,
            response_types: match self.response_types.is_empty() {
                true => registration::default_response_types(&grant_types),
                false => self.response_types,
            },
            jwks_uri: self.jwks_uri,
            client_uri: self.links.client_uri,
            logo_uri: self.links.logo_uri,
            policy_uri: self.links.policy_uri,
            tos_uri: self.links.tos_uri,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types,
            require_pkce: method == AuthMethod::None || !self.no_pkce,
            on_new_token: self.on_new_token,
            access_token_format: self.access_token_format,
            access_token_signed_response_alg: self.access_token_alg.unwrap_or(usual),
            id_token_signed_response_alg: self.id_token_alg.unwrap_or(usual),
            resource_server_for: self.resource_server_for,
            integrations: self.integrations,
            lifetimes: self.lifetimes.registered(),
            sign_in_methods: self.sign_in_methods,
            requests_per_minute: self.requests_per_minute,
            ..base
        };
        client.refresh = self.refresh.unwrap_or_else(|| registration::default_refresh(&client));
        Ok(client)
    }

    fn scopes(&self, server: &AuthorizationServer, grants: &[GrantType]) -> anyhow::Result<Scope> {
        let default = match registration::is_machine(grants) {
            true if server.policy.scopes.contains_key("read") => "read",
            true => "",
            false => "openid profile email",
        };
        Ok(Scope::parse(self.scope.as_deref().unwrap_or(default))?)
    }

    fn jwks(&self) -> anyhow::Result<Option<Value>> {
        let Some(file) = &self.jwks_file else { return Ok(None) };
        let shown = file.display();
        let text = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
        let jwks = serde_json::from_slice(&text);
        jwks.map(Some).with_context(|| format!("{shown} is not JSON"))
    }
}
