//! Linear: scopes with commas, a day for access tokens, refresh tokens for one use that answer the
//! same again for half an hour, and GraphQL to ask who it is.
//!
//! - <https://linear.app/developers/oauth-2-0-authentication>
//! - <https://linear.app/developers/graphql>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::ledger::Dead;
use crate::engine::lives::{Again, Life, Lives, ONCE, Once, Prefixes, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::error;
use crate::engine::request::{nothing, say};
use crate::http::{Answer, bearer};

const HOST: &str = "api.linear.app";

pub(super) const PROVIDER: Provider = Provider {
    name: "linear",
    authorize: Authorize {
        at: at("linear.app", "/oauth/authorize"),
        choices: &[("actor", &["user", "app"]), ("prompt", &["consent"])],
        separators: ",",
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid"],
        pkce: Pkce::Optional { plain: true },
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/oauth/token"),
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(86_399),
        by_client: Some(Life::Seconds(2_591_999)),
        rotation: Rotation::Once(Once { grace: 1800, again: Again::SameTokens, ..ONCE }),
        prefixes: Prefixes { code: "", access: "lin_oauth_", refresh: "lin_refresh_" },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "POST", HOST, "/graphql", graphql),
    on("revoke", "POST", HOST, "/oauth/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

/// The one query that matters here: who the token is for.
fn graphql(scene: &mut Scene<'_>) -> Answer {
    let asked = scene.request.fields().remove("query").unwrap_or_default();
    match visitor(scene) {
        Ok((_, person)) if asked.contains("viewer") => {
            let viewer = json!({
                "id": person.uuid(), "name": person.name, "email": person.email,
                "organization": { "id": "standin", "urlKey": "stand-in", "name": "Stand-in" },
            });
            say(200, json!({ "data": { "viewer": viewer } }))
        }
        Ok(_) => say(400, json!({ "errors": [{ "message": "The stand-in knows viewer only" }] })),
        Err(_) => {
            let kind = json!({ "type": "authentication error", "code": "AUTHENTICATION_ERROR" });
            let text = "Authentication required, not authenticated";
            say(401, json!({ "errors": [{ "message": text, "extensions": kind }] }))
        }
    }
}

/// The token is the bearer token, or a parameter under its own name.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    let fields = scene.request.fields();
    let named = ["access_token", "refresh_token"].iter().find_map(|name| fields.get(*name));
    let token = named.cloned().or(bearer(&scene.request.headers).map(str::to_owned));
    match token.map(|token| scene.ledger.end_grant_of(&token)) {
        Some(true) => nothing(200),
        Some(false) => error(400, "invalid_request", "The token could not be revoked."),
        None => error(401, "invalid_token", Dead::Unknown.word()),
    }
}
