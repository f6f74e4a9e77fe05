//! Registered clients: the rows of `oauth2_client`.

use std::str::FromStr as _;

use grantor_core::jose::Algorithm;
use grantor_core::model::{AccessTokenFormat, AuthMethod, Client, ClientSecret, OnNewToken};

use crate::columns::{Columns, Unreadable, Value, json_column, values};

/// The columns of a client.
macro_rules! client_columns {
    () => {
        "client_id, token_endpoint_auth_method, client_secret, jwks, jwks_uri, client_name, \
         client_uri, logo_uri, policy_uri, tos_uri, redirect_uris, post_logout_redirect_uris, \
         grant_types, response_types, scope, require_pkce, refresh, on_new_token, \
         access_token_format, access_token_signed_response_alg, id_token_signed_response_alg, \
         resource_server_for, lifetimes, sign_in_methods, requests_per_minute, other_metadata, \
         registration_token, integrations, created_at"
    };
}
pub(crate) use client_columns;

/// What is bound for [`client_columns`].
pub(crate) fn row(client: &Client) -> Result<[Value<'_>; 29], Unreadable> {
    Ok(values![
        &client.client_id,
        client.token_endpoint_auth_method.as_str(),
        client.secret.as_ref().map(ClientSecret::to_text),
        client.jwks.as_ref().map(json_column).transpose()?,
        client.jwks_uri.as_deref(),
        &client.client_name,
        client.client_uri.as_deref(),
        client.logo_uri.as_deref(),
        client.policy_uri.as_deref(),
        client.tos_uri.as_deref(),
        json_column(&client.redirect_uris)?,
        json_column(&client.post_logout_redirect_uris)?,
        json_column(&client.grant_types)?,
        json_column(&client.response_types)?,
        client.scope.as_str(),
        client.require_pkce,
        json_column(&client.refresh)?,
        client.on_new_token.as_str(),
        client.access_token_format.map(AccessTokenFormat::as_str),
        client.access_token_signed_response_alg.as_str(),
        client.id_token_signed_response_alg.as_str(),
        json_column(&client.resource_server_for)?,
        json_column(&client.lifetimes)?,
        json_column(&client.sign_in_methods)?,
        client.requests_per_minute,
        json_column(&client.other_metadata)?,
        client.registration_token,
        json_column(&client.integrations)?,
        client.created_at,
    ])
}

/// Reads [`client_columns`].
pub(crate) fn client(columns: &mut Columns<'_>) -> Result<Client, Unreadable> {
    Ok(Client {
        client_id: columns.value()?,
        token_endpoint_auth_method: columns.named("client authentication", AuthMethod::parse)?,
        secret: columns.value::<Option<String>>()?.map(|text| secret(&text)).transpose()?,
        jwks: columns.optional_json()?,
        jwks_uri: columns.value()?,
        client_name: columns.value()?,
        client_uri: columns.value()?,
        logo_uri: columns.value()?,
        policy_uri: columns.value()?,
        tos_uri: columns.value()?,
        redirect_uris: columns.json()?,
        post_logout_redirect_uris: columns.json()?,
        grant_types: columns.json()?,
        response_types: columns.json()?,
        scope: columns.scope()?,
        require_pkce: columns.value()?,
        refresh: columns.json()?,
        on_new_token: columns.named("on_new_token", OnNewToken::parse)?,
        access_token_format: columns
            .optional(1, |columns| columns.named("token format", AccessTokenFormat::parse))?,
        access_token_signed_response_alg: algorithm(columns)?,
        id_token_signed_response_alg: algorithm(columns)?,
        resource_server_for: columns.json()?,
        lifetimes: columns.json()?,
        sign_in_methods: columns.json()?,
        requests_per_minute: columns.value()?,
        other_metadata: columns.json()?,
        registration_token: columns.optional_digest()?,
        integrations: columns.json()?,
        created_at: columns.time()?,
    })
}

/// The next column as a signature algorithm.
pub(crate) fn algorithm(columns: &mut Columns<'_>) -> Result<Algorithm, Unreadable> {
    columns.named("an algorithm", |text| Algorithm::from_str(text).ok())
}

/// The text is not part of the error, because it may be a secret that somebody has put there.
fn secret(text: &str) -> Result<ClientSecret, Unreadable> {
    ClientSecret::parse(text).ok_or_else(|| {
        Unreadable(
            "a client_secret is neither sha256: and 43 characters, nor $argon2id$…, nor sealed:…"
                .to_owned(),
        )
    })
}
