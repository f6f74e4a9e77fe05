//! Key-encryption keys in use: what is sealed under which, a start that fails early when one is
//! missing, and the way from one to the next.
//!
//! One key seals, others only open. [`rewrap`] moves everything that stays to the one that seals,
//! while servers run; what is over within the hour (mails, pending requests, connect sessions) is
//! waited out. [`retire`] then makes sure that nothing needs a key any more.

mod rewrap;
mod start;

use std::fmt;

pub use rewrap::{Retired, Rewrapped, retire, rewrap, to_rewrap};
pub use start::{StartError, start};

use crate::error::Failure;
use crate::jose::seal::{KEY_ID_BYTES, KeyRing, Place, hex, key_id};
use crate::store::{SealedKind, ServerSecret, Store, StoreError};

/// The name of a key-encryption key in what it seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; KEY_ID_BYTES]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// What is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sealed {
    /// The data key of a connection.
    Connection,
    /// Anything else.
    Other(SealedKind),
}

impl Sealed {
    /// In words, in the plural.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::Other(SealedKind::SigningKey) => "signing keys",
            Self::Other(SealedKind::ClientSecret) => "client secrets",
            Self::Other(SealedKind::Mail) => "mails",
            Self::Other(SealedKind::PendingRequest) => "pending requests",
            Self::Other(SealedKind::ConnectSession) => "connect sessions",
            Self::Other(SealedKind::ServerSecret) => "server secrets",
        }
    }

    /// Whether it is over by itself within the hour.
    pub const fn is_short_lived(self) -> bool {
        match self {
            Self::Other(
                SealedKind::Mail | SealedKind::PendingRequest | SealedKind::ConnectSession,
            ) => true,
            Self::Connection
            | Self::Other(
                SealedKind::SigningKey | SealedKind::ClientSecret | SealedKind::ServerSecret,
            ) => false,
        }
    }
}

/// How much is sealed under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub key: KeyId,
    /// What.
    pub what: Sealed,
    /// How many.
    pub count: u64,
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let things = self.what.plural();
        match self.count {
            1 => write!(f, "1 {}", things.trim_end_matches('s')),
            count => write!(f, "{count} {things}"),
        }
    }
}

/// A key-encryption key, as far as the store and the settings know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The key.
    pub key: KeyId,
    /// What it does.
    pub state: KeyState,
    /// What is sealed under it.
    pub uses: Vec<KeyUse>,
}

/// What a key-encryption key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It seals, and opens.
    Active,
    /// It opens.
    Opens,
    /// It is not configured, and was used.
    Missing,
}

/// All keys that are configured or were used, the one that seals first.
pub async fn status(store: &dyn Store, ring: &KeyRing) -> Result<Vec<KeyStatus>, Failure> {
    let mut uses = uses(store).await?;
    let mut keys: Vec<_> = ring.keys().map(|own| KeyId(*own.id_bytes())).collect();
    let configured = keys.len();
    let secrets = store.server_secrets().await?;
    keys.extend(secrets.iter().filter_map(canary_of));
    keys.extend(uses.iter().map(|own| own.key));
    let mut seen = Vec::new();
    for (at, key) in keys.into_iter().enumerate() {
        if seen.iter().any(|own: &KeyStatus| own.key == key) {
            continue;
        }
        let state = match at {
            0 => KeyState::Active,
            at if at < configured => KeyState::Opens,
            _ => KeyState::Missing,
        };
        let uses = uses.extract_if(.., |own| own.key == key).collect();
        seen.push(KeyStatus { key, state, uses });
    }
    Ok(seen)
}

/// What is sealed under which key, but for canaries.
async fn uses(store: &dyn Store) -> Result<Vec<KeyUse>, StoreError> {
    let connections = store.data_key_uses().await?.into_iter();
    let connections =
        connections.map(|(key, count)| KeyUse { key: KeyId(key), what: Sealed::Connection, count });
    let others = store.sealed_uses().await?.into_iter();
    // Canaries are among the server's secrets, so these are counted here.
    let others = others.filter(|(kind, ..)| *kind != SealedKind::ServerSecret);
    let others = others.map(|(kind, key, count)| {
        let what = Sealed::Other(kind);
        KeyUse { key: KeyId(key), what, count }
    });
    let secrets = store.server_secrets().await?;
    let secrets = secrets.iter().filter(|own| canary_of(own).is_none()).filter_map(|own| {
        let what = Sealed::Other(SealedKind::ServerSecret);
        key_id(&own.sealed).map(|key| KeyUse { key: KeyId(key), what, count: 1 })
    });
    Ok(connections.chain(others).chain(secrets).collect())
}

/// The secret that keyed digests are derived from.
const ROOT: &str = "derivation root";

/// Before the id of the key that has sealed it.
const CANARY: &str = "canary ";

/// The key whose canary this is.
fn canary_of(secret: &ServerSecret) -> Option<KeyId> {
    let id = secret.name.strip_prefix(CANARY)?;
    let digits = (0..KEY_ID_BYTES).map(|n| id.get(2 * n..2 * n + 2));
    let bytes = digits.map(|two| u8::from_str_radix(two?, 16).ok()).collect::<Option<Vec<u8>>>()?;
    (id.len() == 2 * KEY_ID_BYTES).then_some(())?;
    bytes.try_into().ok().map(KeyId)
}

const fn place(name: &str) -> Place<'_> {
    Place { table: "server_secret", column: "sealed", row: name.as_bytes() }
}
