//! Slack: status 200 with `ok`, scopes with commas, and two tokens in one answer: the bot's, for
//! `scope`, and that of the person below `authed_user`, for `user_scope`. With token rotation,
//! which an app has or has not, each ends after twelve hours and has a refresh token of its own.
//!
//! - <https://docs.slack.dev/authentication/installing-with-oauth>
//! - <https://docs.slack.dev/authentication/using-token-rotation>
//! - <https://docs.slack.dev/reference/methods/oauth.v2.access>
//! - <https://docs.slack.dev/reference/methods/auth.test>, `auth.revoke`, `users.identity`

use serde_json::{Value, json};

use crate::engine::answer::Issued;
use crate::engine::api::person;
use crate::engine::ledger::{Asked, Dead, Grant, Tokens};
use crate::engine::lives::{Life, Lives, ONCE, Prefixes, Rotation};
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{Fields, say};
use crate::engine::token::redeem;
use crate::http::{Answer, bearer};

/// With token rotation.
pub(super) const PROVIDER: Provider = Provider {
    name: "slack",
    authorize: Authorize {
        at: at("slack.com", "/oauth/v2/authorize"),
        // Slack has one flow, so `response_type` does not matter.
        needs: &[],
        scope_in: &["scope", "user_scope"],
        separators: ",",
        needs_scope: true,
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Optional { plain: false },
        errors: Shown::Page,
        ..Authorize::PLAIN
    },
    token: Token {
        at: at("slack.com", "/api/oauth.v2.access"),
        code_by_default: true,
        answer,
        refuse,
        own: install,
        errors_are_200: true,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(43_200),
        rotation: Rotation::Once(ONCE),
        prefixes: Prefixes { code: "", access: "", refresh: "xoxe-1-" },
        ..Lives::HOUR
    },
    api: API,
};

/// Without: tokens never end, and there are no refresh tokens.
pub(super) const CLASSIC: Provider = Provider {
    name: "slack-classic",
    authorize: Authorize { offline: Offline::Never, ..PROVIDER.authorize },
    token: Token { grants: &["authorization_code"], ..PROVIDER.token },
    lives: Lives {
        access: Life::Forever,
        prefixes: Prefixes { code: "", access: "", refresh: "" },
        ..Lives::HOUR
    },
    ..PROVIDER
};

const API: &[Endpoint] = &[
    on("identity", "GET", "slack.com", "/api/auth.test", auth_test),
    on("identity", "POST", "slack.com", "/api/auth.test", auth_test),
    on("identity", "GET", "slack.com", "/api/users.identity", users_identity),
    on("revoke", "GET", "slack.com", "/api/auth.revoke", auth_revoke),
    on("revoke", "POST", "slack.com", "/api/auth.revoke", auth_revoke),
];

/// The first tokens: a grant for the bot and one for the person, each with tokens of its own.
fn install(scene: &mut Scene<'_>, fields: &Fields) -> Option<Answer> {
    if fields.get("grant_type").is_some_and(|named| named != "authorization_code") {
        return None;
    }
    let whole = match redeem(scene, fields) {
        Ok(grant) => grant,
        Err(refusal) => return Some(refuse(refusal)),
    };
    // What stands for the code has no tokens of its own.
    scene.ledger.end_grant_of_code(fields.get("code").map_or("", String::as_str));
    let mut body = common();
    body["authed_user"] = json!({ "id": whole.person.map(user_id) });
    for kind in ["scope", "user_scope"] {
        let asked = whole.asked.get(kind).map_or("", String::as_str);
        let scopes = scene.provider.authorize.scopes(asked);
        let scopes: Vec<_> = scopes.into_iter().filter(|scope| whole.has(scope)).collect();
        if scopes.is_empty() {
            continue;
        }
        let mut part = Grant { scopes, ..whole.clone() };
        part.asked.insert("kind".into(), kind.into());
        part.prefix = Some(prefix(&scene.provider.lives, kind));
        part.id = scene.ledger.grant(part.clone(), None);
        let refresh = matches!(scene.provider.lives.rotation, Rotation::Once(_));
        let asked = Asked { refresh, ..Asked::default() };
        let tokens = scene.ledger.issue(part.id, scene.now, &scene.provider.lives, asked);
        let mine = token_of(&part, &tokens, scene.now);
        let place = if kind == "scope" { &mut body } else { &mut body["authed_user"] };
        for (name, value) in mine {
            place[name] = value;
        }
    }
    Some(say(200, body))
}

/// `xoxb-` and `xoxp-`, and before those `xoxe.` where they end.
fn prefix(lives: &Lives, kind: &str) -> &'static str {
    match (lives.access, kind) {
        (Life::Forever, "scope") => "xoxb-",
        (Life::Forever, _) => "xoxp-",
        (Life::Seconds(_) | Life::Asked, "scope") => "xoxe.xoxb-1-",
        (Life::Seconds(_) | Life::Asked, _) => "xoxe.xoxp-1-",
    }
}

/// A refresh answers the token on top, whoever's it is.
fn answer(issued: &Issued<'_>) -> Value {
    let mut body = common();
    for (name, value) in token_of(issued.grant, issued.tokens, issued.now) {
        body[name] = value;
    }
    body
}

fn common() -> Value {
    json!({
        "ok": true, "app_id": "A0STANDIN", "team": { "id": "T0STANDIN", "name": "Stand-in" },
        "enterprise": null, "is_enterprise_install": false,
    })
}

fn token_of(grant: &Grant, tokens: &Tokens, now: i64) -> Vec<(&'static str, Value)> {
    let is_bot = grant.asked.get("kind").is_some_and(|kind| kind == "scope");
    let mut fields = vec![
        ("access_token", json!(tokens.access)),
        ("token_type", json!(if is_bot { "bot" } else { "user" })),
        ("scope", json!(grant.scopes.join(","))),
    ];
    if is_bot {
        fields.push(("bot_user_id", json!("U0BOT")));
    }
    if let (Some(refresh), Some(until)) = (&tokens.refresh, tokens.access_until) {
        fields.push(("refresh_token", json!(refresh)));
        fields.push(("expires_in", json!(until - now)));
    }
    fields
}

fn user_id(person: &'static Person) -> String {
    format!("U0{}", person.key.to_uppercase())
}

fn refuse(refusal: Refusal) -> Answer {
    let code = match refusal {
        Refusal::NoClient | Refusal::UnknownClient => "invalid_client_id",
        Refusal::WrongSecret => "bad_client_secret",
        Refusal::Code(Dead::Used) => "code_already_used",
        Refusal::Code(_) | Refusal::Missing("code") => "invalid_code",
        Refusal::RedirectUri | Refusal::Missing("redirect_uri") => "bad_redirect_uri",
        Refusal::GrantType | Refusal::Missing("grant_type") => "invalid_grant_type",
        Refusal::Refresh(_) | Refusal::Missing("refresh_token") => "invalid_refresh_token",
        Refusal::Verifier | Refusal::Missing("code_verifier") => "invalid_code_verifier",
        Refusal::WrongBody => "invalid_post_type",
        Refusal::Missing(_) | Refusal::Value(_) | Refusal::Scope => "invalid_arguments",
    };
    failed(code)
}

fn failed(code: &str) -> Answer {
    say(200, json!({ "ok": false, "error": code }))
}

/// The token may come as a bearer token or as the parameter `token`.
fn shown(scene: &Scene<'_>) -> Result<(String, Grant), Box<Answer>> {
    let mut fields = scene.request.query.clone();
    fields.extend(scene.request.fields());
    let header = bearer(&scene.request.headers).map(str::to_owned);
    let none = || Box::new(failed("not_authed"));
    let token = header.or(fields.get("token").cloned()).ok_or_else(none)?;
    let bad = |dead| match dead {
        Dead::Expired => "token_expired",
        Dead::Revoked => "token_revoked",
        Dead::Unknown | Dead::Used => "invalid_auth",
    };
    let opened = scene.ledger.open(&token, scene.now);
    let grant = opened.map_err(|dead| Box::new(failed(bad(dead))))?;
    Ok((token, grant))
}

fn auth_test(scene: &mut Scene<'_>) -> Answer {
    let (_, grant) = match shown(scene) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let mut body = json!({
        "ok": true, "url": "https://stand-in.slack.com/", "team": "Stand-in",
        "team_id": "T0STANDIN", "is_enterprise_install": false,
    });
    if grant.asked.get("kind").is_some_and(|kind| kind == "scope") {
        (body["user"], body["user_id"], body["bot_id"]) =
            (json!("bot"), json!("U0BOT"), json!("B0BOT"));
    } else if let Some(person) = grant.person {
        (body["user"], body["user_id"]) = (json!(person.key), json!(user_id(person)));
    }
    say(200, body)
}

/// Only with the scopes of "Sign in with Slack".
fn users_identity(scene: &mut Scene<'_>) -> Answer {
    match (shown(scene), person(scene)) {
        (Err(answer), _) => *answer,
        (Ok((_, grant)), Ok(person)) if grant.has("identity.basic") => {
            let mut user = json!({ "name": person.name, "id": user_id(person) });
            if grant.has("identity.email") {
                user["email"] = json!(person.email);
            }
            say(200, json!({ "ok": true, "user": user, "team": { "id": "T0STANDIN" } }))
        }
        (Ok(_), _) => failed("missing_scope"),
    }
}

fn auth_revoke(scene: &mut Scene<'_>) -> Answer {
    match shown(scene) {
        Ok((token, _)) => {
            let revoked = scene.ledger.end_grant_of(&token);
            say(200, json!({ "ok": true, "revoked": revoked }))
        }
        Err(answer) => *answer,
    }
}
