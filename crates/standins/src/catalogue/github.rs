//! GitHub, OAuth apps: tokens that never end, answers that are forms unless JSON is asked for, and
//! errors with the status 200.
//!
//! - <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>
//! - <https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors>
//! - <https://docs.github.com/en/rest/apps/oauth-applications>
//! - <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>

use axum::http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use crate::engine::answer::Issued;
use crate::engine::api::person;
use crate::engine::ledger::{Dead, Grant};
use crate::engine::lives::{Life, Lives, Prefixes};
use crate::engine::people::Person;
use crate::engine::provider::{
    AsForm, Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{nothing, say};
use crate::http::Answer;

pub(super) const PROVIDER: Provider = Provider {
    name: "github",
    authorize: AUTHORIZE,
    token: TOKEN,
    id_tokens: None,
    lives: Lives {
        access: Life::Forever,
        most: Some(10),
        prefixes: Prefixes { code: "", access: "gho_", refresh: "" },
        ..Lives::HOUR
    },
    api: API,
};

/// `response_type` is not looked at, and the redirect URI may be left out.
pub(super) const AUTHORIZE: Authorize = Authorize {
    at: at("github.com", "/login/oauth/authorize"),
    needs: &[],
    unknown_scopes: &["offline_access", "openid", "email", "profile"],
    drops_unknown: true,
    pkce: Pkce::Optional { plain: false },
    offline: Offline::Never,
    denied: &[
        ("error", "access_denied"),
        ("error_description", "The user has denied your application access."),
    ],
    ..Authorize::PLAIN
};

pub(super) const TOKEN: Token = Token {
    at: at("github.com", "/login/oauth/access_token"),
    basic: false,
    json: true,
    query: true,
    grants: &["authorization_code"],
    code_by_default: true,
    redirect_uri: Repeated::Optional,
    answer,
    refuse,
    as_form: AsForm::UnlessJsonIsAskedFor,
    errors_are_200: true,
    ..Token::PLAIN
};

pub(super) const API: &[Endpoint] = &[
    on("identity", "GET", "api.github.com", "/user", user),
    on("emails", "GET", "api.github.com", "/user/emails", emails),
    on("revoke", "DELETE", "api.github.com", "/applications/{client_id}/grant", end_grant),
    on("revoke", "DELETE", "api.github.com", "/applications/{client_id}/token", end_token),
];

fn answer(issued: &Issued<'_>) -> Value {
    let scope = issued.scope(",");
    json!({ "access_token": issued.tokens.access, "scope": scope, "token_type": "bearer" })
}

fn refuse(refusal: Refusal) -> Answer {
    let (code, text) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => (
            "incorrect_client_credentials",
            "The client_id and/or client_secret passed are incorrect.",
        ),
        Refusal::RedirectUri => (
            "redirect_uri_mismatch",
            "The redirect_uri MUST match the registered callback URL for this application.",
        ),
        Refusal::Refresh(_) | Refusal::Missing("refresh_token") => {
            ("bad_refresh_token", "The refresh token passed is incorrect or expired.")
        }
        Refusal::GrantType => ("unsupported_grant_type", "The grant_type is not supported."),
        Refusal::Code(_) | Refusal::Verifier | Refusal::Missing(_) | Refusal::WrongBody => {
            ("bad_verification_code", "The code passed is incorrect or expired.")
        }
        Refusal::Value(_) | Refusal::Scope => ("invalid_request", "The request is invalid."),
    };
    let more = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps";
    say(200, json!({ "error": code, "error_description": text, "error_uri": more }))
}

/// Every call needs a `User-Agent`.
fn visitor(scene: &Scene<'_>) -> Result<(Grant, &'static Person), Box<Answer>> {
    if !scene.request.has("user-agent") {
        let text = "Request forbidden by administrative rules. Please make sure your request has \
                    a User-Agent header";
        return Err(Box::new(Answer::text(StatusCode::FORBIDDEN, "text/plain", text)));
    }
    let bad = |_: Dead| Box::new(message(401, "Bad credentials"));
    Ok((scene.open().map_err(bad)?, person(scene).map_err(bad)?))
}

fn message(status: u16, text: &str) -> Answer {
    let docs = "https://docs.github.com/rest";
    let body = json!({ "message": text, "documentation_url": docs, "status": status.to_string() });
    say(status, body)
}

/// The public profile, in which the address is null unless the person made it public.
fn user(scene: &mut Scene<'_>) -> Answer {
    let (grant, person) = match visitor(scene) {
        Ok(both) => both,
        Err(answer) => return *answer,
    };
    let body = json!({
        "login": person.key, "id": person.number, "node_id": format!("U_{}", person.number),
        "type": "User", "name": person.name, "email": null,
    });
    say(200, body)
        .with(HeaderName::from_static("x-oauth-scopes"), &grant.scopes.join(", "))
        .with(header::CACHE_CONTROL, "private, max-age=60, s-maxage=60")
}

fn emails(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Err(answer) => *answer,
        Ok((grant, _)) if !grant.has("user:email") && !grant.has("user") => {
            message(404, "Not Found")
        }
        Ok((_, person)) => say(
            200,
            json!([{
                "email": person.email, "primary": true, "verified": true, "visibility": null,
            }]),
        ),
    }
}

/// What the client, by Basic, says of one of its tokens.
fn named(scene: &Scene<'_>) -> Result<String, Box<Answer>> {
    if !scene.is_client() {
        return Err(Box::new(message(401, "Bad credentials")));
    }
    let fields = scene.request.fields();
    let own = scene.request.vars.get("client_id") == Some(&scene.client.id);
    match fields.get("access_token") {
        Some(token) if own => Ok(token.clone()),
        Some(_) => Err(Box::new(message(404, "Not Found"))),
        None => Err(Box::new(message(422, "Validation Failed"))),
    }
}

/// Every token that the person gave to this client ends.
fn end_grant(scene: &mut Scene<'_>) -> Answer {
    let token = match named(scene) {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    match scene.ledger.open(&token, scene.now).map(|grant| grant.person) {
        Ok(person) => {
            scene.ledger.end_person(person.map(|person| person.key));
            nothing(204)
        }
        Err(_) => message(404, "Not Found"),
    }
}

fn end_token(scene: &mut Scene<'_>) -> Answer {
    match named(scene) {
        Ok(token) if scene.ledger.end_access(&token, scene.now) => nothing(204),
        Ok(_) => message(404, "Not Found"),
        Err(answer) => *answer,
    }
}
