//! QuickBooks (Intuit): Basic only, the company in the callback (`realmId`), and
//! `x_refresh_token_expires_in`. Each refresh answers a new refresh token, and the one before stays
//! good for a day.
//!
//! - <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0>
//! - <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq>
//! - <https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/openid-connect>

use serde_json::{Value, json};

use crate::engine::answer::{Issued, with};
use crate::engine::api::visitor;
use crate::engine::id_token::{IdTokens, keys, metadata};
use crate::engine::lives::{Again, Life, Lives, ONCE, Once, Rotation};
use crate::engine::provider::{
    Authorize, Endpoint, Pkce, Provider, Repeated, Scene, Shown, Token, at, on,
};
use crate::engine::refusal::{Refusal, bare, error, standard};
use crate::engine::request::{nothing, say};
use crate::http::Answer;

const TOKEN_HOST: &str = "oauth.platform.intuit.com";
const DISCOVERY: &str =
    "/.well-known/openid_configuration|/.well-known/openid_sandbox_configuration";
/// The company that the person chose.
const REALM: &str = "4620816365000000001";
const API_HOSTS: &str = "quickbooks.api.intuit.com|sandbox-quickbooks.api.intuit.com";
const ACCOUNTS: &str = "accounts.platform.intuit.com|sandbox-accounts.platform.intuit.com";

pub(super) const PROVIDER: Provider = Provider {
    name: "quickbooks",
    authorize: Authorize {
        at: at("appcenter.intuit.com", "/connect/oauth2"),
        needs: &[("response_type", Some("code")), ("redirect_uri", None), ("state", None)],
        needs_scope: true,
        unknown_scopes: &["offline_access"],
        pkce: Pkce::Ignored,
        errors: Shown::Page,
        callback: |_| vec![("realmId", REALM.to_owned())],
        ..Authorize::PLAIN
    },
    token: Token {
        at: at(TOKEN_HOST, "/oauth2/v1/tokens/bearer"),
        post: false,
        redirect_uri: Repeated::Always,
        answer,
        refuse,
        ..Token::PLAIN
    },
    id_tokens: Some(ID_TOKENS),
    lives: Lives {
        code: 300,
        refresh: Life::Seconds(8_726_400),
        rotation: Rotation::Once(Once { grace: 86_400, again: Again::NewTokens, ..ONCE }),
        ..Lives::HOUR
    },
    api: API,
};

const ID_TOKENS: IdTokens = IdTokens {
    host: TOKEN_HOST,
    path: |_| "/op/v1".to_owned(),
    revokes: true,
    claims: |_, _, person| json!({ "sub": person.uuid(), "realmid": REALM }),
};

const API: &[Endpoint] = &[
    on("discovery", "GET", "developer.api.intuit.com", DISCOVERY, metadata),
    on("certs", "GET", TOKEN_HOST, "/op/v1/jwks", keys),
    on("userinfo", "GET", ACCOUNTS, "/v1/openid_connect/userinfo", userinfo),
    on("revoke", "POST", "developer.api.intuit.com", "/v2/oauth2/tokens/revoke", revoke),
    on("company", "GET", API_HOSTS, "/v3/company/{realm}/companyinfo/{id}", company),
];

fn answer(issued: &Issued<'_>) -> Value {
    with(
        issued,
        [
            ("token_type", json!("bearer")),
            ("scope", json!(null)),
            ("x_refresh_token_expires_in", json!(issued.refresh_expires_in())),
        ],
    )
}

fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoClient | Refusal::UnknownClient | Refusal::WrongSecret => {
            bare(401, "invalid_client")
        }
        Refusal::Refresh(_) => error(400, "invalid_grant", "Incorrect or invalid refresh token"),
        Refusal::Code(_) => error(400, "invalid_grant", "Invalid authorization code"),
        Refusal::RedirectUri | Refusal::Verifier => bare(400, "invalid_grant"),
        Refusal::WrongBody | Refusal::Missing(_) | Refusal::Value(_) => standard(refusal),
        Refusal::GrantType | Refusal::Scope => standard(refusal),
    }
}

fn userinfo(scene: &mut Scene<'_>) -> Answer {
    match visitor(scene) {
        Ok((grant, person)) if grant.has("openid") => say(
            200,
            json!({
                "sub": person.uuid(), "givenName": person.given, "familyName": person.family,
                "email": person.email, "emailVerified": true,
            }),
        ),
        Ok(_) => bare(403, "insufficient_scope"),
        Err(_) => bare(401, "invalid_token"),
    }
}

/// The company that was chosen, and no other.
fn company(scene: &mut Scene<'_>) -> Answer {
    let asked = ["realm", "id"].map(|name| scene.request.vars.get(name).map(String::as_str));
    match visitor(scene) {
        Ok((grant, _))
            if grant.has("com.intuit.quickbooks.accounting") && asked == [Some(REALM); 2] =>
        {
            say(200, json!({ "CompanyInfo": { "Id": "1", "CompanyName": "Stand-in" } }))
        }
        Ok(_) => fault(403, "message=ApplicationAuthorizationFailed; errorCode=003100"),
        Err(_) => fault(401, "message=AuthenticationFailed; errorCode=003200"),
    }
}

fn fault(status: u16, text: &str) -> Answer {
    let error = json!({ "message": format!("{text}; statusCode={status}"), "code": "3200" });
    say(status, json!({ "fault": { "error": [error], "type": "AUTHENTICATION" } }))
}

/// JSON with the token, and Basic.
fn revoke(scene: &mut Scene<'_>) -> Answer {
    if !scene.is_client() {
        return bare(401, "invalid_client");
    }
    let fields = scene.request.fields();
    match fields.get("token").is_some_and(|token| scene.ledger.end_grant_of(token)) {
        true => nothing(200),
        false => bare(400, "invalid_request"),
    }
}
