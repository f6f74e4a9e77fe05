//! Xero: Basic only, `offline_access`, half an hour for access tokens; a refresh token is for one
//! use and sixty days, and is taken again for half an hour in case the answer was lost. Errors are
//! bare.
//!
//! - <https://developer.xero.com/documentation/guides/oauth2/auth-flow/>
//! - <https://developer.xero.com/documentation/guides/oauth2/token-types/>
//! - <https://developer.xero.com/documentation/guides/oauth2/troubleshooting/>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoke, visitor};
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::lives::{Again, Life, Lives, ONCE, Once, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::{Refusal, bare};
use crate::engine::request::say;
use crate::http::Answer;

const IDENTITY: &str = "identity.xero.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "xero",
    authorize: Authorize {
        at: at("login.xero.com", "/identity/connect/authorize"),
        needs_scope: true,
        offline: Offline::Scope(&["offline_access"]),
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(IDENTITY, "/connect/token"),
        post: false,
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        code: 300,
        access: Life::Seconds(1800),
        refresh: Life::Seconds(60 * 86_400),
        rotation: Rotation::Once(Once { grace: 1800, again: Again::NewTokens, ..ONCE }),
        ..Lives::HOUR
    },
    api: API,
};

const ID_TOKENS: IdTokens = IdTokens {
    host: IDENTITY,
    path: |_| String::new(),
    revokes: true,
    claims: |_, _, person| json!({ "sub": person.uuid(), "xero_userid": person.uuid() }),
};

const API: &[Endpoint] = &[
    on("discovery", "GET", IDENTITY, "/.well-known/openid-configuration", metadata),
    on("certs", "GET", IDENTITY, "/.well-known/openid-configuration/jwks", keys),
    on("identity", "GET", "api.xero.com", "/connections", connections),
    on("userinfo", "GET", IDENTITY, "/connect/userinfo", userinfo),
    on("revoke", "POST", IDENTITY, "/connect/revocation", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

/// Wrong clients are a bad request too.
fn refuse(refusal: Refusal) -> Answer {
    bare(400, refusal.code())
}

fn no_token() -> Answer {
    let body = json!({
        "Type": null, "Title": "Unauthorized", "Status": 401,
        "Detail": "AuthenticationUnsuccessful",
    });
    say(401, body)
}

/// The organisations that the person connected.
fn connections(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((_, person)) => say(
            200,
            json!([{
                "id": "e1eede29-0000-4000-8000-000000000001", "authEventId": person.uuid(),
                "tenantId": "70784a63-0000-4000-8000-000000000001", "tenantType": "ORGANISATION",
                "tenantName": "Stand-in",
            }]),
        ),
        Err(_) => no_token(),
    }
}

fn userinfo(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) if grant.has("openid") => say(
            200,
            json!({
                "sub": person.uuid(), "xero_userid": person.uuid(), "email": person.email,
                "name": person.name, "given_name": person.given, "family_name": person.family,
            }),
        ),
        Ok(_) => bare(403, "insufficient_scope"),
        Err(_) => no_token(),
    }
}
