//! Private keys: made or read once, then used from every thread.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair, RsaSignatureEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::{Algorithm, JoseError, PublicJwk, PublicParameters, VerifyingKey, encode};

/// The media types of the tokens that are signed often; their headers are made once per key.
const USUAL_TYPES: [Option<&str>; 4] = [None, Some("JWT"), Some("at+jwt"), Some("logout+jwt")];

/// A private key with its one algorithm. The library clears it from memory when it is dropped.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    kid: String,
    jwk: PublicJwk,
    verifying: VerifyingKey,
    headers: [String; USUAL_TYPES.len()],
}

enum Pair {
    Rsa(RsaKeyPair, &'static RsaSignatureEncoding),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key, from the random source of the system. RSA keys have 2048 bits.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let failed = |_| JoseError::Library("generate a key");
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                Pair::Rsa(pair, rsa_encoding(algorithm))
            }
            Algorithm::Es256 => Pair::P256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            ),
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
        };
        Self::new(algorithm, pair)
    }

    /// Reads what [`Self::to_pkcs8`] wrote. `kid` is the name it was stored under: another key
    /// than that is refused.
    pub fn from_pkcs8(algorithm: Algorithm, kid: &str, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let key = Self::import_pkcs8(algorithm, pkcs8)?;
        if key.kid != kid {
            return Err(JoseError::KidMismatch { stored: kid.to_owned(), actual: key.kid });
        }
        Ok(key)
    }

    /// Reads a private key that somebody else has made; its `kid` is its thumbprint.
    pub fn import_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, JoseError> {
        let refused = |_| JoseError::KeyRejected("it is not a PKCS #8 key of its algorithm");
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(refused)?;
                Pair::Rsa(pair, rsa_encoding(algorithm))
            }
            Algorithm::Es256 => Pair::P256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(refused)?,
            ),
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(refused)?),
        };
        Self::new(algorithm, pair)
    }

    fn new(algorithm: Algorithm, pair: Pair) -> Result<Self, JoseError> {
        let parameters = pair.public()?;
        let kid = parameters.thumbprint();
        let jwk = PublicJwk {
            parameters,
            kid: Some(kid.clone()),
            usage: Some("sig".to_owned()),
            alg: Some(algorithm),
        };
        let verifying = VerifyingKey::from_jwk(&jwk)?;
        let headers = USUAL_TYPES.map(|typ| encode_header(algorithm, typ, &kid));
        Ok(Self { algorithm, pair, kid, jwk, verifying, headers })
    }

    /// The private key as PKCS #8 (RFC 5208), to be sealed before it is stored.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        let failed = |_| JoseError::Library("write a key as PKCS #8");
        let bytes = match &self.pair {
            Pair::Rsa(pair, _) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
            Pair::P256(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The one algorithm that the key signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What is published.
    pub const fn public_jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The public half, to verify what this key has signed.
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// The first part of a token of this type, with the dot that ends it.
    pub(super) fn header(&self, typ: Option<&str>) -> Cow<'_, str> {
        match USUAL_TYPES.iter().position(|usual| *usual == typ) {
            Some(index) => Cow::Borrowed(&self.headers[index]),
            None => Cow::Owned(encode_header(self.algorithm, typ, &self.kid)),
        }
    }

    /// Bytes of a signature.
    pub(super) fn signature_len(&self) -> usize {
        match &self.pair {
            Pair::Rsa(pair, _) => pair.public_modulus_len(),
            Pair::P256(_) | Pair::Ed25519(_) => 64,
        }
    }

    /// Signs `text` as it stands and appends a dot and the signature.
    pub(super) fn append_signature(&self, text: &mut String) -> Result<(), JoseError> {
        let failed = |_| JoseError::Library("sign");
        let message = text.as_bytes();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)
                    .map_err(failed)?;
                append(text, &signature);
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                append(text, signature.as_ref());
            }
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(failed)?;
                append(text, signature.as_ref());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {}, private key not shown)", self.algorithm, self.kid)
    }
}

impl Pair {
    fn public(&self) -> Result<PublicParameters, JoseError> {
        match self {
            Self::Rsa(pair, _) => {
                let (n, e) = rsa_numbers(pair.public_key().as_ref())
                    .ok_or(JoseError::KeyRejected("its RSA public key does not parse"))?;
                Ok(PublicParameters::rsa(n, e))
            }
            Self::P256(pair) => match pair.public_key().as_ref() {
                [4, point @ ..] if point.len() == 64 => {
                    Ok(PublicParameters::p256(&point[..32], &point[32..]))
                }
                _ => Err(JoseError::KeyRejected("its public point is not uncompressed")),
            },
            Self::Ed25519(pair) => Ok(PublicParameters::ed25519(pair.public_key().as_ref())),
        }
    }
}

const fn rsa_encoding(algorithm: Algorithm) -> &'static RsaSignatureEncoding {
    match algorithm {
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => &RSA_PKCS1_SHA256,
    }
}

fn append(text: &mut String, signature: &[u8]) {
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, text);
}

/// The kid is a thumbprint and the algorithm one of ours: only `typ` can need JSON escapes.
fn encode_header(algorithm: Algorithm, typ: Option<&str>, kid: &str) -> String {
    let typ =
        typ.map_or_else(String::new, |typ| format!(r#","typ":{}"#, serde_json::Value::from(typ)));
    let mut header = encode(format!(r#"{{"alg":"{algorithm}"{typ},"kid":"{kid}"}}"#).as_bytes());
    header.push('.');
    header
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1), without leading zeros.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = der_element(0x30, der)?;
    let (n, rest) = der_element(0x02, sequence)?;
    let (e, _) = der_element(0x02, rest)?;
    Some((n.strip_prefix(&[0]).unwrap_or(n), e.strip_prefix(&[0]).unwrap_or(e)))
}

/// The content of the DER element that `der` starts with, and what follows it.
fn der_element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(first.into());
    }
    let (bytes, rest) = rest.split_at_checked((first & 0x7f).into())?;
    let length = bytes
        .iter()
        .try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(byte.into()))?;
    rest.split_at_checked(length)
}
