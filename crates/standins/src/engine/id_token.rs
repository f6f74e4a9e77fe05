//! ID tokens and what is published to check them: OpenID Connect Core §2, Discovery §3.
//!
//! They are dated by the time of day, not by the clock that can be moved: callers could not accept
//! them otherwise.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ledger::{Grant, Tokens};
use super::people::Person;
use super::provider::{Place, Scene};
use super::request::{Fields, say};
use super::serve::is_one_of;
use crate::clock::Clock;
use crate::http::Answer;

/// How long one is good for, in seconds.
const LIFETIME: i64 = 3600;

/// The ID tokens of a provider. They come with the scope `openid`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdTokens {
    /// The host of the issuer; of several, the one that was asked.
    pub(crate) host: &'static str,
    /// Its path, from the variables of the URL.
    pub(crate) path: fn(&Fields) -> String,
    /// Whether the metadata name the revocation endpoint.
    pub(crate) revokes: bool,
    /// `sub`, and claims that others do not have; from the provider's address here and the
    /// variables of the URL.
    pub(crate) claims: fn(&str, &Fields, &'static Person) -> Value,
}

impl IdTokens {
    /// The issuer for whoever asked: with its host where the request came with one.
    fn issuer(&self, scene: &Scene<'_>) -> String {
        let vars = &scene.request.vars;
        address(scene, self.host, &(self.path)(vars))
    }
}

/// An ID token beside these tokens, where the provider makes them and `openid` was granted.
pub(super) fn made(scene: &Scene<'_>, grant: &Grant, tokens: &Tokens, new: bool) -> Option<String> {
    let rules = scene.provider.id_tokens.filter(|_| grant.has("openid"))?;
    let person = grant.person?;
    let now = Clock::real();
    let hash = digest(&SHA256, tokens.access.as_bytes());
    let mut claims = json!({
        "iss": rules.issuer(scene), "aud": scene.client.id, "iat": now, "exp": now + LIFETIME,
        "at_hash": BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default()),
    });
    if grant.has("email") {
        (claims["email"], claims["email_verified"]) = (json!(person.email), json!(true));
    }
    if grant.has("profile") {
        (claims["name"], claims["given_name"], claims["family_name"]) =
            (json!(person.name), json!(person.given), json!(person.family));
    }
    if let Some(nonce) = grant.asked.get("nonce").filter(|_| new) {
        claims["nonce"] = json!(nonce);
    }
    if let Value::Object(own) = (rules.claims)(&scene.request.base, &scene.request.vars, person) {
        for (name, value) in own {
            claims[&name] = value;
        }
    }
    scene.keys.sign(&claims).ok()
}

/// The key set.
pub(crate) fn keys(scene: &mut Scene<'_>) -> Answer {
    match scene.keys.published() {
        Ok(keys) => say(200, keys),
        Err(_) => say(500, json!({ "message": "no key could be made" })),
    }
}

/// The metadata, from the table.
pub(crate) fn metadata(scene: &mut Scene<'_>) -> Answer {
    let provider = scene.provider;
    let at = |place: Place| {
        let path = place.path.split('|').next().unwrap_or_default();
        let vars = scene.request.vars.iter();
        let path = vars.fold(path.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        });
        address(scene, place.host, &path)
    };
    let mut body = json!({
        "issuer": provider.id_tokens.map(|rules| rules.issuer(scene)),
        "authorization_endpoint": at(provider.authorize.at),
        "token_endpoint": at(provider.token.at),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    });
    let revokes = provider.id_tokens.is_some_and(|rules| rules.revokes);
    let revocation = revokes.then_some(("revoke", "revocation_endpoint"));
    let named = [("userinfo", "userinfo_endpoint"), ("certs", "jwks_uri")];
    for (name, member) in named.into_iter().chain(revocation) {
        if let Some(endpoint) = provider.api.iter().find(|endpoint| endpoint.name == name) {
            body[member] = json!(at(endpoint.at));
        }
    }
    say(200, body)
}

/// An address of the provider here; with a host where the request came with one: the same, where
/// this may be at that host too.
fn address(scene: &Scene<'_>, hosts: &str, path: &str) -> String {
    let base = &scene.request.base;
    match scene.request.vars.get("host") {
        Some(asked) if is_one_of(hosts, asked) => format!("{base}/{asked}{path}"),
        Some(_) => format!("{base}/{}{path}", hosts.split('|').next().unwrap_or_default()),
        None => format!("{base}{path}"),
    }
}
