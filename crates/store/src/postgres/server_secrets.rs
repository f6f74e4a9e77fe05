//! Secrets of the server itself, and what its keys have sealed: the table `server_secret`, and the
//! sealed columns of the others.

use async_trait::async_trait;
use grantor_core::store::{Added, SealedKind, SecretStore, ServerSecret, StoreError};

use super::Postgres;
use super::fault::Fault;
use super::rows::Db;
use crate::columns::{Columns, values};
use crate::records::server_secrets::{encoded_key_id, secret};

/// Where sealed bytes are.
const SEALED: [(SealedKind, &str); 4] = [
    (
        SealedKind::SigningKey,
        "SELECT substr(sealed, 2, 8), count(*) FROM signing_key GROUP BY 1 ORDER BY 1",
    ),
    (
        SealedKind::Mail,
        "SELECT substr(sealed, 2, 8), count(*) FROM outbox_mail GROUP BY 1 ORDER BY 1",
    ),
    (
        SealedKind::ConnectSession,
        "SELECT substr(sealed, 2, 8), count(*) FROM connect_session WHERE sealed IS NOT NULL
         GROUP BY 1 ORDER BY 1",
    ),
    (
        SealedKind::ServerSecret,
        "SELECT substr(sealed, 2, 8), count(*) FROM server_secret GROUP BY 1 ORDER BY 1",
    ),
];

/// Where they are in base64url: 12 characters hold the byte for the version and the key's id.
const ENCODED: [(SealedKind, &str); 2] = [
    (
        SealedKind::ClientSecret,
        "SELECT substr(client_secret, 8, 12), count(*) FROM oauth2_client
         WHERE client_secret LIKE 'sealed:%' GROUP BY 1",
    ),
    (
        SealedKind::PendingRequest,
        "SELECT substr(parameters, 1, 12), count(*) FROM pending_request GROUP BY 1",
    ),
];

#[async_trait]
impl SecretStore for Postgres {
    async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError> {
        let all = "SELECT name, sealed FROM server_secret";
        let secrets = self.read((), move |db, ()| Box::pin(db.all(all, &[], secret))).await;
        let mut secrets = secrets?;
        // Byte by byte, which is not the order of every database.
        secrets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(secrets)
    }

    async fn add_server_secret(&self, secret: ServerSecret) -> Result<Added, StoreError> {
        self.write_one(secret, |db, secret| {
            Box::pin(async move {
                let add = "INSERT INTO server_secret (name, sealed) VALUES ($1, $2)
                           ON CONFLICT DO NOTHING";
                let added = db.run(add, &values![&secret.name, &secret.sealed]).await?;
                Ok(if added == 1 { Added::Done } else { Added::Exists })
            })
        })
        .await
    }

    async fn replace_server_secret(
        &self,
        before: &[u8],
        after: ServerSecret,
    ) -> Result<bool, StoreError> {
        self.write_one((before.to_vec(), after), |db, (before, after)| {
            Box::pin(async move {
                let replace = "UPDATE server_secret SET sealed = $3
                               WHERE name = $1 AND sealed = $2";
                Ok(db.run(replace, &values![&after.name, before, &after.sealed]).await? == 1)
            })
        })
        .await
    }

    async fn remove_server_secret(&self, name: &str) -> Result<(), StoreError> {
        self.write_one(name.to_owned(), |db, name| {
            Box::pin(async move {
                let remove = "DELETE FROM server_secret WHERE name = $1";
                db.run(remove, &values![name]).await.map(drop)
            })
        })
        .await
    }

    async fn sealed_uses(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, StoreError> {
        self.read((), |db, ()| Box::pin(sealed_uses(db))).await
    }
}

async fn sealed_uses(db: Db<'_>) -> Result<Vec<(SealedKind, [u8; 8], u64)>, Fault> {
    let mut uses = Vec::new();
    for (kind, sql) in SEALED {
        let found = db.all(sql, &[], |columns| Ok((columns.value()?, columns.value()?))).await?;
        uses.extend(found.into_iter().map(|(key_id, count)| (kind, key_id, count)));
    }
    for (kind, sql) in ENCODED {
        let read = |columns: &mut Columns<'_>| Ok((encoded_key_id(columns)?, columns.value()?));
        let mut found: Vec<([u8; 8], u64)> = db.all(sql, &[], read).await?;
        found.sort_unstable();
        uses.extend(found.into_iter().map(|(key_id, count)| (kind, key_id, count)));
    }
    Ok(uses)
}
