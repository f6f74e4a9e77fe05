//! Zoom: Basic only, scopes that belong to the app and are not asked for, a refresh token for one
//! use and ninety days, and errors with a `reason`.
//!
//! - <https://developers.zoom.us/docs/integrations/oauth/>
//! - <https://developers.zoom.us/docs/integrations/oauth-error-messages/>
//! - <https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{ended, visitor};
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, ONCE, Rotation};
use crate::engine::provider::{Authorize, Endpoint, Provider, Repeated, Scene, Token, at, on};
use crate::engine::refusal::Refusal;
use crate::engine::request::say;
use crate::http::Answer;

pub(super) const PROVIDER: Provider = Provider {
    name: "zoom",
    authorize: Authorize {
        at: at("zoom.us", "/oauth/authorize"),
        scope_in: &[],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("zoom.us", "/oauth/token"),
        post: false,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(3599),
        refresh: Life::Seconds(90 * 86_400),
        rotation: Rotation::Once(ONCE),
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", "api.zoom.us|api-eu.zoom.us", "/v2/users/me", me),
    on("revoke", "POST", "zoom.us", "/oauth/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let kind = ("token_type", json!("bearer"));
    let scope = ("scope", json!("user:read:user meeting:read:meeting"));
    let api_url = match issued.grant.vars.contains_key("host") {
        true => format!("{}/api-eu.zoom.us", issued.base),
        false => issued.base.to_owned(),
    };
    with(issued, [kind, scope, ("api_url", json!(api_url))])
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, code, reason) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            (401, "invalid_client", "Invalid client_id or client_secret")
        }
        Refusal::Refresh(_) => (400, "invalid_grant", "Invalid Token!"),
        Refusal::Code(_) | Refusal::Verifier => {
            (400, "invalid_grant", "Invalid authorization code")
        }
        Refusal::RedirectUri | Refusal::Missing("redirect_uri") => {
            (400, "invalid_request", "Redirect URI mismatch.")
        }
        Refusal::GrantType => {
            (400, "unsupported_grant_type", "Grant type is not supported from token endpoint.")
        }
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) | Refusal::Scope => {
            (400, "invalid_request", "Bad Request")
        }
    };
    say(status, json!({ "reason": reason, "error": code }))
}

fn me(scene: &mut Scene<'_>) -> Answer {
    let text = match visitor(scene) {
        Ok((_, person)) => {
            let body = json!({
                "id": person.uuid(), "first_name": person.given, "last_name": person.family,
                "display_name": person.name, "email": person.email, "type": 1, "status": "active",
                "account_id": "standin-account",
            });
            return say(200, body);
        }
        Err(Dead::Expired) => "Access token is expired.",
        Err(Dead::Unknown | Dead::Used | Dead::Revoked) => "Invalid access token.",
    };
    say(401, json!({ "code": 124, "message": text }))
}

fn revoke(scene: &mut Scene<'_>) -> Answer {
    if !scene.is_client() {
        return refuse(Refusal::NoClient);
    }
    match ended(scene) {
        true => say(200, json!({ "status": "success" })),
        false => refuse(Refusal::Refresh(Dead::Unknown)),
    }
}
