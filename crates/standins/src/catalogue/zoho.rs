//! Zoho: scopes with commas, `access_type=offline`, errors with the status 200, and data centres.
//! The callback says which one the person's account is in (`location`, `accounts-server`), and only
//! that one knows the code. Grace's account is in Europe. The refresh token stays; of more than
//! twenty, the oldest is dropped.
//!
//! - <https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html>
//! - <https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html>, `access-token-expiry.html`
//! - <https://www.zoho.com/accounts/protocol/oauth/multi-dc.html>
//! - <https://www.zoho.com/accounts/protocol/oauth/web-apps/revoke-tokens.html>

use axum::http::header;
use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::ledger::{Dead, Grant};
use crate::engine::lives::{Lives, Prefixes};
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{Fields, say};
use crate::http::Answer;

const HOSTS: &str = "accounts.zoho.com|accounts.zoho.eu|accounts.zoho.in|accounts.zoho.com.au|\
                     accounts.zoho.jp|accounts.zohocloud.ca|accounts.zoho.sa|accounts.zoho.uk";

pub(super) const PROVIDER: Provider = Provider {
    name: "zoho",
    authorize: Authorize {
        at: at(HOSTS, "/oauth/v2/auth"),
        choices: &[("access_type", &["online", "offline"]), ("prompt", &["consent"])],
        separators: ",",
        needs_scope: true,
        unknown_scopes: &["offline_access", "openid"],
        pkce: Pkce::Ignored,
        offline: Offline::Param("access_type", "offline"),
        errors: Shown::Page,
        callback: |grant| {
            let (location, server) = home(grant);
            vec![("location", location.to_owned()), ("accounts-server", server)]
        },
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOSTS, "/oauth/v2/token"),
        basic: false,
        query: true,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        own: elsewhere,
        errors_are_200: true,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        code: 120,
        most: Some(20),
        prefixes: Prefixes { code: "1000.", access: "1000.", refresh: "1000." },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", HOSTS, "/oauth/user/info", info),
    on("revoke", "POST", HOSTS, "/oauth/v2/token/revoke", revoke),
];

fn host_of(person: Option<&'static Person>) -> (&'static str, &'static str) {
    match person.map(|person| person.key) {
        Some("grace") => ("eu", "accounts.zoho.eu"),
        Some(_) | None => ("us", "accounts.zoho.com"),
    }
}

/// Where the account of the person is: the data centre, and its server here.
fn home(grant: &Grant) -> (&'static str, String) {
    let (location, host) = host_of(grant.person);
    match grant.vars.contains_key("host") || location != "us" {
        true => (location, format!("{}/{host}", grant.base)),
        false => (location, grant.base.clone()),
    }
}

/// A data centre does not know the codes and tokens of another.
fn elsewhere(scene: &mut Scene<'_>, fields: &Fields) -> Option<Answer> {
    let here = scene.request.vars.get("host").map_or("accounts.zoho.com", String::as_str);
    let code = fields.get("code").and_then(|code| scene.ledger.see_code(code, scene.now).ok());
    let token = fields.get("refresh_token");
    let token =
        token.and_then(|t| scene.ledger.see_refresh(t, scene.now, &scene.provider.lives).ok());
    let grant = code.or(token)?;
    (host_of(grant.person).1 != here).then(|| refuse(Refusal::Code(Dead::Unknown)))
}

fn answer(issued: &Issued<'_>) -> Value {
    with(issued, [("api_domain", json!(issued.base))])
}

fn refuse(refusal: Refusal) -> Answer {
    let code = match refusal {
        Refusal::NoClient | Refusal::UnknownClient => "invalid_client",
        Refusal::WrongSecret => "invalid_client_secret",
        Refusal::Code(_) | Refusal::Refresh(_) | Refusal::Verifier => "invalid_code",
        Refusal::RedirectUri | Refusal::Missing("redirect_uri") => "invalid_redirect_uri",
        Refusal::GrantType => "unsupported_grant_type",
        Refusal::Scope => "invalid_scope",
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => "general_error",
    };
    say(200, Value::from_iter([("error", code)]))
}

/// Tokens come as `Zoho-oauthtoken` or as `Bearer`.
fn info(scene: &mut Scene<'_>) -> Answer {
    let sent = scene.request.header(&header::AUTHORIZATION).unwrap_or_default();
    let token = sent.strip_prefix("Zoho-oauthtoken ").or(sent.strip_prefix("Bearer "));
    let grant = scene.ledger.open(token.unwrap_or_default(), scene.now);
    match grant.map(|grant| (grant.has("AaaServer.profile.READ"), grant.person)) {
        Ok((true, Some(person))) => say(
            200,
            json!({
                "First_Name": person.given, "Last_Name": person.family, "Email": person.email,
                "Display_Name": person.name, "ZUID": person.number,
            }),
        ),
        Ok((false, _) | (_, None)) => say(
            401,
            json!({ "code": "OAUTH_SCOPE_MISMATCH", "message": "invalid oauth scope to access" }),
        ),
        Err(_) => say(
            401,
            json!({ "code": "INVALID_TOKEN", "message": "invalid oauth token", "status": "error" }),
        ),
    }
}

/// No client authentication.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    let mut fields = scene.request.query.clone();
    fields.extend(scene.request.fields());
    let token = fields.get("token").map_or("", String::as_str);
    match scene.ledger.end_grant_of(token) {
        true => say(200, json!({ "status": "success" })),
        false => say(400, json!({ "error": "invalid_token" })),
    }
}
