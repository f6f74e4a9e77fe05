//! Asana: the person beside the tokens in the answer (`data`), a refresh token that stays and that
//! refresh answers do not repeat.
//!
//! - <https://developers.asana.com/docs/oauth>
//! - <https://developers.asana.com/reference/getuser>
//! - <https://developers.asana.com/docs/errors>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoked, visitor};
use crate::engine::lives::Lives;
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::error;
use crate::engine::request::say;
use crate::http::Answer;

const HOST: &str = "app.asana.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "asana",
    authorize: Authorize {
        at: at(HOST, "/-/oauth_authorize"),
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Optional { plain: false },
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/-/oauth_token"),
        basic: false,
        redirect_uri: Repeated::Always,
        answer,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives::HOUR,
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", HOST, "/api/1.0/users/me", me),
    on("revoke", "POST", HOST, "/-/oauth_revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let data = issued.grant.person.map(|person| {
        let id = person.number;
        let name = person.name;
        json!({ "id": id, "gid": id.to_string(), "name": name, "email": person.email })
    });
    let scope = ("scope", json!(null));
    with(issued, [("token_type", json!("bearer")), scope, ("data", json!(data))])
}

fn about(person: &'static Person) -> Value {
    json!({ "data": {
        "gid": person.number.to_string(), "resource_type": "user", "name": person.name,
        "email": person.email, "workspaces": [],
    } })
}

fn me(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((_, person)) => say(200, about(person)),
        Err(_) => say(401, json!({ "errors": [{ "message": "Not Authorized" }] })),
    }
}

/// A refresh token; whether it was known does not matter. Access tokens are refused.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    let named = scene.request.fields().remove("token").unwrap_or_default();
    if scene.ledger.access_until(&named).is_some() {
        return error(400, "invalid_request", "The token is not a refresh token.");
    }
    match revoked(scene) {
        Ok(_) => say(200, json!({})),
        Err(answer) => *answer,
    }
}
