//! Registered clients: the table `oauth2_client`.

use std::str::FromStr as _;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::jose::Algorithm;
use grantor_core::model::{Client, ClientSecret};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, ClientStore, StoreError};
use grantor_core::time::Timestamp;
use rusqlite::{Params, ToSql, params, params_from_iter};

use super::Sqlite;
use super::fault::Fault;
use super::rows::{Columns, Db, json_column};

const SELECT_ONE: &str = "SELECT * FROM oauth2_client WHERE client_id = ?1";

const INSERT: &str = "INSERT INTO oauth2_client (
        client_id, client_secret, client_name, client_uri, logo_uri, policy_uri, tos_uri,
        redirect_uris, post_logout_redirect_uris, grant_types, scope, require_pkce, refresh,
        id_token_signed_response_alg, lifetimes, sign_in_methods, requests_per_minute, created_at
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE oauth2_client SET
        client_secret = ?2, client_name = ?3, client_uri = ?4, logo_uri = ?5, policy_uri = ?6,
        tos_uri = ?7, redirect_uris = ?8, post_logout_redirect_uris = ?9, grant_types = ?10,
        scope = ?11, require_pkce = ?12, refresh = ?13, id_token_signed_response_alg = ?14,
        lifetimes = ?15, sign_in_methods = ?16, requests_per_minute = ?17, created_at = ?18
    WHERE client_id = ?1";

#[async_trait]
impl ClientStore for Sqlite {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let generation = match self.clients.get(client_id) {
            Ok(client) => return Ok(Some(client)),
            Err(generation) => generation,
        };
        let found = self.read(|db| db.one(SELECT_ONE, [client_id], client))?.map(Arc::new);
        if let Some(client) = &found {
            self.clients.put(client, generation);
        }
        Ok(found)
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.read(|db| db.all("SELECT * FROM oauth2_client ORDER BY client_id", (), client))
    }

    async fn add_client(&self, client: Client) -> Result<Added, StoreError> {
        self.write_clients(move |db| {
            let added = db.run(INSERT, columns(&client)?)?;
            Ok(if added == 1 { Added::Done } else { Added::Exists })
        })
        .await
    }

    async fn replace_client(&self, client: Client) -> Result<bool, StoreError> {
        self.write_clients(move |db| Ok(db.run(UPDATE, columns(&client)?)? == 1)).await
    }

    async fn remove_client(&self, client_id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let client_id = client_id.to_owned();
        self.write_clients(move |db| remove(db, &client_id, now)).await
    }
}

fn remove(db: &Db<'_>, client_id: &str, now: Timestamp) -> Result<bool, Fault> {
    if db.run("DELETE FROM oauth2_client WHERE client_id = ?1", [client_id])? == 0 {
        return Ok(false);
    }
    db.run("DELETE FROM consent WHERE client_id = ?1", [client_id])?;
    db.run(
        "DELETE FROM authorization_code WHERE client_id = ?1 AND spent_at IS NULL",
        [client_id],
    )?;
    db.run(
        "UPDATE token_family SET revoked_at = ?2 WHERE client_id = ?1 AND revoked_at IS NULL",
        params![client_id, now.epoch()],
    )?;
    Ok(true)
}

/// In the order of the statements above.
fn columns(client: &Client) -> Result<impl Params, Fault> {
    let values: [Box<dyn ToSql>; 18] = [
        Box::new(client.client_id.clone()),
        Box::new(client.secret.as_ref().map(shown)),
        Box::new(client.client_name.clone()),
        Box::new(client.client_uri.clone()),
        Box::new(client.logo_uri.clone()),
        Box::new(client.policy_uri.clone()),
        Box::new(client.tos_uri.clone()),
        Box::new(json_column(&client.redirect_uris)?),
        Box::new(json_column(&client.post_logout_redirect_uris)?),
        Box::new(json_column(&client.grant_types)?),
        Box::new(client.scope.as_str().to_owned()),
        Box::new(client.require_pkce),
        Box::new(json_column(&client.refresh)?),
        Box::new(client.id_token_signed_response_alg.as_str()),
        Box::new(json_column(&client.lifetimes)?),
        Box::new(json_column(&client.sign_in_methods)?),
        Box::new(client.requests_per_minute),
        Box::new(client.created_at.epoch()),
    ];
    Ok(params_from_iter(values))
}

fn client(columns: &mut Columns<'_>) -> Result<Client, Fault> {
    Ok(Client {
        client_id: columns.value()?,
        secret: columns.value::<Option<String>>()?.map(|text| secret(&text)).transpose()?,
        client_name: columns.value()?,
        client_uri: columns.value()?,
        logo_uri: columns.value()?,
        policy_uri: columns.value()?,
        tos_uri: columns.value()?,
        redirect_uris: columns.json()?,
        post_logout_redirect_uris: columns.json()?,
        grant_types: columns.json()?,
        scope: columns.scope()?,
        require_pkce: columns.value()?,
        refresh: columns.json()?,
        id_token_signed_response_alg: algorithm(columns)?,
        lifetimes: columns.json()?,
        sign_in_methods: columns.json()?,
        requests_per_minute: columns.value()?,
        created_at: columns.time()?,
    })
}

/// The next column as a signature algorithm.
pub(super) fn algorithm(columns: &mut Columns<'_>) -> Result<Algorithm, Fault> {
    let text = columns.text()?;
    Algorithm::from_str(text).map_err(|_| Fault::Record(format!("not an algorithm: {text:?}")))
}

fn shown(secret: &ClientSecret) -> String {
    match secret {
        ClientSecret::Sha256(digest) => {
            format!("sha256:{}", URL_SAFE_NO_PAD.encode(digest.as_bytes()))
        }
    }
}

fn secret(text: &str) -> Result<ClientSecret, Fault> {
    let mut bytes = [0; 32];
    let encoded = text.strip_prefix("sha256:").filter(|encoded| encoded.len() == 43);
    let read = encoded.and_then(|text| URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok());
    if read != Some(bytes.len()) {
        return Err(Fault::Record("a client_secret is not sha256: and 43 characters".to_owned()));
    }
    Ok(ClientSecret::Sha256(Digest::from_bytes(bytes)))
}
