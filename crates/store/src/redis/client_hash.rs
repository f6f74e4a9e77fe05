//! A client as a hash.

use std::str::FromStr as _;

use grantor_core::jose::Algorithm;
use grantor_core::model::{AccessTokenFormat, AuthMethod, Client, ClientSecret, OnNewToken};

use super::fault::Fault;
use super::fields::{Fields, Hash};

/// A client, to be written.
pub(super) fn fields(client: &Client) -> Result<Fields, Fault> {
    let fields = Fields::default()
        .with("client_id", &client.client_id)
        .text("token_endpoint_auth_method", client.token_endpoint_auth_method.as_str())
        .maybe("client_secret", client.secret.as_ref().map(ClientSecret::to_text).as_ref())
        .maybe("jwks_uri", client.jwks_uri.as_ref())
        .with("client_name", &client.client_name)
        .maybe("client_uri", client.client_uri.as_ref())
        .maybe("logo_uri", client.logo_uri.as_ref())
        .maybe("policy_uri", client.policy_uri.as_ref())
        .maybe("tos_uri", client.tos_uri.as_ref())
        .with("scope", &client.scope)
        .with("require_pkce", &client.require_pkce)
        .text("on_new_token", client.on_new_token.as_str())
        .text("access_token_signed_response_alg", client.access_token_signed_response_alg.as_str())
        .text("id_token_signed_response_alg", client.id_token_signed_response_alg.as_str())
        .maybe("requests_per_minute", client.requests_per_minute.as_ref())
        .maybe("registration_token", client.registration_token.as_ref())
        .with("created_at", &client.created_at);
    let fields = match client.access_token_format {
        Some(format) => fields.text("access_token_format", format.as_str()),
        None => fields,
    };
    fields
        .json_if(client.jwks.is_some(), "jwks", &client.jwks)?
        .json("redirect_uris", &client.redirect_uris)?
        .json("post_logout_redirect_uris", &client.post_logout_redirect_uris)?
        .json("grant_types", &client.grant_types)?
        .json("response_types", &client.response_types)?
        .json("refresh", &client.refresh)?
        .json("resource_server_for", &client.resource_server_for)?
        .json("integrations", &client.integrations)?
        .json("lifetimes", &client.lifetimes)?
        .json("sign_in_methods", &client.sign_in_methods)?
        .json("other_metadata", &client.other_metadata)
}

/// Reads a client.
pub(super) fn client(hash: &Hash) -> Result<Client, Fault> {
    Ok(Client {
        client_id: hash.get("client_id")?,
        token_endpoint_auth_method: hash.named("token_endpoint_auth_method", AuthMethod::parse)?,
        secret: secret(hash)?,
        jwks: hash.maybe_json("jwks")?,
        jwks_uri: hash.maybe("jwks_uri")?,
        client_name: hash.get("client_name")?,
        client_uri: hash.maybe("client_uri")?,
        logo_uri: hash.maybe("logo_uri")?,
        policy_uri: hash.maybe("policy_uri")?,
        tos_uri: hash.maybe("tos_uri")?,
        redirect_uris: hash.json("redirect_uris")?,
        post_logout_redirect_uris: hash.json("post_logout_redirect_uris")?,
        grant_types: hash.json("grant_types")?,
        response_types: hash.json("response_types")?,
        scope: hash.get("scope")?,
        require_pkce: hash.get("require_pkce")?,
        refresh: hash.json("refresh")?,
        on_new_token: hash.named("on_new_token", OnNewToken::parse)?,
        access_token_format: hash.maybe_named("access_token_format", AccessTokenFormat::parse)?,
        access_token_signed_response_alg: algorithm(hash, "access_token_signed_response_alg")?,
        id_token_signed_response_alg: algorithm(hash, "id_token_signed_response_alg")?,
        resource_server_for: hash.json("resource_server_for")?,
        integrations: hash.json("integrations")?,
        lifetimes: hash.json("lifetimes")?,
        sign_in_methods: hash.json("sign_in_methods")?,
        requests_per_minute: hash.maybe("requests_per_minute")?,
        other_metadata: hash.json("other_metadata")?,
        registration_token: hash.maybe("registration_token")?,
        created_at: hash.get("created_at")?,
    })
}

/// A field that is a signature algorithm.
pub(super) fn algorithm(hash: &Hash, name: &str) -> Result<Algorithm, Fault> {
    hash.named(name, |text| Algorithm::from_str(text).ok())
}

fn secret(hash: &Hash) -> Result<Option<ClientSecret>, Fault> {
    hash.maybe_named("client_secret", ClientSecret::parse)
}
