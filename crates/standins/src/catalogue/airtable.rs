//! Airtable: PKCE and `state` always, Basic for clients with a secret, and a refresh that ends both
//! tokens before; `refresh_expires_in` of sixty days.
//!
//! - <https://airtable.com/developers/web/api/oauth-reference>
//! - <https://airtable.com/developers/web/api/get-user-id-scopes>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::lives::{Life, Lives, ONCE, Once, Prefixes, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::request::say;
use crate::http::Answer;

const HOSTS: &str = "airtable.com|www.airtable.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "airtable",
    authorize: Authorize {
        at: at(HOSTS, "/oauth2/v1/authorize"),
        needs: &[("response_type", Some("code")), ("redirect_uri", None), ("state", None)],
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid"],
        pkce: Pkce::Required { plain: false },
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOSTS, "/oauth2/v1/token"),
        post: false,
        redirect_uri: Repeated::Always,
        answer,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        refresh: Life::Seconds(5_184_000),
        rotation: Rotation::Once(Once { ends_access: true, ..ONCE }),
        prefixes: Prefixes { code: "", access: "oaa", refresh: "oar" },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[on("identity", "GET", "api.airtable.com", "/v0/meta/whoami", whoami)];

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [("refresh_expires_in", json!(issued.refresh_expires_in()))])
}

fn whoami(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) => {
            let mut body =
                json!({ "id": format!("usr{:0>14}", person.key), "scopes": grant.scopes });
            if grant.has("user.email:read") {
                body["email"] = json!(person.email);
            }
            say(200, body)
        }
        Err(_) => {
            let error = json!({
                "type": "AUTHENTICATION_REQUIRED", "message": "Authentication required",
            });
            say(401, json!({ "error": error }))
        }
    }
}
