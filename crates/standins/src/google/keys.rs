//! Two RSA keys: what signs ID tokens, where others read the public halves, and how they change.
//! RFC 7517; RFC 7518 §3.3, §6.3.1; OpenID Connect Core 1.0 §10.1.1.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::random;

/// The keys; the first two are made when they are first needed, which takes part of a second.
#[derive(Debug, Default)]
pub(super) struct Keys(OnceLock<Mutex<Pair>>);

/// Both are published, one signs. The other is the next one, or the one before.
#[derive(Debug)]
struct Pair {
    signs: Key,
    other: Key,
}

#[derive(Debug)]
struct Key {
    id: String,
    pair: RsaKeyPair,
}

/// How the keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rotation {
    /// To the key that was published beside the old one, as Google does every few days.
    Announced,
    /// To a key that nobody has seen yet.
    Abrupt,
}

impl Keys {
    /// The key set that is published.
    pub(super) fn published(&self) -> Result<Value, Unspecified> {
        let keys = self.keys()?;
        Ok(json!({"keys": [keys.signs.public(), keys.other.public()]}))
    }

    /// A signed token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let keys = self.keys()?;
        let Key { id, pair } = &keys.signs;
        let head = json!({"alg": "RS256", "kid": id, "typ": "JWT"});
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Signs with another key from now on; the old one stays published.
    pub(super) fn rotate(&self, rotation: Rotation) -> Result<(), Unspecified> {
        let fresh = Key::new()?;
        let mut keys = self.keys()?;
        let next = match rotation {
            Rotation::Announced => std::mem::replace(&mut keys.other, fresh),
            Rotation::Abrupt => fresh,
        };
        let old = std::mem::replace(&mut keys.signs, next);
        if rotation == Rotation::Abrupt {
            keys.other = old;
        }
        Ok(())
    }

    fn keys(&self) -> Result<MutexGuard<'_, Pair>, Unspecified> {
        if self.0.get().is_none() {
            let pair = Pair { signs: Key::new()?, other: Key::new()? };
            // Somebody else may have been quicker, and then has the keys.
            let _ = self.0.set(Mutex::new(pair));
        }
        let keys = self.0.get().ok_or(Unspecified)?;
        Ok(keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Key {
    fn new() -> Result<Self, Unspecified> {
        let id = random::fingerprint(&random::text(43)) + &random::fingerprint(&random::text(43));
        Ok(Self { id, pair: RsaKeyPair::generate(KeySize::Rsa2048)? })
    }

    fn public(&self) -> Value {
        // RFC 8017 A.1.1: the public half of a key of 2048 bits always has this layout in DER: nine
        // bytes, the modulus, two bytes, and 65537.
        let der = self.pair.public_key().as_ref();
        let part = |range| BASE64_URL_SAFE_NO_PAD.encode(der.get(range).unwrap_or_default());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": part(9..265), "e": part(267..270),
        })
    }
}
