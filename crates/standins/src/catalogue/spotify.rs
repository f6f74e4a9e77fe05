//! Spotify: Basic only, a refresh token that stays and is not repeated, no revocation endpoint.
//!
//! - <https://developer.spotify.com/documentation/web-api/tutorials/code-flow>
//! - <https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens>
//! - <https://developer.spotify.com/documentation/web-api/reference/get-current-users-profile>
//! - <https://developer.spotify.com/documentation/web-api/concepts/api-calls>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::ledger::Dead;
use crate::engine::lives::Lives;
use crate::engine::provider::{Authorize, Endpoint, Provider, Repeated, Scene, Token, at, on};
use crate::engine::refusal::{Refusal, error, standard};
use crate::engine::request::say;
use crate::http::Answer;

pub(super) const PROVIDER: Provider = Provider {
    name: "spotify",
    authorize: Authorize {
        at: at("accounts.spotify.com", "/authorize"),
        choices: &[("show_dialog", &["true", "false"])],
        unknown_scopes: &["offline_access", "openid"],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("accounts.spotify.com", "/api/token"),
        post: false,
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives::HOUR,
    api: API,
};

const API: &[Endpoint] = &[on("identity", "GET", "api.spotify.com", "/v1/me", me)];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient => {
            error(400, "invalid_client", "Invalid client")
        }
        Refusal::WrongSecret => error(400, "invalid_client", "Invalid client secret"),
        Refusal::Code(Dead::Expired) => error(400, "invalid_grant", "Authorization code expired"),
        Refusal::Code(_) => error(400, "invalid_grant", "Invalid authorization code"),
        Refusal::Refresh(Dead::Revoked) => error(400, "invalid_grant", "Refresh token revoked"),
        Refusal::Refresh(_) => error(400, "invalid_grant", "Invalid refresh token"),
        Refusal::RedirectUri => error(400, "invalid_grant", "Invalid redirect URI"),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => standard(refusal),
        Refusal::GrantType | Refusal::Verifier | Refusal::Scope => standard(refusal),
    }
}

fn me(scene: &mut Scene<'_>) -> Answer {
    let text = match visitor(scene) {
        Ok((grant, person)) => {
            let mut body = json!({
                "id": person.key, "display_name": person.name, "type": "user",
                "uri": format!("spotify:user:{}", person.key),
            });
            if grant.has("user-read-email") {
                body["email"] = json!(person.email);
            }
            return say(200, body);
        }
        Err(Dead::Expired) => "The access token expired",
        Err(Dead::Unknown | Dead::Used | Dead::Revoked) => "Invalid access token",
    };
    say(401, json!({ "error": { "status": 401, "message": text } }))
}
