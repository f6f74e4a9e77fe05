//! Registered clients, and who may register: the tables `oauth2_client` and
//! `initial_access_token`.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use grantor_core::id::InitialTokenId;
use grantor_core::model::{Client, InitialToken};
use grantor_core::secret::Digest;
use grantor_core::store::{Added, ClientStore, Imported, Registered, StoreError};
use grantor_core::time::Timestamp;

use super::fault::Fault;
use super::rows::Db;
use super::{Postgres, initial_tokens};
use crate::columns::{single, values};
use crate::records::clients::{client, client_columns, row};

const SELECT_ONE: &str =
    concat!("SELECT ", client_columns!(), " FROM oauth2_client WHERE client_id = $1");

const SELECT_ALL: &str = concat!("SELECT ", client_columns!(), " FROM oauth2_client");

macro_rules! client_values {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
         $20, $21, $22, $23, $24, $25, $26, $27, $28, $29"
    };
}

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
    ") = ROW (",
    client_values!(),
    ") WHERE client_id = $1"
);

#[async_trait]
impl ClientStore for Postgres {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let cache = &self.caches.clients;
        let missing = match cache.find(client_id) {
            Ok(known) if self.watch.is_fresh() => return Ok(Some(known)),
            Ok(_) => cache.missing(),
            Err(missing) => missing,
        };
        let found = self.look(SELECT_ONE, &values![client_id], client).await?;
        Ok(cache.keep(client_id, found, missing))
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        let clients = self.read((), |db, ()| Box::pin(db.all(SELECT_ALL, &[], client))).await;
        let mut clients = clients?;
        // Byte by byte, which is not the order of every database.
        clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
        Ok(clients)
    }

    async fn add_client(&self, client: Client) -> Result<Added, StoreError> {
        self.write_cached(client, |db, client| {
            Box::pin(async move {
                Ok(if insert(db, client).await? { Added::Done } else { Added::Exists })
            })
        })
        .await
    }

    async fn register_client(
        &self,
        client: Client,
        (id, digest): (InitialTokenId, Digest),
        now: Timestamp,
    ) -> Result<Registered, StoreError> {
        self.write_cached((client, id, digest, now), |db, (client, id, digest, now)| {
            Box::pin(register(db, client, (*id, digest), *now))
        })
        .await
    }

    async fn import_clients(
        &self,
        clients: Vec<Client>,
        replace: bool,
    ) -> Result<Imported, StoreError> {
        self.write_cached((clients, replace), |db, (clients, replace)| {
            Box::pin(import(db, clients, *replace))
        })
        .await
    }

    async fn replace_client(&self, before: &Client, client: Client) -> Result<bool, StoreError> {
        self.write_cached((before.clone(), client), |db, (before, client)| {
            Box::pin(async move { Ok(is_still(db, before).await? && update(db, client).await?) })
        })
        .await
    }

    async fn remove_client(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        self.write_cached((client.clone(), now), |db, (client, now)| {
            Box::pin(async move {
                Ok(is_still(db, client).await? && remove(db, &client.client_id, *now).await?)
            })
        })
        .await
    }

    async fn add_initial_token(&self, token: InitialToken) -> Result<(), StoreError> {
        self.write_one(token, |db, token| Box::pin(initial_tokens::insert(db, token))).await
    }

    async fn initial_tokens(&self) -> Result<Vec<InitialToken>, StoreError> {
        self.read((), |db, ()| Box::pin(initial_tokens::list(db))).await
    }

    async fn remove_initial_token(&self, id: InitialTokenId) -> Result<bool, StoreError> {
        self.write_one(id, |db, id| Box::pin(initial_tokens::remove(db, *id))).await
    }
}

/// Whether the client is as it was read. Clients are changed one at a time, so it stays so.
async fn is_still(db: Db<'_>, before: &Client) -> Result<bool, Fault> {
    let there = db.one(SELECT_ONE, &values![&before.client_id], client).await?;
    Ok(there.as_ref() == Some(before))
}

/// Stores a client; `false` when there is one with its id. Tokens are told apart from those of a
/// removed client by their second, so one that takes the id begins in the next.
async fn insert(db: Db<'_>, client: &Client) -> Result<bool, Fault> {
    let removed = "SELECT removed_at FROM removed_client WHERE client_id = $1";
    let removed = db.one(removed, &values![&client.client_id], single::<i64>).await?;
    let after = removed.map(|second| Timestamp::from_epoch(second + 1));
    let created_at = after.map_or(client.created_at, |after| after.max(client.created_at));
    let client = Client { created_at, ..client.clone() };
    Ok(db.run(INSERT, &row(&client)?).await? == 1)
}

/// Replaces a client; `false` when there is none with its id.
async fn update(db: Db<'_>, client: &Client) -> Result<bool, Fault> {
    Ok(db.run(UPDATE, &row(client)?).await? == 1)
}

async fn register(
    db: Db<'_>,
    client: &Client,
    (id, digest): (InitialTokenId, &Digest),
    now: Timestamp,
) -> Result<Registered, Fault> {
    if !initial_tokens::allows(db, (id, digest), now).await? {
        return Ok(Registered::NotAllowed);
    }
    if !insert(db, client).await? {
        return Ok(Registered::Exists);
    }
    initial_tokens::take_use(db, id).await?;
    Ok(Registered::Done)
}

async fn import(db: Db<'_>, clients: &[Client], replace: bool) -> Result<Imported, Fault> {
    // Looked at before anything is written: what is written here stays.
    let mut named = HashSet::new();
    for (place, client) in clients.iter().enumerate() {
        let there = "SELECT 1 FROM oauth2_client WHERE client_id = $1";
        let there = db.one(there, &values![&client.client_id], |_| Ok(())).await?;
        if !replace && there.is_some() || !named.insert(&client.client_id) {
            return Ok(Imported::Exists(place));
        }
    }
    for client in clients {
        if !update(db, client).await? {
            insert(db, client).await?;
        }
    }
    Ok(Imported::Done)
}

/// Families come last: by then, what is being exchanged for one at this moment has been.
async fn remove(db: Db<'_>, client_id: &str, now: Timestamp) -> Result<bool, Fault> {
    let own = values![client_id];
    if db.run("DELETE FROM oauth2_client WHERE client_id = $1", &own).await? == 0 {
        return Ok(false);
    }
    db.run(
        "INSERT INTO removed_client (client_id, removed_at) VALUES ($1, $2)
         ON CONFLICT (client_id) DO UPDATE SET removed_at = excluded.removed_at",
        &values![client_id, now],
    )
    .await?;
    db.run("DELETE FROM consent WHERE client_id = $1", &own).await?;
    db.run("DELETE FROM authorization_code WHERE client_id = $1 AND spent_at IS NULL", &own)
        .await?;
    db.run("DELETE FROM device_authorization WHERE client_id = $1", &own).await?;
    db.run(
        "UPDATE token_family SET revoked_at = $2 WHERE client_id = $1 AND revoked_at IS NULL",
        &values![client_id, now],
    )
    .await?;
    Ok(true)
}
