//! Before anything is opened: every key that the store needs is there and is the right one, and the
//! root of keyed digests is at hand.

use zeroize::Zeroizing;

use super::{CANARY, KeyId, KeyUse, ROOT, canary_of, place, uses};
use crate::jose::JoseError;
use crate::jose::seal::{DerivationRoot, KeyEncryptionKey, KeyRing, NONCE_BYTES};
use crate::ports::Entropy;
use crate::store::{Added, ServerSecret, Store, StoreError};

/// Why a server cannot start with its keys.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something is sealed under keys that are not configured.
    #[error("{}", missing_text(.uses, .configured))]
    Missing {
        /// What.
        uses: Vec<KeyUse>,
        /// The keys that are configured.
        configured: Vec<KeyId>,
    },
    /// A key does not open what was sealed under its name.
    #[error(
        "the key-encryption key {0} does not open what it once sealed to be recognized by: the database is damaged, or was changed by somebody. Put back a backup of it"
    )]
    WrongKey(KeyId),
    /// The root of keyed digests does not open.
    #[error(
        "the secret from which this server derives its keyed digests does not open ({0}): the database is damaged, or was changed by somebody. Put back a backup of it"
    )]
    Root(JoseError),
    /// The store is away or corrupt.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn missing_text(uses: &[KeyUse], configured: &[KeyId]) -> String {
    let mut keys: Vec<KeyId> = uses.iter().map(|own| own.key).collect();
    keys.sort();
    keys.dedup();
    let one = |key: &KeyId| {
        let own = uses.iter().filter(|own| own.key == *key).map(KeyUse::to_string);
        format!("{key} ({})", own.collect::<Vec<_>>().join(", "))
    };
    let keys = keys.iter().map(one).collect::<Vec<_>>().join(" and ");
    let configured = configured.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "the database is sealed under the key-encryption key {keys}, which is not configured; configured is {configured}. Set keys.key_encryption_key to the right key, or, if a new one is to seal from now on, add the old one to keys.retired_key_encryption_keys"
    )
}

/// Checks the keys of `ring`, leaves a canary of the one that seals, and answers the root of keyed
/// digests, which is made at the first start.
pub async fn start(
    store: &dyn Store,
    ring: &KeyRing,
    entropy: &dyn Entropy,
) -> Result<DerivationRoot, StartError> {
    let secrets = store.server_secrets().await?;
    let mut canaries = Vec::new();
    for (secret, id) in secrets.iter().filter_map(|own| Some((own, canary_of(own)?))) {
        if has(ring, id) && ring.open(&secret.sealed, &place(&secret.name)).is_err() {
            return Err(StartError::WrongKey(id));
        }
        canaries.push(id);
    }
    // Every key that has sealed anything has left a canary, unless the database is from before.
    let current = KeyId(*ring.current().id_bytes());
    let all_known = canaries.contains(&current) && canaries.iter().all(|id| has(ring, *id));
    if !all_known || has_strays(store, ring).await? {
        settle(store, ring, entropy, &canaries).await?;
    }
    match secrets.iter().find(|own| own.name == ROOT) {
        Some(root) => open_root(ring, root),
        None => make_root(store, ring, entropy).await,
    }
}

/// Whether a connection is sealed under a key that is not configured, although all canaries are of
/// keys that are: a process that did not know of it went on with a key that was retired.
async fn has_strays(store: &dyn Store, ring: &KeyRing) -> Result<bool, StartError> {
    // Nearly always there is no other key, and this is one look into an index.
    if store.data_keys_not_under(ring.current().id_bytes(), None, 1).await?.is_empty() {
        return Ok(false);
    }
    let uses = store.data_key_uses().await?;
    Ok(uses.into_iter().any(|(key, _)| !has(ring, KeyId(key))))
}

/// The slow way, over everything that is sealed: at the first start, and with another key.
async fn settle(
    store: &dyn Store,
    ring: &KeyRing,
    entropy: &dyn Entropy,
    canaries: &[KeyId],
) -> Result<(), StartError> {
    let uses = uses(store).await?;
    let missing: Vec<_> = uses.iter().filter(|own| !has(ring, own.key)).copied().collect();
    if !missing.is_empty() {
        let configured = ring.keys().map(|own| KeyId(*own.id_bytes())).collect();
        return Err(StartError::Missing { uses: missing, configured });
    }
    for (at, key) in ring.keys().enumerate() {
        let id = KeyId(*key.id_bytes());
        let used = at == 0 || uses.iter().any(|own| own.key == id);
        if used && !canaries.contains(&id) {
            let name = format!("{CANARY}{id}");
            let sealed = seal(key, entropy, b"canary", &name)?;
            store.add_server_secret(ServerSecret { name, sealed }).await?;
        }
    }
    Ok(())
}

/// Of two processes that start at once, both use the root of the one that was first.
async fn make_root(
    store: &dyn Store,
    ring: &KeyRing,
    entropy: &dyn Entropy,
) -> Result<DerivationRoot, StartError> {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(&mut *bytes);
    let sealed = seal(ring.current(), entropy, &*bytes, ROOT)?;
    let made = ServerSecret { name: ROOT.to_owned(), sealed };
    if store.add_server_secret(made).await? == Added::Done {
        return Ok(DerivationRoot::new(&bytes));
    }
    let secrets = store.server_secrets().await?;
    let root = secrets.iter().find(|own| own.name == ROOT);
    open_root(ring, root.ok_or(StartError::Root(JoseError::NotSealed))?)
}

fn open_root(ring: &KeyRing, root: &ServerSecret) -> Result<DerivationRoot, StartError> {
    let bytes = ring.open(&root.sealed, &place(ROOT)).map_err(StartError::Root)?;
    let bytes = <&[u8; 32]>::try_from(bytes.as_slice());
    bytes.map(DerivationRoot::new).map_err(|_| StartError::Root(JoseError::NotSealed))
}

fn seal(
    key: &KeyEncryptionKey,
    entropy: &dyn Entropy,
    plain: &[u8],
    name: &str,
) -> Result<Vec<u8>, StartError> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    key.seal(plain, &place(name), nonce).map_err(StartError::Root)
}

fn has(ring: &KeyRing, id: KeyId) -> bool {
    ring.keys().any(|own| *own.id_bytes() == id.0)
}
