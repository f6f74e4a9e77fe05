//! Things of others that may be used once: the keys of `used_once`.

use grantor_core::secret::Digest;
use grantor_core::store::Once;

/// A byte for the kind, which is never given to another one, then the digest.
pub(crate) fn key(kind: Once, digest: &Digest) -> [u8; 33] {
    let mut key = [0; 33];
    key[0] = match kind {
        Once::ClientAssertion => 1,
        Once::GrantAssertion => 2,
    };
    key[1..].copy_from_slice(digest.as_bytes());
    key
}
