//! Registering with the fields of a form, as a person types them.

use serde_json::json;

use super::{app, open};
use crate::support::{Page, Request, Server, assert_error, client};

async fn post(server: &Server, fields: &[(&str, &str)]) -> Page {
    server.request(client().post(server.url("/register")).form(fields)).await
}

const CALLBACK: &str = "http://localhost:5050/callback";

#[tokio::test]
async fn the_four_fields_register_a_client_that_gets_a_code() {
    let server = open().start().await;
    server.seen.add("secret_abc");
    let fields = [
        ("client_id", "client_id_123"),
        ("client_secret", "secret_abc"),
        ("redirect_uri", CALLBACK),
        ("grant_types", "authorization_code"),
    ];
    let page = post(&server, &fields).await;
    assert_eq!(page.status, 201, "{page:?}");
    let made = page.json();
    assert_eq!(made["client_id"], "client_id_123");
    assert_eq!(made["redirect_uris"], json!([CALLBACK]));
    assert_eq!(made["grant_types"], json!(["authorization_code"]));
    // As the line for /authorize has it: no scope but read, no PKCE.
    let app = app(&made);
    let request = Request::of(&app).without_pkce().with("scope", "read").without("nonce");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    assert_eq!(tokens.json["scope"], "read");
    assert!(tokens.refresh.is_empty());
}

#[tokio::test]
async fn grants_are_divided_by_spaces_or_commas() {
    let server = open().start().await;
    for grants in ["client_credentials refresh_token", "client_credentials,refresh_token"] {
        let made = post(&server, &[("grant_types", grants), ("scope", "read")]).await.json();
        assert_eq!(made["grant_types"], json!(["client_credentials", "refresh_token"]), "{made}");
        assert_eq!(made["scope"], "read");
    }
    let fields = [
        ("redirect_uri", CALLBACK),
        ("grant_types", "authorization_code implicit"),
        ("response_types", "code,id_token token"),
    ];
    let made = post(&server, &fields).await.json();
    assert_eq!(made["response_types"], json!(["code", "id_token token"]), "{made}");
}

#[tokio::test]
async fn a_form_is_checked_as_json_is() {
    let server = open().start().await;
    for (uri, status) in [
        ("javascript:alert(1)", 400),
        ("https://*.example/cb", 400),
        ("https://a.example/cb#x", 400),
        ("http://a.example/cb", 400),
        ("https://a.example/cb", 201),
    ] {
        let page = post(&server, &[("redirect_uri", uri)]).await;
        assert_eq!(page.status, status, "{uri}: {page:?}");
        if status == 400 {
            assert_eq!(page.json()["error"], "invalid_redirect_uri", "{uri}");
        }
    }
    let twice = [("grant_types", "implicit"), ("grant_types", "authorization_code")];
    let text = "The parameter grant_types appears more than once. Send it once.";
    assert_error(&post(&server, &twice).await, 400, "invalid_request", text);
    let strange = post(&server, &[("redirect_uri", CALLBACK), ("grant_types", "magic")]).await;
    let text = "grant_types cannot be registered: magic is not supported here.";
    assert_error(&strange, 400, "invalid_client_metadata", text);
}
