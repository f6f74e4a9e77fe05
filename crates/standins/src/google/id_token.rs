//! ID tokens: OpenID Connect Core 1.0 §2, §3.1.3.6; Google, "An ID token's payload".

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::app::App;
use super::config::Person;
use super::scopes::{EMAIL, PROFILE};
use crate::clock::Clock;

/// How long an ID token is good for, in seconds.
const LIFETIME: i64 = 3600;

/// What an ID token is made of.
#[derive(Debug)]
pub(super) struct Claims<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) person: &'a Person,
    pub(super) scopes: &'a BTreeSet<String>,
    /// None in a refreshed one.
    pub(super) nonce: Option<&'a str>,
    pub(super) access_token: &'a str,
}

/// The `iss` of ID tokens: the issuer, or its host alone.
pub(super) fn issuer(app: &App) -> String {
    let alone = app.state().behaviour.issuer_without_scheme;
    let host = app.base.split_once("://").map_or(app.base.as_str(), |(_, host)| host);
    if alone { host.to_owned() } else { app.base.clone() }
}

impl Claims<'_> {
    pub(super) fn value(&self) -> Value {
        let now = Clock::real();
        let hash = digest(&SHA256, self.access_token.as_bytes());
        let half = hash.as_ref().get(..16).unwrap_or_default();
        let mut claims = json!({
            "iss": self.issuer,
            "azp": self.client_id,
            "aud": self.client_id,
            "sub": self.person.sub,
        });
        if let Some(hd) = &self.person.hd {
            claims["hd"] = hd.as_str().into();
        }
        who(self.person, self.scopes, &mut claims);
        claims["at_hash"] = BASE64_URL_SAFE_NO_PAD.encode(half).into();
        if let Some(nonce) = self.nonce {
            claims["nonce"] = nonce.into();
        }
        claims["iat"] = now.into();
        claims["exp"] = (now + LIFETIME).into();
        claims
    }
}

/// The claims that come with the scopes `email` and `profile`.
pub(super) fn who(person: &Person, scopes: &BTreeSet<String>, claims: &mut Value) {
    if scopes.contains(EMAIL) {
        claims["email"] = person.email.as_str().into();
        claims["email_verified"] = true.into();
    }
    if scopes.contains(PROFILE) {
        let (given, family) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        claims["name"] = person.name.as_str().into();
        claims["given_name"] = given.into();
        if !family.is_empty() {
            claims["family_name"] = family.into();
        }
    }
}
