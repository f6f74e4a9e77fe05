//! Secrets of the server itself, and what its keys have sealed: the table `server_secret`, and the
//! sealed columns of the others.

use async_trait::async_trait;
use grantor_core::store::{Added, SealedKind, SecretStore, ServerSecret, StoreError};
use rusqlite::params;

use super::Sqlite;
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
         WHERE client_secret GLOB 'sealed:*' GROUP BY 1 ORDER BY 1",
    ),
    (
        SealedKind::PendingRequest,
        "SELECT substr(parameters, 1, 12), count(*) FROM pending_request GROUP BY 1 ORDER BY 1",
    ),
];

#[async_trait]
impl SecretStore for Sqlite {
    async fn server_secrets(&self) -> Result<Vec<ServerSecret>, StoreError> {
        let all = "SELECT name, sealed FROM server_secret ORDER BY name";
        self.read(|db| db.all(all, (), secret))
    }

    async fn add_server_secret(&self, secret: ServerSecret) -> Result<Added, StoreError> {
        self.write(move |db| {
            let added = db.run(
                "INSERT INTO server_secret (name, sealed) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![secret.name, secret.sealed],
            )?;
            Ok(if added == 1 { Added::Done } else { Added::Exists })
        })
        .await
    }

    async fn replace_server_secret(
        &self,
        before: &[u8],
        after: ServerSecret,
    ) -> Result<bool, StoreError> {
        let before = before.to_vec();
        self.write(move |db| {
            let replaced = db.run(
                "UPDATE server_secret SET sealed = ?3 WHERE name = ?1 AND sealed = ?2",
                params![after.name, before, after.sealed],
            )?;
            Ok(replaced == 1)
        })
        .await
    }

    async fn remove_server_secret(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |db| db.run("DELETE FROM server_secret WHERE name = ?1", [&name]).map(drop))
            .await
    }

    async fn sealed_uses(&self) -> Result<Vec<(SealedKind, [u8; 8], u64)>, StoreError> {
        self.read(|db| {
            let mut uses = Vec::new();
            for (kind, sql) in SEALED {
                let found = db.all(sql, (), |columns| Ok((columns.value()?, columns.value()?)))?;
                uses.extend(found.into_iter().map(|(key_id, count)| (kind, key_id, count)));
            }
            for (kind, sql) in ENCODED {
                let found =
                    db.all(sql, (), |columns| Ok((encoded_key_id(columns)?, columns.value()?)))?;
                uses.extend(found.into_iter().map(|(key_id, count)| (kind, key_id, count)));
            }
            Ok(uses)
        })
    }
}
