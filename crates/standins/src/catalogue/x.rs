//! X: PKCE always, Basic only (for apps with a secret), codes for thirty seconds, `offline.access`
//! for a refresh token, which is good for one use, and dead tokens as `invalid_request`.
//!
//! - <https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code>
//! - <https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token>
//! - <https://docs.x.com/x-api/users/get-my-user>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoked, visitor};
use crate::engine::lives::{Life, Lives, ONCE, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::{Refusal, error, standard};
use crate::engine::request::say;
use crate::http::Answer;

const API_HOSTS: &str = "api.x.com|api.twitter.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "x",
    authorize: Authorize {
        at: at("x.com|twitter.com", "/i/oauth2/authorize"),
        needs: &[
            ("response_type", Some("code")),
            ("redirect_uri", None),
            ("state", None),
            ("code_challenge_method", None),
        ],
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid", "email"],
        pkce: Pkce::Required { plain: true },
        offline: Offline::Scope(&["offline.access"]),
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(API_HOSTS, "/2/oauth2/token"),
        post: false,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        code: 30,
        access: Life::Seconds(7200),
        rotation: Rotation::Once(ONCE),
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", API_HOSTS, "/2/users/me", me),
    on("revoke", "POST", API_HOSTS, "/2/oauth2/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [("token_type", json!("bearer"))])
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            error(401, "unauthorized_client", "Missing valid authorization header")
        }
        Refusal::Refresh(_) => {
            error(400, "invalid_request", "Value passed for the token was invalid.")
        }
        Refusal::Code(_) => {
            error(400, "invalid_request", "Value passed for the authorization code was invalid.")
        }
        Refusal::RedirectUri => error(
            400,
            "invalid_request",
            "Value passed for the redirect uri did not match the uri \
                of the authorization code.",
        ),
        Refusal::Verifier => error(
            400,
            "invalid_request",
            "Value passed for the code verifier did not match the \
                code challenge.",
        ),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => standard(refusal),
        Refusal::GrantType | Refusal::Scope => standard(refusal),
    }
}

fn me(scene: &mut Scene<'_>) -> Answer {
    let (status, title) = match visitor(scene) {
        Ok((grant, person)) if grant.has("users.read") && grant.has("tweet.read") => {
            let id = person.number.to_string();
            let data = json!({ "id": id, "name": person.name, "username": person.key });
            return say(200, json!({ "data": data }));
        }
        Ok(_) => (403, "Forbidden"),
        Err(_) => (401, "Unauthorized"),
    };
    say(status, json!({ "title": title, "type": "about:blank", "status": status, "detail": title }))
}

fn revoke(scene: &mut Scene<'_>) -> Answer {
    match revoked(scene) {
        Ok(_) => say(200, json!({ "revoked": true })),
        Err(answer) => *answer,
    }
}
