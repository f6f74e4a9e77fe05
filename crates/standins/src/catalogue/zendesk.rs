//! Zendesk: everything below the customer's own host. Tokens end only where the token request asks
//! for it (`expires_in` of 300 to 172,800 seconds, `refresh_token_expires_in` of 7 to 90 days), as
//! for OAuth clients made before the defaults of 2026. A refresh ends both tokens before.
//!
//! - <https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/>
//! - <https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token>
//! - <https://developer.zendesk.com/api-reference/ticketing/oauth/oauth_tokens/>
//! - <https://support.zendesk.com/hc/en-us/articles/4408845965210>
//! - <https://support.zendesk.com/hc/en-us/articles/9182123625370>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::person;
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, ONCE, Once, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::{Refusal, error};
use crate::engine::request::{Fields, nothing, say};
use crate::http::{Answer, bearer};

const HOST: &str = "{subdomain}.zendesk.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "zendesk",
    authorize: Authorize {
        at: at(HOST, "/oauth/authorizations/new"),
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid"],
        pkce: Pkce::Optional { plain: false },
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/oauth/tokens"),
        basic: false,
        json: true,
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        check,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        code: 120,
        access: Life::Asked,
        refresh: Life::Asked,
        rotation: Rotation::Once(Once { ends_access: true, ..ONCE }),
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", HOST, "/api/v2/users/me.json", me),
    on("identity", "GET", HOST, "/api/v2/users/me", me),
    on("revoke", "DELETE", HOST, "/api/v2/oauth/tokens/current.json", end_current),
    on("revoke", "DELETE", HOST, "/api/v2/oauth/tokens/current", end_current),
];

fn check(fields: &Fields) -> Result<(), Refusal> {
    let limits =
        [("expires_in", 300..=172_800), ("refresh_token_expires_in", 7 * 86_400..=90 * 86_400)];
    for (name, range) in limits {
        let asked = fields.get(name).map(|text| text.parse::<i64>());
        if asked.is_some_and(|asked| !asked.is_ok_and(|seconds| range.contains(&seconds))) {
            return Err(Refusal::Value(name));
        }
    }
    Ok(())
}

fn answer(issued: &Issued<'_>) -> Value {
    let refresh_life = issued.refresh_expires_in();
    let kind = ("token_type", json!("bearer"));
    with(issued, [kind, ("refresh_token_expires_in", json!(refresh_life))])
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
        _ => "The request is missing a required parameter, or has one that is not supported.",
    };
    error(refusal.status(), refusal.code(), text)
}

fn no_token(_: Dead) -> Answer {
    let text = "The access token provided is expired, revoked, malformed or invalid for other \
                reasons.";
    error(401, "invalid_token", text)
}

fn me(scene: &mut Scene<'_>) -> Answer {
    match (scene.open(), person(scene)) {
        (Err(dead), _) | (_, Err(dead)) => no_token(dead),
        (Ok(grant), Ok(person)) if grant.has("read") || grant.has("users:read") => say(
            200,
            json!({ "user": {
                "id": person.number, "name": person.name, "email": person.email,
                "role": "agent", "active": true, "verified": true,
            } }),
        ),
        (Ok(_), Ok(_)) => {
            let text = "You do not have access to this resource because of its scope.";
            error(403, "Forbidden", text)
        }
    }
}

/// The token that comes with the call ends, and what belongs to it.
fn end_current(scene: &mut Scene<'_>) -> Answer {
    match (scene.open(), bearer(&scene.request.headers)) {
        (Ok(_), Some(token)) => {
            scene.ledger.end_grant_of(token);
            nothing(204)
        }
        (Err(dead), _) => no_token(dead),
        (Ok(_), None) => no_token(Dead::Unknown),
    }
}
