//! Dropbox: `token_access_type=offline` for a refresh token, which stays; refresh answers that say
//! neither scope nor account; calls without a body that must not be forms.
//!
//! - <https://www.dropbox.com/developers/documentation/http/documentation#authorization>
//! - <https://developers.dropbox.com/oauth-guide>
//! - <https://www.dropbox.com/developers/documentation/http/documentation#users-get_current_account>
//! - <https://www.dropbox.com/developers/documentation/http/documentation#auth-token-revoke>

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, Prefixes};
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Provider, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::{Refusal, bare, error, standard};
use crate::engine::request::{Kind, say};
use crate::http::{Answer, bearer};

const API_HOST: &str = "api.dropboxapi.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "dropbox",
    authorize: Authorize {
        at: at("www.dropbox.com", "/oauth2/authorize"),
        choices: &[
            ("token_access_type", &["online", "offline", "legacy"]),
            ("include_granted_scopes", &["user", "team"]),
        ],
        unknown_scopes: &["offline_access"],
        offline: Offline::Param("token_access_type", "offline"),
        errors: Shown::Page,
        denied: &[
            ("error", "access_denied"),
            ("error_description", "The user chose not to give your app access."),
        ],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("api.dropboxapi.com|api.dropbox.com", "/oauth2/token"),
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(14_400),
        prefixes: Prefixes { code: "", access: "sl.", refresh: "" },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "POST", API_HOST, "/2/users/get_current_account", account),
    on("revoke", "POST", API_HOST, "/2/auth/token/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let kind = ("token_type", json!("bearer"));
    match issued.grant.person {
        Some(person) if !issued.refreshed => with(
            issued,
            [
                kind,
                ("uid", json!(person.number.to_string())),
                ("account_id", json!(account_id(person))),
            ],
        ),
        Some(_) | None => with(issued, [kind, ("scope", json!(null))]),
    }
}

fn account_id(person: &'static Person) -> String {
    format!("dbid:{:0>36}", person.key)
}

/// A wrong client is told in the error code itself.
fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            bare(400, "invalid_client: Invalid client_id or client_secret")
        }
        Refusal::Refresh(_) => error(400, "invalid_grant", "refresh token is invalid or revoked"),
        Refusal::Code(_) => error(400, "invalid_grant", "code doesn't exist or has expired"),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) | Refusal::GrantType => {
            standard(refusal)
        }
        Refusal::RedirectUri | Refusal::Verifier | Refusal::Scope => standard(refusal),
    }
}

fn failed(tag: &str) -> Answer {
    let body = json!({ "error_summary": format!("{tag}/..."), "error": { ".tag": tag } });
    say(401, body)
}

fn rejected(dead: Dead) -> Answer {
    match dead {
        Dead::Expired => failed("expired_access_token"),
        Dead::Unknown | Dead::Used | Dead::Revoked => failed("invalid_access_token"),
    }
}

/// Remote calls without arguments have no body, or JSON's null; a form is not read.
fn account(scene: &mut Scene<'_>) -> Answer {
    if scene.request.kind() == Kind::Form {
        let text = "Error in call to API function \"users/get_current_account\": Bad HTTP \
                    \"Content-Type\" header";
        return Answer::text(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text);
    }
    match visitor(scene) {
        Ok((_, person)) => say(
            200,
            json!({
                "account_id": account_id(person), "email": person.email, "email_verified": true,
                "name": {
                    "given_name": person.given, "surname": person.family,
                    "display_name": person.name,
                },
            }),
        ),
        Err(dead) => rejected(dead),
    }
}

/// The token of the call ends, and the refresh token that it came from.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    match (scene.open(), bearer(&scene.request.headers)) {
        (Ok(_), Some(token)) => {
            scene.ledger.end_grant_of(token);
            say(200, json!(null))
        }
        (Ok(_), None) => rejected(Dead::Unknown),
        (Err(dead), _) => rejected(dead),
    }
}
