//! Public keys: RFC 7517, RFC 7518 §6, RFC 8037 §2, and their thumbprints: RFC 7638.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use serde::{Deserialize, Serialize};

use super::{Algorithm, JoseError, decode, encode};

/// A public signature key as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    /// `kty` and the members that it brings.
    #[serde(flatten)]
    pub parameters: PublicParameters,
    /// The name of the key in its set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `sig`, when said.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The one algorithm of the key. An RSA key must name it, the others have only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<Algorithm>,
}

/// The members that make the key; numbers in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicParameters {
    /// RFC 7518 §6.3.1.
    #[serde(rename = "RSA")]
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// RFC 7518 §6.2.1.
    #[serde(rename = "EC")]
    Ec {
        /// `P-256`.
        crv: String,
        /// The first coordinate, 32 bytes.
        x: String,
        /// The second coordinate, 32 bytes.
        y: String,
    },
    /// RFC 8037 §2.
    #[serde(rename = "OKP")]
    Okp {
        /// `Ed25519`.
        crv: String,
        /// The public key, 32 bytes.
        x: String,
    },
}

impl PublicParameters {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Self {
        Self::Rsa { n: encode(n), e: encode(e) }
    }

    pub(super) fn p256(x: &[u8], y: &[u8]) -> Self {
        Self::Ec { crv: "P-256".to_owned(), x: encode(x), y: encode(y) }
    }

    pub(super) fn ed25519(x: &[u8]) -> Self {
        Self::Okp { crv: "Ed25519".to_owned(), x: encode(x) }
    }

    /// RFC 7638 §3: the SHA-256 of the required members in the order of their names. Only for
    /// checked parameters, which hold nothing that JSON would escape.
    pub(super) fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => {
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        };
        encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    fn parse(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, JoseError> {
        match (self, algorithm) {
            (Self::Rsa { n, e }, Algorithm::Rs256) => parse_rsa(n, e, &RSA_PKCS1_2048_8192_SHA256),
            (Self::Rsa { n, e }, Algorithm::Ps256) => parse_rsa(n, e, &RSA_PSS_2048_8192_SHA256),
            (Self::Ec { crv, x, y }, Algorithm::Es256) => parse_p256(crv, x, y),
            (Self::Okp { crv, x }, Algorithm::EdDsa) => parse_ed25519(crv, x),
            (Self::Rsa { .. } | Self::Ec { .. } | Self::Okp { .. }, _) => {
                Err(JoseError::KeyRejected("its alg does not belong to its kty"))
            }
        }
    }
}

/// A public key that was checked and parsed once, for one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
    pub(super) key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Checks and parses `jwk`. RSA keys need 2048 to 8192 bits and an `alg`; a key without `kid`
    /// is known by its thumbprint.
    pub fn from_jwk(jwk: &PublicJwk) -> Result<Self, JoseError> {
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(JoseError::KeyRejected("its use is not sig"));
        }
        let algorithm = match (jwk.alg, &jwk.parameters) {
            (Some(algorithm), _) => algorithm,
            (None, PublicParameters::Ec { .. }) => Algorithm::Es256,
            (None, PublicParameters::Okp { .. }) => Algorithm::EdDsa,
            // RFC 8725 §3.1: one key, one algorithm; an RSA key would do for two.
            (None, PublicParameters::Rsa { .. }) => {
                return Err(JoseError::KeyRejected("an RSA key must name its alg"));
            }
        };
        let key = jwk.parameters.parse(algorithm)?;
        let kid = jwk.kid.clone().unwrap_or_else(|| jwk.parameters.thumbprint());
        Ok(Self { algorithm, kid, key })
    }

    /// The one algorithm that the key verifies.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name of the key in its set.
    pub fn kid(&self) -> &str {
        &self.kid
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({} {})", self.algorithm, self.kid)
    }
}

fn parse_rsa(
    n: &str,
    e: &str,
    parameters: &'static RsaParameters,
) -> Result<ParsedPublicKey, JoseError> {
    let (n, e) = (number(n)?, number(e)?);
    // RFC 7518 §6.3.1.1: no leading zero bytes. §3.3 and §3.5: 2048 bits or more.
    let bits = match n.first() {
        None | Some(0) => return Err(JoseError::KeyRejected("its RSA modulus starts with zero")),
        Some(first) => n.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(8),
    };
    if !(2048..=8192).contains(&bits) {
        return Err(JoseError::KeyRejected("its RSA modulus needs 2048 to 8192 bits"));
    }
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last % 2 == 1);
    let sane = e.len() <= 4 && e.first() != Some(&0) && e != [1] && odd(&e) && odd(&n);
    if !sane {
        return Err(JoseError::KeyRejected("its RSA numbers are not those of a key"));
    }
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters)
        .map_err(|_| JoseError::KeyRejected("its RSA numbers are not those of a key"))
}

fn parse_p256(crv: &str, x: &str, y: &str) -> Result<ParsedPublicKey, JoseError> {
    if crv != "P-256" {
        return Err(JoseError::KeyRejected("its curve is not P-256"));
    }
    let mut point = Vec::with_capacity(65);
    point.push(4);
    // RFC 7518 §6.2.1.2: coordinates have the full size of the field.
    for coordinate in [number(x)?, number(y)?] {
        if coordinate.len() != 32 {
            return Err(JoseError::KeyRejected("its coordinates are not 32 bytes each"));
        }
        point.extend(coordinate);
    }
    // An invalid-curve attack ends here: the library checks that the point is on P-256.
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .map_err(|_| JoseError::KeyRejected("its point is not on P-256"))
}

fn parse_ed25519(crv: &str, x: &str) -> Result<ParsedPublicKey, JoseError> {
    if crv != "Ed25519" {
        return Err(JoseError::KeyRejected("its curve is not Ed25519"));
    }
    let x = number(x)?;
    if x.len() != 32 {
        return Err(JoseError::KeyRejected("its Ed25519 key is not 32 bytes"));
    }
    ParsedPublicKey::new(&ED25519, x)
        .map_err(|_| JoseError::KeyRejected("its Ed25519 key does not parse"))
}

fn number(text: &str) -> Result<Vec<u8>, JoseError> {
    decode(text, "").map_err(|_| JoseError::KeyRejected("a member is not base64url"))
}
