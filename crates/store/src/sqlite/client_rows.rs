//! The rows of `oauth2_client`, written and read.

use std::str::FromStr as _;

use grantor_core::jose::Algorithm;
use grantor_core::model::{AccessTokenFormat, AuthMethod, Client, ClientSecret, OnNewToken};
use grantor_core::time::Timestamp;
use rusqlite::{Params, ToSql, params_from_iter};

use super::fault::Fault;
use super::rows::{Columns, Db, json_column};

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

const COLUMNS: usize = 29;

macro_rules! client_values {
    () => {
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
         ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29"
    };
}

/// A client by id.
pub(super) const SELECT_ONE: &str =
    concat!("SELECT ", client_columns!(), " FROM oauth2_client WHERE client_id = ?1");

/// All clients, by id.
pub(super) const SELECT_ALL: &str =
    concat!("SELECT ", client_columns!(), " FROM oauth2_client ORDER BY client_id");

const INSERT: &str = concat!(
    "INSERT INTO oauth2_client (",
    client_columns!(),
    ") VALUES (",
    client_values!(),
    ") ON CONFLICT DO NOTHING"
);

const UPDATE: &str = concat!(
    "UPDATE oauth2_client SET (",
    client_columns!(),
    ") = (",
    client_values!(),
    ") WHERE client_id = ?1"
);

/// Stores a client; `false` when there is one with its id. Tokens are told apart from those of a
/// removed client by their second, so one that takes the id begins in the next.
pub(super) fn insert(db: &Db<'_>, client: &Client) -> Result<bool, Fault> {
    let removed = "SELECT removed_at FROM removed_client WHERE client_id = ?1";
    let removed = db.one(removed, [&client.client_id], super::rows::single::<i64>)?;
    let after = removed.map(|second| Timestamp::from_epoch(second + 1));
    let created_at = after.map_or(client.created_at, |after| after.max(client.created_at));
    Ok(db.run(INSERT, columns(&Client { created_at, ..client.clone() })?)? == 1)
}

/// Replaces a client; `false` when there is none with its id.
pub(super) fn update(db: &Db<'_>, client: &Client) -> Result<bool, Fault> {
    Ok(db.run(UPDATE, columns(client)?)? == 1)
}

fn columns(client: &Client) -> Result<impl Params, Fault> {
    let values: [Box<dyn ToSql>; COLUMNS] = [
        Box::new(client.client_id.clone()),
        Box::new(client.token_endpoint_auth_method.as_str()),
        Box::new(client.secret.as_ref().map(ClientSecret::to_text)),
        Box::new(client.jwks.as_ref().map(json_column).transpose()?),
        Box::new(client.jwks_uri.clone()),
        Box::new(client.client_name.clone()),
        Box::new(client.client_uri.clone()),
        Box::new(client.logo_uri.clone()),
        Box::new(client.policy_uri.clone()),
        Box::new(client.tos_uri.clone()),
        Box::new(json_column(&client.redirect_uris)?),
        Box::new(json_column(&client.post_logout_redirect_uris)?),
        Box::new(json_column(&client.grant_types)?),
        Box::new(json_column(&client.response_types)?),
        Box::new(client.scope.as_str().to_owned()),
        Box::new(client.require_pkce),
        Box::new(json_column(&client.refresh)?),
        Box::new(client.on_new_token.as_str()),
        Box::new(client.access_token_format.map(AccessTokenFormat::as_str)),
        Box::new(client.access_token_signed_response_alg.as_str()),
        Box::new(client.id_token_signed_response_alg.as_str()),
        Box::new(json_column(&client.resource_server_for)?),
        Box::new(json_column(&client.lifetimes)?),
        Box::new(json_column(&client.sign_in_methods)?),
        Box::new(client.requests_per_minute),
        Box::new(json_column(&client.other_metadata)?),
        Box::new(client.registration_token.map(|digest| *digest.as_bytes())),
        Box::new(json_column(&client.integrations)?),
        Box::new(client.created_at.epoch()),
    ];
    Ok(params_from_iter(values))
}

/// Reads [`SELECT_ONE`].
pub(super) fn client(columns: &mut Columns<'_>) -> Result<Client, Fault> {
    Ok(Client {
        client_id: columns.value()?,
        token_endpoint_auth_method: named("client authentication", columns, AuthMethod::parse)?,
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
        on_new_token: named("on_new_token", columns, OnNewToken::parse)?,
        access_token_format: columns
            .optional(1, |columns| named("token format", columns, AccessTokenFormat::parse))?,
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
pub(super) fn algorithm(columns: &mut Columns<'_>) -> Result<Algorithm, Fault> {
    named("algorithm", columns, |text| Algorithm::from_str(text).ok())
}

fn named<T>(
    what: &str,
    columns: &mut Columns<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Fault> {
    let text = columns.text()?;
    parse(text).ok_or_else(|| Fault::Record(format!("not a name of {what}: {text:?}")))
}

/// The text is not part of the error, because it may be a secret that somebody has put there.
fn secret(text: &str) -> Result<ClientSecret, Fault> {
    ClientSecret::parse(text).ok_or_else(|| {
        Fault::Record(
            "a client_secret is neither sha256: and 43 characters, nor $argon2id$…, nor sealed:…"
                .to_owned(),
        )
    })
}
