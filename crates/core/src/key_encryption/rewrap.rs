//! From one key-encryption key to the next: everything that stays is sealed anew, each value only if
//! it is still what was read, so that servers go on meanwhile and a stop loses nothing.

use serde_json::{Map, Value};

use super::{KeyId, KeyUse, canary_of, place, uses};
use crate::AuthorizationServer;
use crate::client_auth::sealed_place;
use crate::error::Failure;
use crate::id::ConnectionId;
use crate::jose::JoseError;
use crate::jose::seal::Place;
use crate::keys;
use crate::model::{Client, ClientSecret};
use crate::store::{ServerSecret, WrappedDataKey};
use crate::time::Timestamp;
use crate::vault::audit::{self, Actor};
use crate::vault::seal;

/// Data keys that are wrapped anew in one write, so that no other write waits for long.
const BATCH: u32 = 200;

/// Rows that one step of the sweep removes at most.
const SWEEP: u32 = 500;

/// What was sealed anew, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Data keys of connections.
    pub connections: u64,
    /// Private signing keys.
    pub signing_keys: u64,
    /// Client secrets that sign assertions.
    pub client_secrets: u64,
    /// Secrets of the server.
    pub server_secrets: u64,
    /// What does not open, by a name for the operator, and why.
    pub failed: Vec<String>,
    /// What other keys still seal: things that are over within the hour, what failed, and what a
    /// server that has not been restarted with the new key has sealed meanwhile.
    pub left: Vec<KeyUse>,
}

/// How many values of those that stay are under other keys.
pub async fn to_rewrap(server: &AuthorizationServer) -> Result<u64, Failure> {
    let uses = left(server).await?.into_iter();
    Ok(uses.filter(|own| !own.what.is_short_lived()).map(|own| own.count).sum())
}

/// Seals everything that stays under the present key. `progress` hears how much is done.
pub async fn rewrap(
    server: &AuthorizationServer,
    actor: &Actor,
    mut progress: impl FnMut(u64) + Send,
    now: Timestamp,
) -> Result<Rewrapped, Failure> {
    let mut done = Rewrapped::default();
    server_secrets(server, &mut done).await?;
    signing_keys(server, &mut done, now).await?;
    client_secrets(server, &mut done).await?;
    progress(done.total());
    data_keys(server, &mut done, &mut progress).await?;
    done.left = left(server).await?;
    if done.total() > 0 {
        let details = done.details();
        let key = server.ring.current().id();
        let event = audit::event(server, actor, "key.rewrapped", &key, details, now);
        server.store.append_audit(vec![event]).await?;
    }
    Ok(done)
}

impl Rewrapped {
    fn total(&self) -> u64 {
        self.connections + self.signing_keys + self.client_secrets + self.server_secrets
    }

    fn details(&self) -> Map<String, Value> {
        let counts = [
            ("connections", self.connections),
            ("signing_keys", self.signing_keys),
            ("client_secrets", self.client_secrets),
            ("server_secrets", self.server_secrets),
        ];
        counts.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
    }
}

async fn server_secrets(server: &AuthorizationServer, done: &mut Rewrapped) -> Result<(), Failure> {
    for secret in server.store.server_secrets().await? {
        let ServerSecret { name, sealed } = &secret;
        if canary_of(&secret).is_some() || server.ring.is_current(sealed) {
            continue;
        }
        match again(server, sealed, &place(name)) {
            Ok(sealed) => {
                let after = ServerSecret { name: name.clone(), sealed };
                let replaced = server.store.replace_server_secret(&secret.sealed, after).await?;
                done.server_secrets += u64::from(replaced);
            }
            Err(error) => done.failed.push(format!("server secret {name}: {error}")),
        }
    }
    Ok(())
}

async fn signing_keys(
    server: &AuthorizationServer,
    done: &mut Rewrapped,
    now: Timestamp,
) -> Result<(), Failure> {
    for key in server.store.signing_keys(now).await? {
        if server.ring.is_current(&key.sealed) {
            continue;
        }
        match again(server, &key.sealed, &keys::place(&key.kid)) {
            Ok(sealed) => {
                let store = &server.store;
                let replaced = store.reseal_signing_key(&key.kid, &key.sealed, sealed).await?;
                done.signing_keys += u64::from(replaced);
            }
            Err(error) => done.failed.push(format!("signing key {}: {error}", key.kid)),
        }
    }
    Ok(())
}

async fn client_secrets(server: &AuthorizationServer, done: &mut Rewrapped) -> Result<(), Failure> {
    for client in server.store.clients().await? {
        let Some(ClientSecret::Sealed(sealed)) = &client.secret else {
            continue;
        };
        if server.ring.is_current(sealed) {
            continue;
        }
        match again(server, sealed, &sealed_place(&client.client_id)) {
            Ok(sealed) => {
                let secret = Some(ClientSecret::Sealed(sealed));
                let after = Client { secret, ..client.clone() };
                let replaced = server.store.replace_client(&client, after).await?;
                done.client_secrets += u64::from(replaced);
            }
            Err(error) => done.failed.push(format!("client {:?}: {error}", client.client_id)),
        }
    }
    Ok(())
}

/// In the order of the connections; what another process has changed meanwhile is under its key.
async fn data_keys(
    server: &AuthorizationServer,
    done: &mut Rewrapped,
    progress: &mut (impl FnMut(u64) + Send),
) -> Result<(), Failure> {
    let current = server.ring.current().id_bytes();
    let mut after: Option<ConnectionId> = None;
    loop {
        let found = server.store.data_keys_not_under(current, after, BATCH).await?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some(last.connection);
        let wrapped = wrapped_anew(server, found, done);
        done.connections += u64::from(server.store.rewrap(wrapped).await?);
        progress(done.total());
    }
}

fn wrapped_anew(
    server: &AuthorizationServer,
    found: Vec<WrappedDataKey>,
    done: &mut Rewrapped,
) -> Vec<(WrappedDataKey, Vec<u8>)> {
    let mut wrapped = Vec::with_capacity(found.len());
    for key in found {
        match seal::rewrap(server, &key) {
            Ok(Some(again)) => wrapped.push((key, again)),
            Ok(None) => {}
            Err(error) => done.failed.push(error.to_string()),
        }
    }
    wrapped
}

fn again(
    server: &AuthorizationServer,
    sealed: &[u8],
    place: &Place<'_>,
) -> Result<Vec<u8>, JoseError> {
    server.seal(&server.ring.open(sealed, place)?, place)
}

async fn left(server: &AuthorizationServer) -> Result<Vec<KeyUse>, Failure> {
    let current = KeyId(*server.ring.current().id_bytes());
    let uses = uses(server.store.as_ref()).await?;
    Ok(uses.into_iter().filter(|own| own.key != current).collect())
}

/// What became of retiring a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retired {
    /// Nothing needs it: it can leave the settings.
    Done,
    /// This is sealed under it; nothing was changed.
    InUse(Vec<KeyUse>),
    /// It is the one that seals.
    Active,
    /// No such key is configured, and none was used.
    Unknown,
}

/// Makes sure that nothing is sealed under `key`, and forgets that it was ever used, so that a
/// server starts without it.
pub async fn retire(
    server: &AuthorizationServer,
    key: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<Retired, Failure> {
    if server.ring.current().id() == key {
        return Ok(Retired::Active);
    }
    // What has expired and was not swept yet would be counted.
    while server.store.sweep(now, SWEEP).await? > 0 {}
    let uses = uses(server.store.as_ref()).await?;
    let uses: Vec<_> = uses.into_iter().filter(|own| own.key.to_string() == key).collect();
    if !uses.is_empty() {
        return Ok(Retired::InUse(uses));
    }
    let secrets = server.store.server_secrets().await?;
    let canary =
        secrets.into_iter().find(|own| canary_of(own).is_some_and(|id| id.to_string() == key));
    let configured = server.ring.keys().any(|own| own.id() == key);
    match (canary, configured) {
        (None, false) => return Ok(Retired::Unknown),
        (None, true) => return Ok(Retired::Done),
        (Some(canary), _) => server.store.remove_server_secret(&canary.name).await?,
    }
    let event = audit::event(server, actor, "key.retired", key, Map::new(), now);
    server.store.append_audit(vec![event]).await?;
    Ok(Retired::Done)
}
