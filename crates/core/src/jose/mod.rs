//! Signatures and sealed secrets on aws-lc-rs: RFC 7515, 7517, 7518 §3, 7638 and 8037.
//!
//! A key knows its one algorithm; what a token says about itself chooses nothing.

mod compact;
mod json;
mod jwk;
mod jwk_set;
pub mod seal;
mod signing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

pub use compact::{
    Header, MAX_TOKEN_BYTES, MIN_HMAC_SECRET_BYTES, Peeked, Verified, VerifiedHmac, sign_compact,
    verify_compact, verify_hmac_compact,
};
pub use json::parse_object_strict;
pub use jwk::{PublicJwk, PublicParameters, VerifyingKey};
pub use jwk_set::{JwkSet, MAX_KEYS};
pub use signing::SigningKey;

/// A signature algorithm of JWS: RFC 7518 §3.1, RFC 8037 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256, the signature as r‖s.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// Every algorithm that can sign and verify.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The value of the `alg` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = JoseError;

    fn from_str(text: &str) -> Result<Self, JoseError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or_else(|| JoseError::UnsupportedAlgorithm(text.to_owned()))
    }
}

/// The value of `at_hash`, `c_hash` or `s_hash` for `value` in an ID token signed with `algorithm`:
/// the left half of its hash (OpenID Connect Core 1.0 §3.1.3.6, §3.3.2.11).
pub fn half_hash(algorithm: Algorithm, value: &str) -> String {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &SHA256,
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
        Algorithm::EdDsa => &SHA512,
    };
    let hashed = digest(hash, value.as_bytes());
    let half = hash.output_len() / 2;
    URL_SAFE_NO_PAD.encode(&hashed.as_ref()[..half])
}

/// Why a key, a token or a sealed secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// An algorithm that is not implemented.
    #[error("unsupported algorithm {0:?}: use one of RS256, PS256, ES256, EdDSA")]
    UnsupportedAlgorithm(String),
    /// A key that does not parse or is too weak.
    #[error("this key cannot be used: {0}")]
    KeyRejected(&'static str),
    /// A private key that is not the one its record names.
    #[error("the key stored as {stored} has the thumbprint {actual}: the record was mixed up")]
    KidMismatch {
        /// The kid of the record.
        stored: String,
        /// The thumbprint of the key.
        actual: String,
    },
    /// aws-lc-rs could not do its part.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
    /// JSON that cannot be written, or is refused when read.
    #[error("JSON: {0}")]
    Json(String),
    /// A token that is not a compact JWS.
    #[error("not a compact JWS: {0}")]
    Malformed(&'static str),
    /// The token needs an extension (RFC 7515 §4.1.11), and none is implemented.
    #[error("the token has critical header members (crit), and none is supported")]
    Critical,
    /// The algorithm of the token may not be used here, or not with this key.
    #[error("the algorithm {0:?} of the token is not allowed here or not the one of the key")]
    AlgorithmNotAllowed(String),
    /// No key, or more than one, fits the token.
    #[error("no key fits the token: its kid is not in the key set, or without one it is ambiguous")]
    UnknownKey,
    /// The signature is not one of the key over these bytes.
    #[error("the signature is wrong")]
    BadSignature,
    /// Bytes that this version did not seal.
    #[error("not a sealed secret of format version 1: the data is cut off or from a newer version")]
    NotSealed,
    /// Sealed under a key that is not in the ring.
    #[error(
        "sealed under another key-encryption key ({0}): set keys.key_encryption_key_file to that one, or put the key file back from a backup"
    )]
    UnknownSealingKey(String),
    /// The sealed bytes were changed, or stand in another place than they were sealed for.
    #[error("the sealed secret was changed or moved from where it was stored: restore it")]
    Tampered,
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Base64url as RFC 7515 §2 has it: no padding, no other alphabet, no loose trailing bits.
fn decode(text: &str, what: &'static str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Malformed(what))
}
