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
use rusqlite::params;

use super::client_rows::{self, SELECT_ALL, SELECT_ONE};
use super::fault::Fault;
use super::rows::Db;
use super::{Sqlite, initial_tokens};
use crate::records::clients::client;

#[async_trait]
impl ClientStore for Sqlite {
    async fn client(&self, client_id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        match self.caches.clients.find(client_id) {
            Ok(known) => Ok(Some(known)),
            Err(missing) => {
                let found = self.read(|db| db.one(SELECT_ONE, [client_id], client))?;
                Ok(self.caches.clients.keep(client_id, found, missing))
            }
        }
    }

    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.read(|db| db.all(SELECT_ALL, (), client))
    }

    async fn add_client(&self, client: Client) -> Result<Added, StoreError> {
        self.write_cached(move |db| {
            Ok(if client_rows::insert(db, &client)? { Added::Done } else { Added::Exists })
        })
        .await
    }

    async fn register_client(
        &self,
        client: Client,
        (id, digest): (InitialTokenId, Digest),
        now: Timestamp,
    ) -> Result<Registered, StoreError> {
        self.write_cached(move |db| {
            if !initial_tokens::allows(db, (id, &digest), now)? {
                return Ok(Registered::NotAllowed);
            }
            if !client_rows::insert(db, &client)? {
                return Ok(Registered::Exists);
            }
            initial_tokens::take_use(db, id)?;
            Ok(Registered::Done)
        })
        .await
    }

    async fn import_clients(
        &self,
        clients: Vec<Client>,
        replace: bool,
    ) -> Result<Imported, StoreError> {
        self.write_cached(move |db| import(db, &clients, replace)).await
    }

    async fn replace_client(&self, before: &Client, client: Client) -> Result<bool, StoreError> {
        let before = before.clone();
        self.write_cached(move |db| Ok(is_still(db, &before)? && client_rows::update(db, &client)?))
            .await
    }

    async fn remove_client(&self, client: &Client, now: Timestamp) -> Result<bool, StoreError> {
        let client = client.clone();
        self.write_cached(move |db| {
            Ok(is_still(db, &client)? && remove(db, &client.client_id, now)?)
        })
        .await
    }

    async fn add_initial_token(&self, token: InitialToken) -> Result<(), StoreError> {
        self.write(move |db| initial_tokens::insert(db, &token)).await
    }

    async fn initial_tokens(&self) -> Result<Vec<InitialToken>, StoreError> {
        self.read(initial_tokens::list)
    }

    async fn remove_initial_token(&self, id: InitialTokenId) -> Result<bool, StoreError> {
        self.write(move |db| initial_tokens::remove(db, id)).await
    }
}

/// Whether the client is as it was read. In the one writer, so it stays so until the write.
fn is_still(db: &Db<'_>, before: &Client) -> Result<bool, Fault> {
    let there = db.one(SELECT_ONE, [&before.client_id], client)?;
    Ok(there.as_ref() == Some(before))
}

fn import(db: &Db<'_>, clients: &[Client], replace: bool) -> Result<Imported, Fault> {
    // Looked at before anything is written: what is written here stays.
    let mut named = HashSet::new();
    for (place, client) in clients.iter().enumerate() {
        let there = "SELECT 1 FROM oauth2_client WHERE client_id = ?1";
        let taken = !replace && db.one(there, [&client.client_id], |_| Ok(()))?.is_some();
        if taken || !named.insert(&client.client_id) {
            return Ok(Imported::Exists(place));
        }
    }
    for client in clients {
        if !client_rows::update(db, client)? {
            client_rows::insert(db, client)?;
        }
    }
    Ok(Imported::Done)
}

fn remove(db: &Db<'_>, client_id: &str, now: Timestamp) -> Result<bool, Fault> {
    if db.run("DELETE FROM oauth2_client WHERE client_id = ?1", [client_id])? == 0 {
        return Ok(false);
    }
    db.run(
        "INSERT OR REPLACE INTO removed_client (client_id, removed_at) VALUES (?1, ?2)",
        params![client_id, now.epoch()],
    )?;
    db.run("DELETE FROM consent WHERE client_id = ?1", [client_id])?;
    db.run(
        "DELETE FROM authorization_code WHERE client_id = ?1 AND spent_at IS NULL",
        [client_id],
    )?;
    db.run("DELETE FROM device_authorization WHERE client_id = ?1", [client_id])?;
    db.run(
        "UPDATE token_family SET revoked_at = ?2 WHERE client_id = ?1 AND revoked_at IS NULL",
        params![client_id, now.epoch()],
    )?;
    Ok(true)
}
