//! HubSpot: a scope has to be asked for, more are optional; half an hour; the refresh token stays
//! and is repeated. There are three generations of the API, `v1`, `v3` and `2026-03` and later; the
//! later ones name account and scopes in the answer, and errors have both HubSpot's words and those
//! of RFC 6749.
//!
//! - <https://developers.hubspot.com/docs/api-reference/auth-oauth-v1/guide>, `auth-oauth-v3`
//! - <https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/refresh-oauth-token>
//! - <https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses>
//! - <https://developers.hubspot.com/docs/api-reference/latest/authentication/oauth-tokens/token-introspect>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::revoked;
use crate::engine::ledger::{Dead, Grant};
use crate::engine::lives::{Life, Lives, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{Fields, nothing, say};
use crate::engine::token::read;
use crate::http::Answer;

const HOST: &str = "api.hubapi.com";
const HUB: u64 = 62_515;

pub(super) const PROVIDER: Provider = Provider {
    name: "hubspot",
    authorize: Authorize {
        at: at("app.hubspot.com|app-eu1.hubspot.com", "/oauth/authorize|/oauth/{hub}/authorize"),
        needs: &[("redirect_uri", None)],
        scope_in: &["scope", "optional_scope"],
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid"],
        pkce: Pkce::Optional { plain: false },
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/oauth/v1/token|/oauth/v3/token|/oauth/2026-03/token|/oauth/2026-09/token"),
        basic: false,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives { access: Life::Seconds(1800), rotation: Rotation::Repeats, ..Lives::HOUR },
    api: API,
};

const INTROSPECT: &str = "/oauth/{version}/token/introspect";

const API: &[Endpoint] = &[
    on("identity", "GET", HOST, "/oauth/v1/access-tokens/{token}", about),
    on("identity", "POST", HOST, INTROSPECT, introspect),
    on("revoke", "DELETE", HOST, "/oauth/v1/refresh-tokens/{token}", delete),
    on("revoke", "POST", HOST, "/oauth/{version}/token/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let mut answer = with(
        issued,
        [
            ("token_type", json!("bearer")),
            ("scope", json!(null)),
            ("hub_id", json!(HUB)),
            ("scopes", json!(issued.grant.scopes)),
        ],
    );
    if let Some(person) = issued.grant.person {
        answer["user_id"] = json!(person.number);
    }
    answer
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, text) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient => {
            ("BAD_CLIENT_ID", "missing or unknown client id")
        }
        Refusal::WrongSecret => ("BAD_CLIENT_SECRET", "missing or invalid client secret"),
        Refusal::Code(_) | Refusal::Verifier | Refusal::Missing("code") => {
            ("BAD_AUTH_CODE", "missing or unknown auth code")
        }
        Refusal::Refresh(_) | Refusal::Missing("refresh_token") => {
            ("BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked")
        }
        Refusal::RedirectUri | Refusal::Missing("redirect_uri") => {
            ("BAD_REDIRECT_URI", "missing or invalid redirect uri")
        }
        Refusal::GrantType | Refusal::Missing("grant_type") => {
            ("BAD_GRANT_TYPE", "missing or invalid grant_type")
        }
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) | Refusal::Scope => {
            ("BAD_REQUEST", "the request is not valid")
        }
    };
    let (code, description) = (refusal.code(), text);
    let body = json!({
        "error": code, "error_description": description, "status": status, "message": text,
    });
    say(400, body)
}

fn unknown(_: Dead) -> Answer {
    say(404, json!({ "status": "error", "message": "the token is expired or unknown" }))
}

fn known(scene: &Scene<'_>, token: &str, grant: &Grant) -> Value {
    let until = scene.ledger.access_until(token).unwrap_or(scene.now);
    json!({
        "token": token, "user": grant.person.map(|person| person.email),
        "user_id": grant.person.map(|person| person.number), "hub_domain": "stand-in.hubspot.com",
        "hub_id": HUB, "app_id": 1, "scopes": grant.scopes, "expires_in": until - scene.now,
        "token_type": "access",
    })
}

fn about(scene: &mut Scene<'_>) -> Answer {
    let token = scene.request.vars.get("token").map_or("", String::as_str);
    match scene.ledger.open(token, scene.now) {
        Ok(grant) => say(200, known(scene, token, &grant)),
        Err(dead) => unknown(dead),
    }
}

fn introspect(scene: &mut Scene<'_>) -> Answer {
    let fields: Fields = match read(scene) {
        Ok(fields) => fields,
        Err(refusal) => return refuse(refusal),
    };
    let token = fields.get("token").map_or("", String::as_str);
    match scene.ledger.open(token, scene.now) {
        Ok(grant) => {
            let mut body = known(scene, token, &grant);
            body["active"] = json!(true);
            body["token_use"] = json!("access_token");
            body["client_id"] = json!(scene.client.id);
            say(200, body)
        }
        Err(_) => say(200, json!({ "active": false })),
    }
}

/// The oldest way: the refresh token in the URL, and no credentials.
fn delete(scene: &mut Scene<'_>) -> Answer {
    let token = scene.request.vars.get("token").cloned().unwrap_or_default();
    match scene.ledger.is_refresh(&token) && scene.ledger.end_grant_of(&token) {
        true => nothing(204),
        false => unknown(Dead::Unknown),
    }
}

fn revoke(scene: &mut Scene<'_>) -> Answer {
    match revoked(scene) {
        Ok(_) => nothing(204),
        Err(answer) => *answer,
    }
}
