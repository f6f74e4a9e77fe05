//! Facebook: no refresh tokens. A token of an hour or two is exchanged for one of sixty days
//! (`fb_exchange_token`), which is exchanged again while it lives. Parameters may stand in the URL,
//! scopes have commas or spaces, errors are objects with numbers.
//!
//! - <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow>
//! - <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>
//! - <https://developers.facebook.com/docs/graph-api/guides/error-handling>
//! - <https://developers.facebook.com/docs/graph-api/reference/user/permissions>

use serde_json::{Value, json};

use crate::engine::answer::Issued;
use crate::engine::ledger::{Asked, Dead, Grant};
use crate::engine::lives::{Life, Lives, Prefixes};
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{Fields, say};
use crate::http::{Answer, bearer};

const GRAPH: &str = "graph.facebook.com";
/// Sixty days, less the minute that it takes.
const LONG: i64 = 5_183_944;

pub(super) const PROVIDER: Provider = Provider {
    name: "facebook",
    authorize: Authorize {
        at: at("www.facebook.com", "/{version}/dialog/oauth|/dialog/oauth"),
        needs: &[("redirect_uri", None)],
        choices: &[
            ("response_type", &["code"]),
            ("auth_type", &["rerequest", "reauthenticate", "reauthorize"]),
        ],
        separators: ", ",
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Ignored,
        offline: Offline::Never,
        errors: Shown::Page,
        denied: &[
            ("error_reason", "user_denied"),
            ("error", "access_denied"),
            ("error_description", "Permissions error"),
        ],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(GRAPH, "/{version}/oauth/access_token|/oauth/access_token"),
        basic: false,
        query: true,
        get: true,
        grants: &["authorization_code", "client_credentials"],
        code_by_default: true,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        own: exchange,
        ..Token::PLAIN
    },
    id_tokens: None,
    lives: Lives {
        access: Life::Seconds(5400),
        by_client: Some(Life::Forever),
        prefixes: Prefixes { code: "AQ", access: "EAA", refresh: "" },
        ..Lives::HOUR
    },
    api: API,
};

const API: &[Endpoint] = &[
    on("identity", "GET", GRAPH, "/{version}/me|/me", me),
    on("revoke", "DELETE", GRAPH, "/{version}/{user}/permissions|/{user}/permissions", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let expires_in = issued.expires_in();
    let access = &issued.tokens.access;
    match expires_in {
        Some(_) => {
            json!({ "access_token": access, "token_type": "bearer", "expires_in": expires_in })
        }
        // The app's own.
        None => json!({ "access_token": access, "token_type": "bearer" }),
    }
}

/// A longer token for one that still lives.
fn exchange(scene: &mut Scene<'_>, fields: &Fields) -> Option<Answer> {
    if fields.get("grant_type").is_none_or(|named| named != "fb_exchange_token") {
        return None;
    }
    let token = fields.get("fb_exchange_token").map_or("", String::as_str);
    let grant = match scene.ledger.open(token, scene.now) {
        Ok(grant) => grant,
        Err(dead) => return Some(no_token(dead)),
    };
    let lives = Lives { access: Life::Seconds(LONG), ..scene.provider.lives };
    let tokens = scene.ledger.issue(grant.id, scene.now, &lives, Asked::default());
    let body = json!({
        "access_token": tokens.access, "token_type": "bearer", "expires_in": LONG,
    });
    Some(say(200, body))
}

fn refuse(refusal: Refusal) -> Answer {
    let (code, subcode, text) = match refusal {
        Refusal::NoClient => (101, None, "Missing client_id parameter."),
        Refusal::UnknownClient => (
            101,
            None,
            "Error validating application. Cannot get application info due to a system error.",
        ),
        Refusal::WrongSecret => (1, None, "Error validating client secret."),
        Refusal::Code(Dead::Used) => (100, Some(36_009), "This authorization code has been used."),
        Refusal::Code(Dead::Expired) => (100, Some(36_007), "This authorization code has expired."),
        Refusal::Code(Dead::Unknown | Dead::Revoked) => {
            (100, None, "Invalid verification code format.")
        }
        Refusal::RedirectUri => (
            100,
            Some(36_008),
            "Error validating verification code. Please make sure your redirect_uri is identical \
             to the one you used in the OAuth dialog request",
        ),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) | Refusal::GrantType => {
            (100, None, "Missing or invalid parameter.")
        }
        Refusal::Verifier | Refusal::Refresh(_) | Refusal::Scope => {
            (100, None, "Invalid parameter.")
        }
    };
    failed(code, subcode, text)
}

fn failed(code: u32, subcode: Option<u32>, text: &str) -> Answer {
    let mut error = json!({
        "message": text, "type": "OAuthException", "code": code, "fbtrace_id": "AStandIn",
    });
    if let Some(subcode) = subcode {
        error["error_subcode"] = json!(subcode);
    }
    say(400, json!({ "error": error }))
}

fn no_token(dead: Dead) -> Answer {
    match dead {
        Dead::Expired => {
            failed(190, Some(463), "Error validating access token: Session has expired.")
        }
        Dead::Revoked => failed(
            190,
            Some(458),
            "Error validating access token: The user has not authorized application.",
        ),
        Dead::Unknown | Dead::Used => failed(190, None, "Invalid OAuth access token."),
    }
}

/// Whose token it is; it may stand in the URL.
fn shown(scene: &Scene<'_>) -> Result<(Grant, &'static Person), Box<Answer>> {
    let query = scene.request.query.get("access_token").map(String::as_str);
    let none = || Box::new(failed(2500, None, "An active access token must be used."));
    let bad = |dead| Box::new(no_token(dead));
    let token = bearer(&scene.request.headers).or(query).ok_or_else(none)?;
    let grant = scene.ledger.open(token, scene.now).map_err(bad)?;
    let person = grant.person.ok_or(Dead::Unknown).map_err(bad)?;
    Ok((grant, person))
}

/// Only the fields that are asked for.
fn me(scene: &mut Scene<'_>) -> Answer {
    let (grant, person) = match shown(scene) {
        Ok(both) => both,
        Err(answer) => return *answer,
    };
    let fields = scene.request.query.get("fields").map_or("id,name", String::as_str);
    let mut body = json!({ "id": format!("10220{}", person.number) });
    for field in fields.split(',') {
        match field {
            "name" => body["name"] = json!(person.name),
            "first_name" => body["first_name"] = json!(person.given),
            "last_name" => body["last_name"] = json!(person.family),
            "email" if grant.has("email") => body["email"] = json!(person.email),
            _ => {}
        }
    }
    say(200, body)
}

/// All permissions at once: the app is no longer the person's.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    let user = scene.request.vars.get("user").map_or("", String::as_str);
    match shown(scene) {
        Ok((_, person)) if user == "me" || user == format!("10220{}", person.number) => {
            scene.ledger.end_person(Some(person.key));
            say(200, json!({ "success": true }))
        }
        Ok(_) => failed(100, Some(33), "Unsupported delete request."),
        Err(answer) => *answer,
    }
}
