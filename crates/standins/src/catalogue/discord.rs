//! Discord: forms only, a week for access tokens, a new refresh token each time; revoking any token
//! ends all of the authorization.
//!
//! - <https://docs.discord.com/developers/topics/oauth2>
//! - <https://docs.discord.com/developers/resources/user#get-current-user>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoked, visitor};
use crate::engine::lives::{Life, Lives, ONCE, Rotation};
use crate::engine::provider::{Authorize, Endpoint, Provider, Repeated, Scene, Token, at, on};
use crate::engine::refusal::{Refusal, bare, error, standard};
use crate::engine::request::say;
use crate::http::Answer;

const HOST: &str = "discord.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "discord",
    authorize: Authorize {
        at: at(HOST, "/oauth2/authorize|/api/oauth2/authorize"),
        choices: &[("prompt", &["consent", "none"]), ("integration_type", &["0", "1"])],
        needs_scope: true,
        unknown_scopes: &["offline_access"],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/api/oauth2/token|/api/v10/oauth2/token"),
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives { access: Life::Seconds(604_800), rotation: Rotation::Once(ONCE), ..Lives::HOUR },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", HOST, "/api/users/@me|/api/v10/users/@me", me),
    on("revoke", "POST", HOST, "/api/oauth2/token/revoke|/api/v10/oauth2/token/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [])
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            bare(401, "invalid_client")
        }
        Refusal::Code(_) => error(400, "invalid_grant", "Invalid \"code\" in request."),
        Refusal::Refresh(_) => bare(400, "invalid_grant"),
        Refusal::RedirectUri => error(400, "invalid_grant", "Invalid \"redirect_uri\" in request."),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => standard(refusal),
        Refusal::GrantType | Refusal::Verifier | Refusal::Scope => standard(refusal),
    }
}

/// The address only with the scope `email`, anything only with `identify`.
fn me(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) if grant.has("identify") => {
            let mut body = json!({
                "id": format!("80351110224678{}", person.number), "username": person.key,
                "global_name": person.name, "discriminator": "0", "avatar": null,
            });
            if grant.has("email") {
                (body["email"], body["verified"]) = (json!(person.email), json!(true));
            }
            say(200, body)
        }
        Ok(_) | Err(_) => say(401, json!({ "message": "401: Unauthorized", "code": 0 })),
    }
}

fn revoke(scene: &mut Scene<'_>) -> Answer {
    match revoked(scene) {
        Ok(_) => say(200, json!({})),
        Err(answer) => *answer,
    }
}
