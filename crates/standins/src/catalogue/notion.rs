//! Notion: `owner=user`, no scopes, Basic and JSON at the token endpoint, tokens without an end,
//! and the person in the answer itself. A refresh answers a new token of both kinds.
//!
//! - <https://developers.notion.com/docs/authorization>
//! - <https://developers.notion.com/reference/create-a-token>, `refresh-a-token`, `revoke-token`
//! - <https://developers.notion.com/reference/get-self>
//! - <https://developers.notion.com/reference/status-codes>

use serde_json::{Value, json};

use crate::engine::answer::Issued;
use crate::engine::api::{person, revoked};
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, ONCE, Prefixes, Rotation};
use crate::engine::people::Person;
use crate::engine::provider::{Authorize, Endpoint, Pkce, Provider, Scene, Shown, Token, at, on};
use crate::engine::refusal::Refusal;
use crate::engine::request::say;
use crate::http::Answer;

pub(super) const PROVIDER: Provider = Provider {
    name: "notion",
    authorize: Authorize {
        at: at("api.notion.com", "/v1/oauth/authorize"),
        needs: &[("response_type", Some("code")), ("owner", Some("user"))],
        scope_in: &[],
        pkce: Pkce::Ignored,
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("api.notion.com", "/v1/oauth/token"),
        post: false,
        form: false,
        json: true,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Forever,
        rotation: Rotation::Once(ONCE),
        prefixes: Prefixes { code: "", access: "ntn_", refresh: "nrt_" },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", "api.notion.com", "/v1/users/me", me),
    on("revoke", "POST", "api.notion.com", "/v1/oauth/revoke", revoke),
];

const WORKSPACE: &str = "9b1f0c1e-0000-4000-8000-000000000001";
const BOT: &str = "9b1f0c1e-0000-4000-8000-000000000002";

fn answer(issued: &Issued<'_>) -> Value {
    json!({
        "access_token": issued.tokens.access,
        "token_type": "bearer",
        "refresh_token": issued.tokens.refresh,
        "bot_id": BOT,
        "workspace_icon": null,
        "workspace_name": "Stand-in",
        "workspace_id": WORKSPACE,
        "owner": { "type": "user", "user": issued.grant.person.map(user) },
        "duplicated_template_id": null,
        "request_id": "9b1f0c1e-0000-4000-8000-000000000003",
    })
}

fn user(person: &'static Person) -> Value {
    json!({
        "object": "user", "id": person.uuid(), "name": person.name, "avatar_url": null,
        "type": "person", "person": { "email": person.email },
    })
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, code) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => (401, "unauthorized"),
        Refusal::Code(_) | Refusal::Refresh(_) | Refusal::RedirectUri | Refusal::Verifier => {
            (400, "invalid_grant")
        }
        Refusal::WrongBody => (400, "invalid_json"),
        Refusal::Missing(_) | Refusal::Value(_) | Refusal::GrantType | Refusal::Scope => {
            (400, "validation_error")
        }
    };
    failed(status, code, &refusal.text())
}

fn failed(status: u16, code: &str, text: &str) -> Answer {
    let body = json!({ "object": "error", "status": status, "code": code, "message": text });
    say(status, body)
}

/// The bot, and whose it is. The version of the API has to be named.
fn me(scene: &mut Scene<'_>) -> Answer {
    if !scene.request.has("notion-version") {
        let text = "Notion-Version header failed validation: it should be defined.";
        return failed(400, "missing_version", text);
    }
    match person(scene) {
        Ok(person) => {
            let owner = json!({ "type": "user", "user": user(person) });
            let bot = json!({ "owner": owner, "workspace_name": "Stand-in" });
            let body = json!({
                "object": "user", "id": BOT, "name": "Stand-in", "type": "bot", "bot": bot,
            });
            say(200, body)
        }
        Err(Dead::Unknown | Dead::Expired | Dead::Used | Dead::Revoked) => {
            failed(401, "unauthorized", "API token is invalid.")
        }
    }
}

fn revoke(scene: &mut Scene<'_>) -> Answer {
    match revoked(scene) {
        Ok(true) => say(200, json!({ "request_id": BOT })),
        Ok(false) => failed(400, "invalid_grant", "The token is not valid."),
        Err(answer) => *answer,
    }
}
