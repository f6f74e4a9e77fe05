//! GitLab, the public one or a company's own: two hours, and a refresh ends both tokens before.
//!
//! - <https://docs.gitlab.com/api/oauth2/>
//! - <https://docs.gitlab.com/integration/oauth_provider/>
//! - <https://docs.gitlab.com/api/users/#retrieve-the-current-user>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoke, userinfo, visitor};
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, ONCE, Once, Rotation};
use crate::engine::provider::{Authorize, Endpoint, Provider, Repeated, Scene, Token, at, on};
use crate::engine::refusal::{Refusal, error};
use crate::engine::request::say;
use crate::http::Answer;

const HOSTS: &str = "gitlab.com|gitlab.{domain}.{top}";

pub(super) const PROVIDER: Provider = Provider {
    name: "gitlab",
    authorize: Authorize {
        at: at(HOSTS, "/oauth/authorize"),
        unknown_scopes: &["offline_access"],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOSTS, "/oauth/token"),
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        access: Life::Seconds(7200),
        rotation: Rotation::Once(Once { ends_access: true, ..ONCE }),
        ..Lives::HOUR
    },
    api: API,
};

const ID_TOKENS: IdTokens = IdTokens {
    host: HOSTS,
    path: |_| String::new(),
    revokes: true,
    claims: |_, _, person| json!({ "sub": person.number.to_string(), "nickname": person.key }),
};

const API: &[Endpoint] = &[
    on("discovery", "GET", HOSTS, "/.well-known/openid-configuration", metadata),
    on("certs", "GET", HOSTS, "/oauth/discovery/keys", keys),
    on("identity", "GET", HOSTS, "/api/v4/user", user),
    on("userinfo", "GET", HOSTS, "/oauth/userinfo", userinfo),
    on("revoke", "POST", HOSTS, "/oauth/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [("created_at", json!(issued.now))])
}

fn refuse(refusal: Refusal) -> Answer {
    let text = match refusal.code() {
        "invalid_client" => {
            "Client authentication failed due to unknown client, no client authentication \
             included, or unsupported authentication method."
        }
        "invalid_grant" => {
            "The provided authorization grant is invalid, expired, revoked, does not match the \
             redirection URI used in the authorization request, or was issued to another client."
        }
        _ => "The request is missing a required parameter, or is otherwise malformed.",
    };
    error(refusal.status(), refusal.code(), text)
}

fn user(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) if grant.has("read_user") || grant.has("api") => say(
            200,
            json!({
                "id": person.number, "username": person.key, "name": person.name,
                "state": "active", "email": person.email,
            }),
        ),
        Ok(_) => error(403, "insufficient_scope", "The request requires higher privileges."),
        Err(Dead::Expired) => error(401, "invalid_token", "Token is expired."),
        Err(Dead::Revoked) => error(401, "invalid_token", "Token was revoked."),
        Err(Dead::Unknown | Dead::Used) => say(401, json!({ "message": "401 Unauthorized" })),
    }
}
