//! `POST /register`: RFC 7591; and what follows: RFC 7592.

mod bad_input;
mod credentials;
mod form;
mod manage;
mod policy;

use serde_json::{Value, json};

use crate::support::server::Setup;
use crate::support::{App, Page, Request, Server, Tokens, client};

/// A server on which everybody may register, with credentials of their choice.
fn open() -> Setup {
    Server::setup().set("registration.policy", "open").set("registration.chosen_credentials", true)
}

/// A registration in JSON.
async fn register(server: &Server, metadata: &Value) -> Page {
    server.request(client().post(server.url("/register")).json(metadata)).await
}

/// The answer to a registration that must work.
async fn registered(server: &Server, metadata: &Value) -> Value {
    let page = register(server, metadata).await;
    assert_eq!(page.status, 201, "{page:?}");
    page.json()
}

/// The client that an answer describes.
fn app(information: &Value) -> App {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    App {
        id: text(&information["client_id"]).expect("a client_id"),
        secret: text(&information["client_secret"]),
        redirect_uri: text(&information["redirect_uris"][0]).unwrap_or_default(),
    }
}

const URI: &str = "https://notes.example/callback";

#[tokio::test]
async fn a_client_registers_itself_and_gets_tokens() {
    let server = open().start().await;
    let metadata = json!({
        "redirect_uris": [URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": "Notes",
    });
    let page = register(&server, &metadata).await;
    assert_eq!((page.status, page.header("cache-control")), (201, Some("no-store")), "{page:?}");
    assert_eq!(page.header("pragma"), Some("no-cache"));
    let made = page.json();
    assert!(made["client_id"].as_str().is_some_and(|id| id.len() == 24), "{made}");
    assert!(made["client_secret"].as_str().is_some_and(|own| own.starts_with("grt_cs_")));
    assert_eq!(made["client_secret_expires_at"], 0);
    assert!(made["client_id_issued_at"].as_u64().is_some_and(|at| at > 1_700_000_000));
    assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(made["response_types"], json!(["code"]));
    assert_eq!(made["id_token_signed_response_alg"], "RS256");

    // A confidential client that registered itself may do without PKCE.
    let app = app(&made);
    let request = Request::of(&app).without_pkce();
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &request).await;
    assert_eq!(tokens.id_token().0["alg"], "RS256");
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["registration_endpoint"], server.url("/register"));
}

#[tokio::test]
async fn a_public_client_has_no_secret_and_must_use_pkce() {
    let server = open().start().await;
    let metadata = json!({
        "redirect_uris": [URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "require_pkce": false,
    });
    let made = registered(&server, &metadata).await;
    assert!(made.get("client_secret").is_none() && made.get("client_secret_expires_at").is_none());
    assert_eq!(made["require_pkce"], true);
    let app = app(&made);
    let page = server.browser().get(&Request::of(&app).without_pkce().url(&server)).await;
    assert_eq!(page.answer()["error"], "invalid_request");
    let tokens = server.tokens(&app, "ada").await;
    let next = Tokens::of(&server.refresh(&app, &tokens.refresh).await);
    assert_ne!(next.refresh, tokens.refresh, "it rotates");
}

#[tokio::test]
async fn all_metadata_come_back_as_they_are_registered() {
    let server = open().start().await;
    let metadata = json!({
        "redirect_uris": [URI, "http://127.0.0.1/cb"],
        "post_logout_redirect_uris": ["https://notes.example/"],
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "implicit"],
        "response_types": ["code", "id_token token"],
        "client_name": "Notes",
        "client_name#de": "Notizen",
        "client_uri": "https://notes.example/",
        "logo_uri": "https://notes.example/logo.png",
        "tos_uri": "https://notes.example/tos",
        "policy_uri": "https://notes.example/privacy",
        "policy_uri#fr-CH": "https://notes.example/fr",
        "scope": "openid read",
        "contacts": ["ada@example.com"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "application_type": "native",
        "subject_type": "public",
        "default_max_age": 3600,
        "require_auth_time": true,
        "require_pkce": true,
        "access_token_format": "jwt",
        "access_token_signed_response_alg": "EdDSA",
        "id_token_signed_response_alg": "ES256",
    });
    let mut asked = metadata.clone();
    asked["is_admin"] = json!(true);
    asked["logo_uri#x"] = json!(null);
    let made = registered(&server, &asked).await;
    for (name, value) in metadata.as_object().expect("an object") {
        assert_eq!(&made[name.as_str()], value, "{name}");
    }
    assert!(made.get("is_admin").is_none() && made.get("logo_uri#x").is_none(), "{made}");
    let id = made["client_id"].as_str().expect("a client_id");
    let shown = server.cli().json(&["client", "show", id]);
    assert_eq!(shown["other_metadata"]["contacts"], json!(["ada@example.com"]));
    assert_eq!(shown["lifetimes"]["session"], 3600);
}

#[tokio::test]
async fn clients_without_redirects_register_without_redirect_uris() {
    let server = open().start().await;
    let machine = json!({"grant_types": ["client_credentials", "refresh_token"], "scope": "read"});
    let made = registered(&server, &machine).await;
    assert_eq!(made["response_types"], json!([]));
    assert!(made.get("redirect_uris").is_none(), "{made}");
    let app = app(&made);
    let tokens = Tokens::of(&server.token(&app, &[("grant_type", "client_credentials")]).await);
    for _ in 0..5 {
        assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);
    }
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 400, "five uses");
    let device = json!({
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_method": "none",
    });
    registered(&server, &device).await;
}
