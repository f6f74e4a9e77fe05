//! The authorization server: the operator's decisions and the ports, in one place to pass around.

use std::sync::Arc;

use crate::client_auth::VerifiedSecrets;
use crate::id::Id;
use crate::jose::JoseError;
use crate::jose::seal::{DerivationRoot, HmacKey, KeyRing, NONCE_BYTES, Place};
use crate::key_sets::KeySets;
use crate::keys::Keys;
use crate::outbound::Outbound;
use crate::policy::Policy;
use crate::ports::{Clock, Entropy, PasswordHasher};
use crate::secret::{Credential, Kind};
use crate::store::Store;
use crate::vault;

/// What every decision needs.
pub struct AuthorizationServer {
    /// The operator's decisions.
    pub policy: Policy,
    /// What is remembered.
    pub store: Arc<dyn Store>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Slow hashes.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Documents of others.
    pub outbound: Arc<dyn Outbound>,
    /// Keys that seal what is stored.
    pub ring: Arc<KeyRing>,
    /// Keys that sign what is issued.
    pub keys: Keys,
    /// Keys that derive and compare.
    pub secrets: Secrets,
    /// Public keys of others.
    pub key_sets: KeySets,
    /// Chosen client secrets that were verified.
    pub verified_secrets: VerifiedSecrets,
    /// What the vault remembers in memory.
    pub vault: vault::Runtime,
}

impl AuthorizationServer {
    /// A new row id.
    pub fn new_id(&self) -> Id {
        Id::new(self.clock.as_ref(), self.entropy.as_ref())
    }

    /// A new credential; its id is that of the row to come.
    pub fn new_credential(&self, kind: Kind) -> Credential {
        Credential::new(kind, self.clock.as_ref(), self.entropy.as_ref())
    }

    /// Seals `plain` for its `place` in the store.
    pub fn seal(&self, plain: &[u8], place: &Place<'_>) -> Result<Vec<u8>, JoseError> {
        let mut nonce = [0; NONCE_BYTES];
        self.entropy.fill(&mut nonce);
        self.ring.seal(plain, place, nonce)
    }
}

/// Keys for keyed digests, one for each purpose, derived from one root.
pub struct Secrets {
    /// Derives the successor of a refresh token.
    pub refresh: HmacKey,
    /// Ties a form to a browser.
    pub csrf: HmacKey,
    /// Turns a typed admin token into what is stored.
    pub admin_token: HmacKey,
    /// Hides the family of a token that others can read.
    pub token_family: HmacKey,
    /// The pepper of API keys.
    pub api_key: HmacKey,
    /// Proves that an entry of the audit log was made here.
    pub audit: HmacKey,
    /// Tells whether a client at a provider is the one that was refused.
    pub client: HmacKey,
    /// Hides whose rate limits are counted, and is the same at every node.
    pub limits: HmacKey,
}

impl Secrets {
    /// The keys of `root`.
    pub fn of(root: &DerivationRoot) -> Self {
        Self {
            refresh: root.derive("refresh token successor"),
            csrf: root.derive("form token"),
            admin_token: root.derive("admin token"),
            token_family: root.derive("token family"),
            api_key: root.derive("api key"),
            audit: root.derive("audit entry"),
            client: root.derive("client at a provider"),
            limits: root.derive("rate limit"),
        }
    }
}
