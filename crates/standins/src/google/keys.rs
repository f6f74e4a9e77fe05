//! Two RSA keys: what signs ID tokens, where others read the public halves, and how they change.
//! RFC 7517; RFC 7518 §3.3, §6.3.1; OpenID Connect Core 1.0 §10.1.1.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::random;

/// The keys; the first two are made when they are first needed, which takes part of a second.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pair: Mutex<Option<Pair>>,
    stage: watch::Sender<Stage>,
}

/// How far the first two keys are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Unwanted,
    BeingMade,
    There,
}

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
    /// Begins to make the keys, on a thread of its own, unless somebody did so before.
    pub(crate) fn prepare(self: &Arc<Self>) {
        let begins = self.stage.send_if_modified(|stage| {
            let begins = *stage == Stage::Unwanted;
            if begins {
                *stage = Stage::BeingMade;
            }
            begins
        });
        if begins {
            let keys = self.clone();
            std::thread::spawn(move || {
                if keys.pair().is_err() {
                    tracing::error!("no key could be made");
                }
                keys.stage.send_replace(Stage::There);
            });
        }
    }

    /// Completes when nobody is making keys.
    pub(crate) async fn settled(&self) {
        let mut stage = self.stage.subscribe();
        // The sender is in the keys themselves.
        let _ = stage.wait_for(|stage| *stage != Stage::BeingMade).await;
    }

    /// The key set that is published.
    pub(crate) fn published(&self) -> Result<Value, Unspecified> {
        let pair = self.pair()?;
        let keys = pair.as_ref().ok_or(Unspecified)?;
        Ok(json!({"keys": [keys.signs.public(), keys.other.public()]}))
    }

    /// A signed token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let pair = self.pair()?;
        let Key { id, pair } = &pair.as_ref().ok_or(Unspecified)?.signs;
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
        let mut pair = self.pair()?;
        let keys = pair.as_mut().ok_or(Unspecified)?;
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

    /// The keys, made here where nobody has made them.
    fn pair(&self) -> Result<MutexGuard<'_, Option<Pair>>, Unspecified> {
        let mut pair = self.pair.lock().unwrap_or_else(PoisonError::into_inner);
        if pair.is_none() {
            *pair = Some(Pair { signs: Key::new()?, other: Key::new()? });
        }
        Ok(pair)
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
