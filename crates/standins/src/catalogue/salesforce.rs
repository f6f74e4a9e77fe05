//! Salesforce: no `expires_in` (the session's length is a setting of the organisation, here two
//! hours), `issued_at` in milliseconds as text, the organisation's own address in `instance_url`,
//! and the scope `refresh_token`. The refresh token stays.
//!
//! - <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm>
//! - <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm>
//! - <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flow_errors.htm>
//! - <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm>
//! - <https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_openid.htm>

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::person;
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::ledger::{Dead, Grant};
use crate::engine::lives::{Life, Lives, Prefixes};
use crate::engine::people::Person;
use crate::engine::provider::{
    Authorize, Endpoint, Offline, Pkce, Provider, Repeated, Scene, Token, at, on,
};
use crate::engine::refusal::{Refusal, error};
use crate::engine::request::{nothing, say};
use crate::http::Answer;

const HOSTS: &str = "login.salesforce.com|test.salesforce.com|{domain}.my.salesforce.com";
const ORGANISATION: &str = "00D000000000001AAA";

pub(super) const PROVIDER: Provider = Provider {
    name: "salesforce",
    authorize: Authorize {
        at: at(HOSTS, "/services/oauth2/authorize"),
        pkce: Pkce::Optional { plain: false },
        offline: Offline::Scope(&["refresh_token", "offline_access"]),
        denied: &[
            ("error", "access_denied"),
            ("error_description", "end-user denied authorization"),
        ],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(HOSTS, "/services/oauth2/token"),
        grants: &["authorization_code", "refresh_token", "client_credentials"],
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        code: 900,
        access: Life::Seconds(7200),
        prefixes: Prefixes { code: "aPrx", access: "00D000000000001!", refresh: "5Aep" },
        ..Lives::HOUR
    },
    api: API,
};

const ID_TOKENS: IdTokens = IdTokens {
    host: HOSTS,
    path: |_| String::new(),
    revokes: true,
    claims: |base, _, person| json!({ "sub": identity_url(base, person) }),
};

const API: &[Endpoint] = &[
    on("discovery", "GET", HOSTS, "/.well-known/openid-configuration", metadata),
    on("certs", "GET", HOSTS, "/id/keys", keys),
    on("userinfo", "GET", HOSTS, "/services/oauth2/userinfo", userinfo),
    on("identity", "GET", HOSTS, "/id/{organisation}/{user}", identity),
    on("revoke", "POST", HOSTS, "/services/oauth2/revoke", revoke),
    on("revoke", "GET", HOSTS, "/services/oauth2/revoke", revoke),
];

fn answer(issued: &Issued<'_>) -> Value {
    let grant = issued.grant;
    let id = grant.person.map(|person| identity_url(issued.base, person));
    with(
        issued,
        [
            ("expires_in", json!(null)),
            ("instance_url", json!(instance(issued))),
            ("id", json!(id)),
            ("issued_at", json!((issued.now * 1000).to_string())),
            ("signature", json!("c2lnbmF0dXJlIG9mIGEgc3RhbmQtaW4=")),
        ],
    )
}

/// The organisation's own host, where everything is served by host.
fn instance(issued: &Issued<'_>) -> String {
    match issued.grant.vars.contains_key("host") {
        true => format!("{}/stand-in.my.salesforce.com", issued.base),
        false => issued.base.to_owned(),
    }
}

fn user_id(person: &'static Person) -> String {
    format!("00500000000{:04}AAA", person.number)
}

fn identity_url(base: &str, person: &'static Person) -> String {
    format!("{base}/id/{ORGANISATION}/{}", user_id(person))
}

fn refuse(refusal: Refusal) -> Answer {
    let (code, text) = match refusal {
        Refusal::NoClient | Refusal::UnknownClient => {
            ("invalid_client_id", "client identifier invalid")
        }
        Refusal::WrongSecret => ("invalid_client", "invalid client credentials"),
        Refusal::Code(Dead::Expired | Dead::Used) => {
            ("invalid_grant", "expired authorization code")
        }
        Refusal::Code(Dead::Unknown | Dead::Revoked) => {
            ("invalid_grant", "invalid authorization code")
        }
        Refusal::Verifier => ("invalid_grant", "invalid code verifier"),
        Refusal::Refresh(_) => ("invalid_grant", "expired access/refresh token"),
        Refusal::RedirectUri => ("redirect_uri_mismatch", "redirect_uri must match configuration"),
        Refusal::GrantType => ("unsupported_grant_type", "grant type not supported"),
        Refusal::Scope => ("invalid_scope", "the requested scope is not allowed"),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => {
            ("invalid_request", "missing required parameter")
        }
    };
    error(400, code, text)
}

/// Forbidden, not unauthorized, and not JSON.
fn visitor(scene: &Scene<'_>) -> Result<(Grant, &'static Person), Box<Answer>> {
    let text = "Bad_OAuth_Token";
    let bad = |_: Dead| Box::new(Answer::text(StatusCode::FORBIDDEN, "text/html", text));
    Ok((scene.open().map_err(bad)?, person(scene).map_err(bad)?))
}

fn userinfo(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((_, person)) => say(
            200,
            json!({
                "sub": identity_url(&scene.request.base, person), "user_id": user_id(person),
                "organization_id": ORGANISATION, "preferred_username": person.email,
                "nickname": person.key, "name": person.name, "email": person.email,
                "email_verified": true, "given_name": person.given, "family_name": person.family,
            }),
        ),
        Err(answer) => *answer,
    }
}

fn identity(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((_, person)) => say(
            200,
            json!({
                "id": identity_url(&scene.request.base, person), "user_id": user_id(person),
                "organization_id": ORGANISATION, "username": person.email,
                "display_name": person.name, "email": person.email, "active": true,
            }),
        ),
        Err(answer) => *answer,
    }
}

/// No client authentication. A refresh token ends everything, an access token ends by itself.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    let mut fields = scene.request.query.clone();
    fields.extend(scene.request.fields());
    let token = fields.get("token").map_or("", String::as_str);
    let ended = match scene.ledger.is_refresh(token) {
        true => scene.ledger.end_grant_of(token),
        false => scene.ledger.end_access(token, scene.now),
    };
    match ended {
        true => nothing(200),
        false => error(400, "invalid_token", "token was invalid"),
    }
}
