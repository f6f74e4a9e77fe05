//! LinkedIn: sixty days, and for approved partners a refresh token for a year, counted from the
//! sign-in and repeated at each refresh. Credentials in the body only.
//!
//! - <https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow>
//! - <https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens>
//! - <https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2>
//! - <https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{revoke, visitor};
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::ledger::Dead;
use crate::engine::lives::{Life, Lives, Prefixes, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::{Refusal, error, standard};
use crate::engine::request::say;
use crate::http::Answer;

const HOST: &str = "www.linkedin.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "linkedin",
    authorize: Authorize {
        at: at(HOST, "/oauth/v2/authorization"),
        needs_scope: true,
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Ignored,
        denied: &[
            ("error", "user_cancelled_authorize"),
            ("error_description", "The user cancelled the authorization"),
        ],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOST, "/oauth/v2/accessToken"),
        basic: false,
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        code: 1800,
        access: Life::Seconds(60 * 86_400),
        by_client: Some(Life::Seconds(1800)),
        refresh: Life::Seconds(365 * 86_400),
        rotation: Rotation::Repeats,
        prefixes: Prefixes { code: "AQT", access: "AQX", refresh: "AQV" },
        ..Lives::HOUR
    },
    api: API,
};

const ID_TOKENS: IdTokens = IdTokens {
    host: HOST,
    path: |_| "/oauth".to_owned(),
    revokes: false,
    claims: |_, _, person| json!({ "sub": person.uuid() }),
};

const API: &[Endpoint] = &[
    on("discovery", "GET", HOST, "/oauth/.well-known/openid-configuration", metadata),
    on("certs", "GET", HOST, "/oauth/openid/jwks", keys),
    on("userinfo", "GET", "api.linkedin.com", "/v2/userinfo", userinfo),
    on("revoke", "POST", HOST, "/oauth/v2/revoke", revoke),
];

/// Granted scopes have commas between them, though they are asked for with spaces. A client that
/// asks for itself is told the time as a text.
fn answer(issued: &Issued<'_>) -> Value {
    if issued.grant.person.is_none() {
        let expires_in = issued.expires_in().unwrap_or_default().to_string();
        return json!({ "access_token": issued.tokens.access, "expires_in": expires_in });
    }
    let refresh_life = issued.refresh_expires_in();
    let scope = ("scope", json!(issued.scope(",")));
    with(issued, [scope, ("refresh_token_expires_in", json!(refresh_life))])
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            error(401, "invalid_client", "Client authentication failed")
        }
        Refusal::Code(_) | Refusal::RedirectUri | Refusal::Verifier => {
            let text = "Unable to retrieve access token: appid/redirect uri/code verifier does not \
                        match authorization code. Or authorization code expired.";
            error(400, "invalid_request", text)
        }
        Refusal::Refresh(_) => {
            let text = "The provided authorization grant or refresh token is invalid, expired or \
                        revoked.";
            error(400, "invalid_grant", text)
        }
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => standard(refusal),
        Refusal::GrantType | Refusal::Scope => standard(refusal),
    }
}

fn userinfo(scene: &mut Scene<'_>) -> Answer {
    let (status, code, text, number) = match visitor(scene) {
        Ok((grant, person)) if grant.has("openid") => {
            let mut body = json!({ "sub": person.uuid() });
            if grant.has("profile") {
                (body["name"], body["given_name"], body["family_name"]) =
                    (json!(person.name), json!(person.given), json!(person.family));
            }
            if grant.has("email") {
                (body["email"], body["email_verified"]) = (json!(person.email), json!(true));
            }
            return say(200, body);
        }
        Ok(_) => (403, "ACCESS_DENIED", "Not enough permissions to access: userinfo.GET", 100),
        Err(Dead::Expired) => {
            (401, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired", 65_602)
        }
        Err(Dead::Revoked) => {
            (401, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked", 65_601)
        }
        Err(Dead::Unknown | Dead::Used) => {
            (401, "INVALID_ACCESS_TOKEN", "Invalid access token", 65_600)
        }
    };
    let body = json!({
        "status": status, "serviceErrorCode": number, "code": code, "message": text,
    });
    say(status, body)
}
