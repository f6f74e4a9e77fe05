//! Microsoft (Entra): the tenant in the path, `offline_access` for a refresh token, a new refresh
//! token at every refresh while the old one stays good, and errors with numbers.
//!
//! - <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow>
//! - <https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens>
//! - <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
//! - <https://learn.microsoft.com/en-us/graph/api/user-get>, `user-revokesigninsessions`

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::{person, userinfo as standard_userinfo};
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::ledger::{Dead, Grant};
use crate::engine::lives::{Life, Lives, Prefixes, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::Refusal;
use crate::engine::request::{Fields, say};
use crate::http::{Answer, Body};

const LOGIN: &str = "login.microsoftonline.com";
const GRAPH: &str = "graph.microsoft.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "microsoft",
    authorize: Authorize {
        at: at(LOGIN, "/{tenant}/oauth2/v2.0/authorize"),
        choices: &[
            ("prompt", &["login", "none", "consent", "select_account"]),
            ("response_mode", &["query"]),
        ],
        needs_scope: true,
        pkce: Pkce::Optional { plain: true },
        offline: Offline::Scope(&["offline_access"]),
        denied: &[
            ("error", "access_denied"),
            ("error_description", "the user canceled the authentication"),
        ],
        callback: |_| vec![("session_state", "7b29111d-0000-4000-8000-000000000000".to_owned())],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(LOGIN, "/{tenant}/oauth2/v2.0/token"),
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        access: Life::Seconds(3599),
        refresh: Life::Seconds(90 * 86_400),
        rotation: Rotation::Fresh,
        prefixes: Prefixes { code: "0.", access: "eyJ0", refresh: "1." },
        ..Lives::HOUR
    },
    api: API,
};

/// The tenant of everybody's account, whatever `common` and its like stand for.
const TENANT: &str = "7b29111d-0000-4000-8000-00000000000a";

const ID_TOKENS: IdTokens = IdTokens {
    host: LOGIN,
    path: |vars| format!("/{}/v2.0", tenant(vars)),
    revokes: false,
    claims: |_, vars, person| {
        json!({
            "sub": person.number.to_string(), "oid": person.uuid(), "tid": tenant(vars),
            "preferred_username": person.email, "ver": "2.0",
        })
    },
};

fn tenant(vars: &Fields) -> &str {
    match vars.get("tenant").map(String::as_str) {
        Some("common" | "organizations" | "consumers") | None => TENANT,
        Some(own) => own,
    }
}

const API: &[Endpoint] = &[
    on("discovery", "GET", LOGIN, "/{tenant}/v2.0/.well-known/openid-configuration", published),
    on("certs", "GET", LOGIN, "/{tenant}/discovery/v2.0/keys", keys),
    on("identity", "GET", GRAPH, "/v1.0/me", me),
    on("userinfo", "GET", GRAPH, "/oidc/userinfo", userinfo),
    on("revoke", "POST", GRAPH, "/v1.0/me/revokeSignInSessions", sign_out_everywhere),
];

/// `offline_access` is never among the granted scopes.
fn answer(issued: &Issued<'_>) -> Value {
    let scopes = issued.grant.scopes.iter().map(String::as_str);
    let scope: Vec<_> = scopes.filter(|scope| *scope != "offline_access").collect();
    let expires_in = issued.expires_in();
    with(issued, [("scope", json!(scope.join(" "))), ("ext_expires_in", json!(expires_in))])
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, code, number, text) = match refusal {
        Refusal::NoClient => (
            401,
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or \
             'client_secret'.",
        ),
        Refusal::UnknownClient => {
            (400, "unauthorized_client", 700_016, "Application was not found in the directory.")
        }
        Refusal::WrongSecret => {
            (401, "invalid_client", 7_000_215, "Invalid client secret provided.")
        }
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => (
            400,
            "invalid_request",
            900_144,
            "The request body must contain all required parameters.",
        ),
        Refusal::GrantType => {
            (400, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type.")
        }
        Refusal::Code(Dead::Used) => {
            (400, "invalid_grant", 54_005, "OAuth2 Authorization code was already redeemed.")
        }
        Refusal::Code(_) => {
            (400, "invalid_grant", 70_008, "The provided authorization code has expired.")
        }
        Refusal::RedirectUri => {
            (400, "invalid_grant", 50_011, "The reply address does not match the requested one.")
        }
        Refusal::Verifier => {
            (400, "invalid_grant", 501_481, "The Code_Verifier does not match the code_challenge.")
        }
        Refusal::Refresh(Dead::Expired) => {
            (400, "invalid_grant", 700_082, "The refresh token has expired due to inactivity.")
        }
        Refusal::Refresh(Dead::Revoked) => (
            400,
            "invalid_grant",
            50_173,
            "The provided grant has expired due to it being revoked.",
        ),
        Refusal::Refresh(Dead::Unknown | Dead::Used) => {
            (400, "invalid_grant", 70_000, "The provided value for 'refresh_token' is not valid.")
        }
        Refusal::Scope => {
            (400, "invalid_grant", 65_001, "The user has not consented to use the application.")
        }
    };
    say(
        status,
        json!({
            "error": code,
            "error_description": format!("AADSTS{number}: {text}"),
            "error_codes": [number],
            "timestamp": "2026-01-01 00:00:00Z",
            "trace_id": "7b29111d-0000-4000-8000-000000000001",
            "correlation_id": "7b29111d-0000-4000-8000-000000000002",
        }),
    )
}

/// For `common` and its like the issuer has a hole, because it differs from person to person.
fn published(scene: &mut Scene<'_>) -> Answer {
    let mut answer = metadata(scene);
    let asked = scene.request.vars.get("tenant").map_or("", String::as_str);
    if let (Body::Json(body), true) = (&mut answer.body, tenant(&scene.request.vars) != asked) {
        let issuer = body["issuer"].as_str().unwrap_or_default().replace(TENANT, "{tenantid}");
        body["issuer"] = json!(issuer);
    }
    answer
}

fn graph_error(status: u16, code: &str, text: &str) -> Answer {
    say(status, json!({ "error": { "code": code, "message": text } }))
}

fn no_token(_: Dead) -> Answer {
    graph_error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
}

/// Graph's scopes may have its URL before them, in any case.
fn has(grant: &Grant, wanted: &str) -> bool {
    let bare = |scope: &String| scope.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    grant.scopes.iter().any(|scope| bare(scope) == wanted)
}

fn me(scene: &mut Scene<'_>) -> Answer {
    let (grant, person) = match (scene.open(), person(scene)) {
        (Ok(grant), Ok(person)) => (grant, person),
        (Err(dead), _) | (_, Err(dead)) => return no_token(dead),
    };
    if !["user.read", "user.readwrite", "user.read.all"].iter().any(|one| has(&grant, one)) {
        let text = "Insufficient privileges to complete the operation.";
        return graph_error(403, "Authorization_RequestDenied", text);
    }
    say(
        200,
        json!({
            "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users/$entity",
            "id": person.uuid(), "displayName": person.name, "givenName": person.given,
            "surname": person.family, "mail": person.email, "userPrincipalName": person.email,
        }),
    )
}

fn userinfo(scene: &mut Scene<'_>) -> Answer {
    match scene.open() {
        Ok(grant) if grant.has("openid") => standard_userinfo(scene),
        Ok(_) => graph_error(403, "Forbidden", "The token has no scope openid."),
        Err(dead) => no_token(dead),
    }
}

/// There is no revocation endpoint: a person is signed out everywhere, or nowhere.
fn sign_out_everywhere(scene: &mut Scene<'_>) -> Answer {
    match person(scene) {
        Ok(person) => {
            scene.ledger.end_person(Some(person.key));
            say(200, json!({ "value": true }))
        }
        Err(dead) => no_token(dead),
    }
}
