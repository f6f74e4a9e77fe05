//! Tokens at rest: each connection has a data key of its own, wrapped by the key-encryption key;
//! values are AES-256-GCM-SIV (RFC 8452) and bound to table, column, integration, connection and
//! generation.
//!
//! A data key lives as long as a grant: a reconnect makes a new one, so that who has held the old
//! one cannot read what is granted later. A refresh keeps it: a key-encryption key may wrap 2³²
//! data keys, which connections and reconnects never reach, and refreshes of a million connections
//! would in half a year.

use zeroize::Zeroizing;

use super::data_key::{self, DataKey, Slot};
use crate::AuthorizationServer;
use crate::error::Broken;
use crate::id::{ConnectSessionId, ConnectionId};
use crate::jose::JoseError;
use crate::jose::seal::{KeyRing, Place};
use crate::model::{Connection, SealedCredential};
use crate::ports::Entropy;
use crate::store::{Held, WrappedDataKey};

/// The tokens of a connection, in memory only as long as a request needs them.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: Zeroizing<String>,
    /// `Bearer`, nearly always.
    pub token_type: String,
    /// The refresh token.
    pub refresh_token: Option<Zeroizing<String>>,
    /// The refresh token before it, for one version.
    pub previous_refresh_token: Option<Zeroizing<String>>,
    /// The ID token.
    pub id_token: Option<Zeroizing<String>>,
}

const ACCESS_TOKEN: &str = "access_token";
const REFRESH_TOKEN: &str = "refresh_token";
const PREVIOUS_REFRESH_TOKEN: &str = "previous_refresh_token";
const ID_TOKEN: &str = "id_token";

/// Seals `tokens` for `connection`, whose generation and version are those to be stored. The data
/// key is that of `before` if that is of the same generation, else a new one; either is wrapped by
/// the present key-encryption key, so that a refresh never brings a retired one back.
pub fn seal(
    server: &AuthorizationServer,
    connection: &Connection,
    tokens: &Tokens,
    before: Option<&SealedCredential>,
) -> Result<SealedCredential, Broken> {
    seal_with(&server.ring, server.entropy.as_ref(), connection, tokens, before)
        .map_err(named(connection.id))
}

/// Opens all tokens.
pub fn open(server: &AuthorizationServer, held: &Held) -> Result<Tokens, Broken> {
    open_with(&server.ring, held).map_err(named(held.connection.id))
}

/// Opens the access token alone, which is what most requests want.
pub fn open_access_token(
    server: &AuthorizationServer,
    held: &Held,
) -> Result<Zeroizing<String>, Broken> {
    access_token_with(&server.ring, held).map_err(named(held.connection.id))
}

/// A data key wrapped by the present key-encryption key; `None` when it is already.
pub fn rewrap(
    server: &AuthorizationServer,
    key: &WrappedDataKey,
) -> Result<Option<Vec<u8>>, Broken> {
    let WrappedDataKey { connection, integration, data_key } = key;
    data_key::rewrap(&server.ring, server.entropy.as_ref(), data_key, integration, *connection)
        .map_err(named(*connection))
}

/// Seals something of a connect session.
pub fn seal_session(
    server: &AuthorizationServer,
    session: ConnectSessionId,
    column: &str,
    plain: &[u8],
) -> Result<Vec<u8>, Broken> {
    Ok(server.seal(plain, &session_place(&session, column))?)
}

/// Opens what [`seal_session`] has sealed.
pub fn open_session(
    server: &AuthorizationServer,
    session: ConnectSessionId,
    column: &str,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Broken> {
    Ok(server.ring.open(sealed, &session_place(&session, column))?)
}

const fn session_place<'a>(session: &'a ConnectSessionId, column: &'a str) -> Place<'a> {
    Place { table: "connect_session", column, row: session.0.as_bytes() }
}

/// The log says whose tokens they are.
fn named(connection: ConnectionId) -> impl FnOnce(JoseError) -> Broken {
    move |error| Broken::Corrupt(format!("tokens of the connection {connection}: {error}"))
}

/// [`seal`] with the parts of the server that it needs, for whoever fills a store.
pub fn seal_with(
    ring: &KeyRing,
    entropy: &dyn Entropy,
    connection: &Connection,
    tokens: &Tokens,
    before: Option<&SealedCredential>,
) -> Result<SealedCredential, JoseError> {
    let (integration, id) = (connection.integration.as_str(), connection.id);
    let (key, data_key) = match before.filter(|own| own.generation == connection.generation) {
        Some(before) => {
            let key = DataKey::unwrap(ring, &before.data_key, integration, id)?;
            let wrapped = data_key::rewrap(ring, entropy, &before.data_key, integration, id)?;
            (key, wrapped.unwrap_or_else(|| before.data_key.clone()))
        }
        None => DataKey::make(ring, entropy, integration, id)?,
    };
    let one = |column, token: &str| key.seal(entropy, token.as_bytes(), &slot(connection, column));
    let maybe = |column, token: &Option<Zeroizing<String>>| {
        token.as_ref().map(|token| one(column, token)).transpose()
    };
    Ok(SealedCredential {
        connection: id,
        generation: connection.generation,
        version: connection.version,
        access_token: one(ACCESS_TOKEN, &tokens.access_token)?,
        token_type: tokens.token_type.clone(),
        refresh_token: maybe(REFRESH_TOKEN, &tokens.refresh_token)?,
        previous_refresh_token: maybe(PREVIOUS_REFRESH_TOKEN, &tokens.previous_refresh_token)?,
        id_token: maybe(ID_TOKEN, &tokens.id_token)?,
        data_key,
    })
}

/// [`open`] with keys alone.
pub fn open_with(ring: &KeyRing, held: &Held) -> Result<Tokens, JoseError> {
    let Held { connection, credential } = held;
    let key = unwrap(ring, held)?;
    let one = |column, sealed: &[u8]| text(key.open(sealed, &slot(connection, column))?);
    let maybe = |column, sealed: &Option<Vec<u8>>| {
        sealed.as_ref().map(|sealed| one(column, sealed)).transpose()
    };
    Ok(Tokens {
        access_token: one(ACCESS_TOKEN, &credential.access_token)?,
        token_type: credential.token_type.clone(),
        refresh_token: maybe(REFRESH_TOKEN, &credential.refresh_token)?,
        previous_refresh_token: maybe(PREVIOUS_REFRESH_TOKEN, &credential.previous_refresh_token)?,
        id_token: maybe(ID_TOKEN, &credential.id_token)?,
    })
}

fn access_token_with(ring: &KeyRing, held: &Held) -> Result<Zeroizing<String>, JoseError> {
    let key = unwrap(ring, held)?;
    text(key.open(&held.credential.access_token, &slot(&held.connection, ACCESS_TOKEN))?)
}

fn unwrap(ring: &KeyRing, held: &Held) -> Result<DataKey, JoseError> {
    let Held { connection, credential } = held;
    DataKey::unwrap(ring, &credential.data_key, &connection.integration, connection.id)
}

/// By what the connection says, not the row of the tokens: old tokens that were put back with their
/// row are of another generation.
fn slot<'a>(connection: &'a Connection, column: &'a str) -> Slot<'a> {
    Slot {
        column,
        integration: &connection.integration,
        connection: connection.id,
        generation: connection.generation,
    }
}

/// Without a copy that nobody would wipe.
fn text(mut plain: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, JoseError> {
    let text = String::from_utf8(std::mem::take(&mut *plain));
    text.map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        JoseError::NotSealed
    })
}

#[cfg(test)]
mod tests;
