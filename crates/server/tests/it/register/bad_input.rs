//! What is no registration is refused with a reason, and never breaks anything.

use serde_json::{Value, json};

use super::{URI, open, register};
use crate::support::{Page, Server, assert_error, client};

async fn post(server: &Server, kind: &str, body: impl Into<Vec<u8>>) -> Page {
    let request = client().post(server.url("/register")).header("content-type", kind);
    server.request(request.body(body.into())).await
}

#[tokio::test]
async fn each_refusal_has_the_code_of_the_rfc() {
    let server = open().start().await;
    let with = |member: &str, value: Value| {
        let mut metadata = json!({ "redirect_uris": [URI] });
        metadata[member] = value;
        metadata
    };
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://a.example/#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["data:text/html,x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["app:/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://notes.example/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["https://*.notes.example/"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": URI }), "invalid_client_metadata"),
        (with("response_types", json!(["token"])), "none"),
        (with("grant_types", json!(["magic"])), "invalid_client_metadata"),
        (with("grant_types", json!(["client_credentials", "implicit"])), "none"),
        (with("client_name", json!("a\u{202e}b")), "invalid_client_metadata"),
        (with("logo_uri", json!("javascript:alert(1)")), "invalid_client_metadata"),
        (with("scope", json!("read admin")), "invalid_client_metadata"),
        (with("token_endpoint_auth_method", json!("magic")), "invalid_client_metadata"),
        (with("software_statement", json!("a.b.c")), "unapproved_software_statement"),
    ] {
        let page = register(&server, &metadata).await;
        if error == "none" {
            assert_eq!(page.status, 201, "{metadata}: {page:?}");
            continue;
        }
        let answer = page.json();
        assert_eq!((page.status, &answer["error"]), (400, &error.into()), "{metadata}");
        assert!(answer["error_description"].as_str().is_some_and(|text| text.ends_with('.')));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn grants_and_responses_that_contradict_each_other_are_refused() {
    let server = open().start().await;
    let metadata = json!({
        "redirect_uris": [URI],
        "grant_types": ["authorization_code"],
        "response_types": ["token"],
    });
    let text =
        "grant_types cannot be registered: authorization_code needs code among the response_types.";
    assert_error(&register(&server, &metadata).await, 400, "invalid_client_metadata", text);
}

#[tokio::test]
async fn only_json_and_forms_are_read() {
    let server = open().start().await;
    let text = "Send the metadata of the client as application/json, or as application/x-www-form-urlencoded.";
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""] {
        let page = post(&server, kind, "{}").await;
        assert_error(&page, 415, "invalid_request", text);
    }
    let none = server.request(client().post(server.url("/register"))).await;
    assert_error(&none, 415, "invalid_request", text);
    let charset = post(
        &server,
        "Application/JSON; charset=utf-8",
        format!("{{\"redirect_uris\":[\"{URI}\"]}}"),
    );
    assert_eq!(charset.await.status, 201);
    assert_eq!(server.get("/register").await.status, 405);
    assert_eq!(server.get("/create-client").await.status, 405);
}

#[tokio::test]
async fn noise_is_refused_with_a_reason() {
    let server = open().start().await;
    let deep = format!("{{\"jwks\":{}", "[".repeat(20_000));
    let wide = json!({ "redirect_uris": vec![URI; 60] }).to_string();
    let tags: serde_json::Map<String, Value> =
        (0..80).map(|at| (format!("client_name#x{at}"), json!("x"))).collect();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "true",
        "7",
        "\"x\"",
        "[]",
        "[{}]",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{\"a\":}",
        "{\"redirect_uris\":[\"https://a.example/\"],\"redirect_uris\":[\"https://b.example/\"]}",
        "{\"redirect_uris\":{}}",
        "{\"redirect_uris\":[null]}",
        "{\"redirect_uris\":[[]]}",
        "{\"redirect_uris\":[\"\"]}",
        "{\"redirect_uris\":[\"https://\"]}",
        "{\"redirect_uris\":[\"https://[::1\"]}",
        "{\"redirect_uris\":[\"//a.example\"]}",
        "{\"grant_types\":1e999}",
        "{\"grant_types\":[1]}",
        "{\"grant_types\":\"implicit\"}",
        "{\"response_types\":[\"code code\"]}",
        "{\"scope\":1}",
        "{\"scope\":\"\\u0000\"}",
        "{\"client_name\":\"\\ud800\"}",
        "{\"jwks\":\"x\"}",
        "{\"jwks\":{\"keys\":[[]]}}",
        "{\"jwks\":{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\",\"alg\":\"RS256\"}]}}",
        "{\"default_max_age\":99999999999}",
        "{\"default_max_age\":\"1\"}",
        "{\"contacts\":[[]]}",
        "{\"client_id\":{}}",
        "{\"client_secret\":[]}",
        "{\"require_pkce\":1}",
        "{\"software_statement\":{}}",
        "{\"token_endpoint_auth_method\":[]}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.extend([deep.into_bytes(), wide.into_bytes(), Value::Object(tags).to_string().into()]);
    bodies.extend([
        b"{\"a\":\"\xff\"}".to_vec(),
        b"\x00\x01\x02".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
    ]);
    for body in bodies {
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            let page = post(&server, kind, body.clone()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            assert_eq!(page.status, 400, "{kind} {shown}: {page:?}");
            assert!(page.json()["error_description"].is_string(), "{shown}");
        }
    }
    let large = json!({ "client_name": "a".repeat(70_000) }).to_string();
    assert_eq!(post(&server, "application/json", large).await.status, 413);
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "0");
    assert_eq!(server.get("/readyz").await.status, 200);
}
