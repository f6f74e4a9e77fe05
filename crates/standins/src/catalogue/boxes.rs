//! Box: credentials in the body only, a code for thirty seconds, refresh tokens for one use and
//! sixty days, and no scope in answers.
//!
//! - <https://developer.box.com/reference/get-authorize/>
//! - <https://developer.box.com/reference/post-oauth2-token/>, `post-oauth2-token--refresh`
//! - <https://developer.box.com/reference/post-oauth2-revoke/>
//! - <https://developer.box.com/reference/get-users-me/>
//! - <https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors/>

use axum::http::header;
use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoke, visitor};
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, ONCE, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::{Refusal, error};
use crate::engine::request::{nothing, say};
use crate::http::Answer;

pub(super) const PROVIDER: Provider = Provider {
    name: "box",
    authorize: Authorize {
        at: at("account.box.com", "/api/oauth2/authorize"),
        needs: &[("response_type", Some("code"))],
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Ignored,
        denied: &[
            ("error", "access_denied"),
            ("error_description", "The user denied access to your application"),
        ],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("api.box.com", "/oauth2/token"),
        basic: false,
        redirect_uri: Repeated::Optional,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        code: 30,
        refresh: Life::Seconds(60 * 86_400),
        rotation: Rotation::Once(ONCE),
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", "api.box.com", "/2.0/users/me", me),
    on("revoke", "POST", "api.box.com", "/oauth2/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let kind = ("token_type", json!("bearer"));
    with(issued, [kind, ("scope", json!(null)), ("restricted_to", json!([]))])
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, code, text) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            (400, "invalid_client", "The client credentials are invalid")
        }
        Refusal::Refresh(Dead::Expired | Dead::Used) => {
            (400, "invalid_grant", "Refresh token has expired")
        }
        Refusal::Refresh(Dead::Unknown | Dead::Revoked) => {
            (400, "invalid_grant", "Invalid refresh token")
        }
        Refusal::Code(Dead::Expired) => {
            (400, "invalid_grant", "The authorization code has expired")
        }
        Refusal::Code(_) => (400, "invalid_grant", "Auth code doesn't exist or is invalid"),
        Refusal::RedirectUri => {
            (400, "redirect_uri_mismatch", "The redirect URI does not match the configured one")
        }
        Refusal::GrantType => {
            (400, "unsupported_grant_type", "Invalid grant_type parameter or parameter missing")
        }
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => {
            (400, "invalid_request", "Invalid or missing parameter")
        }
        Refusal::Verifier | Refusal::Scope => (400, "invalid_scope", "Invalid scope"),
    };
    error(status, code, text)
}

/// An unauthorized answer has no body.
fn me(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((_, person)) => say(
            200,
            json!({
                "type": "user", "id": person.number.to_string(), "name": person.name,
                "login": person.email, "status": "active",
            }),
        ),
        Err(_) => {
            let said = "Bearer realm=\"Service\", error=\"invalid_token\", error_description=\"The \
                        access token provided is invalid.\"";
            nothing(401).with(header::WWW_AUTHENTICATE, said)
        }
    }
}
