//! A signing key as it is stored.

use crate::jose::Algorithm;
use crate::time::Timestamp;

/// A private key, sealed under a key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSigningKey {
    /// The RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs.
    pub algorithm: Algorithm,
    /// PKCS #8, sealed.
    pub sealed: Vec<u8>,
    /// When it was made, and from when it is in the JWK set.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub active_from: Timestamp,
    /// When it leaves the JWK set; `None` while it is the one that signs.
    pub retires_at: Option<Timestamp>,
}
