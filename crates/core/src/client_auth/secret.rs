//! Secrets that are sent: RFC 6749 §2.3.1.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Broken, Failure, Refusal};
use crate::jose::seal::{HmacKey, Place};
use crate::model::{Client, ClientSecret};
use crate::secret::Digest;
use crate::server::AuthorizationServer;

/// Whether `given` is the secret of `client`.
pub(super) async fn verify(
    server: &AuthorizationServer,
    client: &Client,
    given: &str,
) -> Result<(), Failure> {
    let right = match &client.secret {
        Some(ClientSecret::Sha256(stored)) => *stored == digest(&client.client_id, given),
        Some(ClientSecret::Argon2id(phc)) => verify_chosen(server, client, phc, given).await?,
        // A secret that signs assertions is never sent.
        Some(ClientSecret::Sealed(_)) => false,
        None => return Err(no_secret(client).into()),
    };
    if right { Ok(()) } else { Err(Refusal::ClientAuthenticationFailed {}.into()) }
}

/// What is stored of the secret of `client_id`.
pub fn digest(client_id: &str, secret: &str) -> Digest {
    Digest::of("grt_cs_", &[client_id.as_bytes(), secret.as_bytes()])
}

/// Where the sealed secret of `client_id` is stored.
pub const fn sealed_place(client_id: &str) -> Place<'_> {
    Place { table: "oauth2_client", column: "client_secret", row: client_id.as_bytes() }
}

pub(super) fn no_secret(client: &Client) -> Broken {
    Broken::Corrupt(format!("client {:?} has no secret for its method", client.client_id))
}

/// A secret that somebody chose may be short, so guessing it has to be slow. Showing the right one
/// again need not be.
async fn verify_chosen(
    server: &AuthorizationServer,
    client: &Client,
    phc: &str,
    given: &str,
) -> Result<bool, Failure> {
    let tag = server.verified_secrets.tag(client, phc, given);
    if server.verified_secrets.has(&tag) {
        return Ok(true);
    }
    let right = server.passwords.verify(given, Some(phc)).await?;
    if right {
        server.verified_secrets.remember(tag);
    }
    Ok(right)
}

/// Chosen secrets that were verified since the start, as keyed digests in memory. A digest covers
/// the stored hash too: a changed secret is another one.
pub struct VerifiedSecrets {
    key: HmacKey,
    tags: Mutex<Tags>,
}

/// Two generations: what is used stays, what is not is dropped when the younger one is full.
#[derive(Default)]
struct Tags {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

/// Secrets in a generation, 4096 in both.
const GENERATION: usize = 2_048;

impl VerifiedSecrets {
    /// Nothing yet.
    pub fn new(key: HmacKey) -> Self {
        Self { key, tags: Mutex::default() }
    }

    fn tag(&self, client: &Client, phc: &str, given: &str) -> [u8; 32] {
        self.key.tag(&[client.client_id.as_bytes(), phc.as_bytes(), given.as_bytes()])
    }

    fn has(&self, tag: &[u8; 32]) -> bool {
        let mut tags = self.lock();
        if tags.young.contains(tag) {
            return true;
        }
        let known = tags.old.contains(tag);
        if known {
            tags.insert(*tag);
        }
        known
    }

    fn remember(&self, tag: [u8; 32]) {
        self.lock().insert(tag);
    }

    fn lock(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tags {
    fn insert(&mut self, tag: [u8; 32]) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::seal::DerivationRoot;
    use crate::time::Timestamp;

    fn verified() -> VerifiedSecrets {
        VerifiedSecrets::new(DerivationRoot::new(&[1; 32]).derive("chosen client secret"))
    }

    fn client(id: &str) -> Client {
        Client::new(id, Timestamp::from_epoch(0))
    }

    #[test]
    fn a_verified_secret_is_known_for_its_client_and_hash_only() {
        let verified = verified();
        verified.remember(verified.tag(&client("a"), "hash", "secret"));
        assert!(verified.has(&verified.tag(&client("a"), "hash", "secret")));
        for (id, phc, given) in
            [("b", "hash", "secret"), ("a", "new hash", "secret"), ("a", "hash", "guess")]
        {
            assert!(!verified.has(&verified.tag(&client(id), phc, given)), "{id} {phc} {given}");
        }
    }

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let verified = verified();
        let tag = |n: usize| verified.tag(&client("a"), "hash", &n.to_string());
        for n in 0..10 * GENERATION {
            verified.remember(tag(n));
            assert!(verified.has(&tag(0)), "{n}");
        }
        assert!(!verified.has(&tag(1)));
        let tags = verified.lock();
        assert!(tags.young.len() <= GENERATION && tags.old.len() <= GENERATION);
    }
}
