//! Signing keys: made at first start, sealed at rest, rotated with overlap.
//!
//! A new key is published before it signs, so that every verifier that reads the JWK set from time
//! to time knows it; an old one stays published until the last token it signed has expired.

use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{Broken, Failure};
use crate::jose::seal::Place;
use crate::jose::{Algorithm, PublicJwk, SigningKey};
use crate::model::SealedSigningKey;
use crate::policy::Policy;
use crate::server::AuthorizationServer;
use crate::store::RotationOutcome;
use crate::time::{Seconds, Timestamp};

/// The keys of this process, shared by all requests.
#[derive(Default)]
pub struct Keys(RwLock<Arc<KeySet>>);

/// The keys that are in the JWK set at one moment.
#[derive(Default)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
}

/// A key of the set.
pub struct PublishedKey {
    /// Signs, and verifies.
    pub key: SigningKey,
    /// When it was published.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When it leaves the set.
    pub retires_at: Option<Timestamp>,
}

impl Keys {
    /// The present set.
    pub fn current(&self) -> Arc<KeySet> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, set: KeySet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }
}

impl KeySet {
    /// The key that signs with `algorithm` at `now`: of those that are active, the newest.
    pub fn signing(&self, algorithm: Algorithm, now: Timestamp) -> Result<&SigningKey, Broken> {
        let of_algorithm = self.published(now).filter(|own| own.key.algorithm() == algorithm);
        let newest =
            of_algorithm.filter(|own| own.active_from <= now).max_by_key(|own| own.active_from);
        newest.map(|own| &own.key).ok_or(Broken::NoSigningKey(algorithm.as_str()))
    }

    /// The keys in the set at `now`, oldest first.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &PublishedKey> {
        self.keys.iter().filter(move |own| own.retires_at.is_none_or(|end| now < end))
    }

    /// The JWK set: RFC 7517 §5.
    pub fn jwks(&self, now: Timestamp) -> Vec<&PublicJwk> {
        self.published(now).map(|own| own.key.public_jwk()).collect()
    }
}

/// Reads the keys from the store, and makes one for each algorithm that has none. Called at start.
pub async fn ensure(server: &AuthorizationServer, now: Timestamp) -> Result<(), Failure> {
    reload(server, now).await?;
    let missing: Vec<_> = {
        let set = server.keys.current();
        let has = |algorithm| set.keys.iter().any(|own| own.key.algorithm() == algorithm);
        server.policy.keys.algorithms.iter().copied().filter(|own| !has(*own)).collect()
    };
    for algorithm in missing {
        add(server, algorithm, now, now).await?;
    }
    reload(server, now).await
}

/// Reads the keys again, to learn what another process has rotated.
pub async fn reload(server: &AuthorizationServer, now: Timestamp) -> Result<(), Failure> {
    let rows = server.store.signing_keys(now).await?;
    let known = server.keys.current();
    let same = rows.len() == known.keys.len()
        && rows
            .iter()
            .zip(&known.keys)
            .all(|(row, own)| row.kid == own.key.kid() && row.retires_at == own.retires_at);
    if same {
        return Ok(());
    }
    let keys = rows.iter().map(|row| open(server, row)).collect::<Result<_, _>>()?;
    server.keys.replace(KeySet { keys });
    Ok(())
}

/// Publishes a new key for `algorithm` that signs after a while; the old one leaves the set when
/// nothing that it signed can be valid any more. Answers the new key's id; `None` when another
/// process has just done the same.
pub async fn rotate(
    server: &AuthorizationServer,
    algorithm: Algorithm,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    reload(server, now).await?;
    let kid = add(server, algorithm, now, now.plus(server.policy.keys.publish_ahead)).await?;
    reload(server, now).await?;
    Ok(kid)
}

/// Rotates each key that has signed for longer than the policy says. Answers what was rotated.
pub async fn rotate_due(
    server: &AuthorizationServer,
    now: Timestamp,
) -> Result<Vec<Algorithm>, Failure> {
    let set = server.keys.current();
    let due: Vec<_> = server
        .policy
        .keys
        .algorithms
        .iter()
        .copied()
        .filter(|algorithm| {
            let newest = set.keys.iter().filter(|own| own.key.algorithm() == *algorithm);
            let newest = newest.max_by_key(|own| own.active_from);
            newest.is_some_and(|own| own.active_from.plus(server.policy.keys.rotate_after) <= now)
        })
        .collect();
    for algorithm in &due {
        rotate(server, *algorithm, now).await?;
    }
    Ok(due)
}

async fn add(
    server: &AuthorizationServer,
    algorithm: Algorithm,
    now: Timestamp,
    active_from: Timestamp,
) -> Result<Option<String>, Failure> {
    let set = server.keys.current();
    let newest = set.keys.iter().filter(|own| own.key.algorithm() == algorithm);
    let newest = newest.max_by_key(|own| own.active_from).map(|own| own.key.kid().to_owned());
    let key = SigningKey::generate(algorithm)?;
    let pkcs8 = key.to_pkcs8()?;
    let sealed = server.seal(&pkcs8, &place(key.kid()))?;
    let row = SealedSigningKey {
        kid: key.kid().to_owned(),
        algorithm,
        sealed,
        created_at: now,
        active_from,
        retires_at: None,
    };
    let end = active_from.plus(longest_published(&server.policy));
    match server.store.add_signing_key(row, newest.as_deref(), end).await? {
        RotationOutcome::Done => Ok(Some(key.kid().to_owned())),
        RotationOutcome::Raced => Ok(None),
    }
}

/// How long something signed may live at most: as long as the server says, or a day where a client
/// says otherwise.
pub(crate) fn longest_signed(policy: &Policy) -> Seconds {
    policy.lifetimes.id_token.max(policy.lifetimes.access_token).max(Seconds::days(1))
}

/// How long a key that signs no more is published: until the last that it signed has expired, and a
/// day more for hints.
fn longest_published(policy: &Policy) -> Seconds {
    Seconds(longest_signed(policy).0.saturating_add(86_400))
}

fn open(server: &AuthorizationServer, row: &SealedSigningKey) -> Result<PublishedKey, Failure> {
    let pkcs8 = server.ring.open(&row.sealed, &place(&row.kid))?;
    let key = SigningKey::from_pkcs8(row.algorithm, &row.kid, &pkcs8)?;
    Ok(PublishedKey {
        key,
        created_at: row.created_at,
        active_from: row.active_from,
        retires_at: row.retires_at,
    })
}

pub(crate) const fn place(kid: &str) -> Place<'_> {
    Place { table: "signing_key", column: "sealed", row: kid.as_bytes() }
}
