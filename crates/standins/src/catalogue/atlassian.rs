//! Atlassian: an audience and a forced consent in the authorization request, JSON at the token
//! endpoint, and 403 for a dead grant. Refresh tokens rotate and are taken again for ten minutes,
//! after which the access token of before ends too; they end after ninety days without use.
//!
//! - <https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/>
//! - <https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens/>
//! - <https://developer.atlassian.com/cloud/oauth/getting-started/making-calls-to-api/>
//! - <https://community.developer.atlassian.com/t/the-old-access-token-will-be-revoked-during-the-refresh-token-exchange/83103>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::lives::{Again, Life, Lives, Once, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::{Refusal, error};
use crate::engine::request::say;
use crate::http::Answer;

const ROTATION: Rotation = Rotation::Once(Once {
    grace: 600,
    again: Again::NewTokens,
    reuse_ends_family: false,
    ends_access: true,
});

pub(super) const PROVIDER: Provider = Provider {
    name: "atlassian",
    authorize: Authorize {
        at: at("auth.atlassian.com", "/authorize"),
        needs: &[
            ("response_type", Some("code")),
            ("redirect_uri", None),
            ("audience", Some("api.atlassian.com")),
            ("prompt", Some("consent")),
        ],
        needs_scope: true,
        pkce: Pkce::Ignored,
        offline: Offline::Scope(&["offline_access"]),
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("auth.atlassian.com", "/oauth/token"),
        basic: false,
        form: false,
        json: true,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives { refresh: Life::Seconds(90 * 86_400), rotation: ROTATION, ..Lives::HOUR },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", "api.atlassian.com", "/me", me),
    on("sites", "GET", "api.atlassian.com", "/oauth/token/accessible-resources", sites),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            error(401, "access_denied", "Unauthorized")
        }
        Refusal::Refresh(_) => error(403, "invalid_grant", "Unknown or invalid refresh token."),
        Refusal::Code(_) | Refusal::Verifier | Refusal::RedirectUri => {
            error(403, "invalid_grant", "Invalid authorization code")
        }
        Refusal::GrantType => error(403, "unsupported_grant_type", "Unsupported grant type"),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) | Refusal::Scope => {
            error(400, "invalid_request", &refusal.text())
        }
    }
}

fn me(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) if grant.has("read:me") => say(
            200,
            json!({
                "account_type": "atlassian", "account_id": format!("712020:{}", person.number),
                "email": person.email, "name": person.name, "nickname": person.key,
                "account_status": "active",
            }),
        ),
        Ok(_) => say(403, json!({ "code": 403, "message": "The app is not allowed this scope" })),
        Err(_) => say(401, json!({ "code": 401, "message": "Unauthorized" })),
    }
}

fn sites(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, _)) => say(
            200,
            json!([{
                "id": "1324a887-0000-4000-8000-000000000001", "name": "stand-in",
                "url": "https://stand-in.atlassian.net", "scopes": grant.scopes, "avatarUrl": null,
            }]),
        ),
        Err(_) => say(401, json!({ "code": 401, "message": "Unauthorized" })),
    }
}
