//! The credentials of clients that register themselves: RFC 7591 §3.2.1.

use serde_json::{Value, json};

use super::{URI, app, open, register, registered};
use crate::support::{App, Server, Tokens, assert_error};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn kept(server: &Server, id: &str) -> String {
    server.sql(&format!("SELECT client_secret FROM oauth2_client WHERE client_id = '{id}'"))
}

#[tokio::test]
async fn a_chosen_secret_works_and_is_kept_as_a_slow_hash() {
    let server = open().start().await;
    server.seen.add("correct horse");
    let metadata = json!({
        "client_id": "client_id_123",
        "client_secret": "correct horse",
        "grant_types": ["client_credentials"],
    });
    let made = registered(&server, &metadata).await;
    assert_eq!(
        (&made["client_id"], &made["client_secret"]),
        (&"client_id_123".into(), &"correct horse".into())
    );
    assert!(kept(&server, "client_id_123").starts_with("$argon2id$"));
    let app = app(&made);
    for _ in 0..2 {
        assert_eq!(server.token(&app, &GRANT).await.status, 200);
    }
    let wrong = App { secret: Some("correct house".to_owned()), ..app };
    assert_eq!(server.token(&wrong, &GRANT).await.status, 401);
}

#[tokio::test]
async fn a_client_id_that_is_taken_is_refused() {
    let server = open().start().await;
    let metadata = json!({ "client_id": "notes", "redirect_uris": [URI] });
    let first = registered(&server, &metadata).await;
    let text = "This client_id is taken. Choose another, or leave it out to be given one.";
    assert_error(&register(&server, &metadata).await, 400, "invalid_client_metadata", text);
    let tokens = server.tokens(&app(&first), "ada").await;
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200, "it is untouched");
}

#[tokio::test]
async fn credentials_that_could_mislead_or_be_guessed_are_refused() {
    let server = open().start().await;
    for (member, value) in [
        ("client_id", json!("a b")),
        ("client_id", json!("a:b")),
        ("client_id", json!("ä")),
        ("client_id", json!("")),
        ("client_id", json!(7)),
        ("client_id", json!("a".repeat(201))),
        // It looks like the subject of a person.
        ("client_id", json!("0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d")),
        ("client_secret", json!("short")),
        ("client_secret", json!("")),
        ("client_secret", json!(["long enough"])),
        ("client_secret", json!("tab\tand more")),
        ("client_secret", json!("a".repeat(201))),
    ] {
        let mut metadata = json!({ "redirect_uris": [URI] });
        metadata[member] = value.clone();
        let page = register(&server, &metadata).await;
        let error = page.json()["error"].clone();
        assert_eq!((page.status, error), (400, "invalid_client_metadata".into()), "{value}");
    }
    let public = json!({
        "redirect_uris": [URI],
        "token_endpoint_auth_method": "none",
        "client_secret": "long enough",
    });
    assert_eq!(register(&server, &public).await.status, 400);
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "0", "nothing half registered");
}

#[tokio::test]
async fn a_secret_that_signs_is_kept_sealed() {
    let server = open().start().await;
    let method = |secret: Value| {
        json!({
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_jwt",
            "client_secret": secret,
        })
    };
    let made = registered(&server, &method(Value::Null)).await;
    assert!(kept(&server, made["client_id"].as_str().expect("an id")).starts_with("sealed:"));
    assert!(made["client_secret"].as_str().is_some_and(|own| own.len() >= 43), "{made}");
    // RFC 7518 §3.2: 256 bits for HS256.
    assert_eq!(
        register(&server, &method(json!("thirty-one characters are too few"[..31].to_owned())))
            .await
            .status,
        400
    );
    let long = "thirty-two characters are enough";
    server.seen.add(long);
    assert_eq!(registered(&server, &method(json!(long))).await["client_secret"], long);
}

#[tokio::test]
async fn a_client_with_keys_has_no_secret() {
    let server = open().start().await;
    let keys = server.get("/jwks.json").await.json();
    let metadata = json!({
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": keys,
    });
    let made = registered(&server, &metadata).await;
    assert!(made.get("client_secret").is_none() && made.get("client_secret_expires_at").is_none());
    assert_eq!(made["jwks"], keys);
    for (member, value) in [
        ("jwks", json!(null)),
        ("jwks", json!({"keys": []})),
        ("jwks", json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
        ("jwks_uri", json!("https://notes.example/jwks.json")),
        ("client_secret", json!("long enough")),
    ] {
        let mut metadata = metadata.clone();
        metadata[member] = value.clone();
        assert_eq!(register(&server, &metadata).await.status, 400, "{member}: {value}");
    }
    let mut there = metadata.clone();
    there["jwks"] = json!(null);
    there["jwks_uri"] = json!("https://notes.example/jwks.json");
    registered(&server, &there).await;
}

#[tokio::test]
async fn both_ways_to_send_a_secret_work_for_who_registered_one() {
    let server = open().start().await;
    let metadata = json!({
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "client_secret_post",
        "scope": "read",
    });
    let app = app(&registered(&server, &metadata).await);
    let tokens = Tokens::of(&server.token(&app, &GRANT).await);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
}
