//! ID tokens: OpenID Connect Core 1.0 §2, checked by another implementation.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::smtp::{programs, python};
use crate::support::{Request, STATIC_TOKEN, Server, Tokens};

#[tokio::test]
async fn every_registered_algorithm_signs_and_verifies() {
    let server = Server::start().await;
    let jwks = server.get("/jwks.json").await.json();
    for alg in ["ES256", "RS256", "EdDSA", "PS256"] {
        let app = server.app_with(&alg.to_lowercase(), &["--id-token-alg", alg]);
        let tokens = server.tokens(&app, "ada").await;
        let (header, claims) = tokens.id_token();
        assert_eq!(header["alg"], alg);
        let keys = jwks["keys"].as_array().expect("keys");
        let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("a published key");
        assert!(key.get("d").is_none() && key["use"] == "sig" && key["alg"] == alg, "{key}");
        verify(&tokens, &jwks, alg);
        assert_eq!(claims["aud"], app.id.as_str());
    }
}

#[tokio::test]
async fn es256_is_the_algorithm_of_clients_made_by_hand() {
    let server = Server::start().await;
    let tokens = server.tokens(&server.app("notes"), "ada").await;
    assert_eq!(tokens.id_token().0["alg"], "ES256");
}

#[tokio::test]
async fn the_claims_are_those_of_the_request_and_the_person() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &request).await;
    let claims = tokens.id_token().1;
    assert_eq!(claims["iss"], server.issuer.as_str());
    assert_eq!(claims["aud"], "notes");
    assert_eq!(claims["azp"], "notes");
    assert_eq!(claims["nonce"], request.value("nonce"));
    assert_eq!(claims["acr"], "admin_token");
    assert_eq!(claims["amr"], serde_json::json!(["pin"]), "a fixed token, RFC 8176 §2");
    let time = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name}: {claims}"));
    assert_eq!(time("exp") - time("iat"), 3600);
    assert!((0..60).contains(&(time("iat") - time("auth_time"))));
    assert_eq!(claims["sub"], server.bearer("/userinfo", &tokens.access).await.json()["sub"]);

    // OpenID Connect Core 1.0 §12.2: the same person, the same sign-in, no nonce of a new request.
    let later = Tokens::of(&server.refresh(&app, &tokens.refresh).await).id_token().1;
    for same in ["iss", "sub", "aud", "auth_time", "acr"] {
        assert_eq!(later[same], claims[same], "{same}");
    }
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app).with("scope", "read");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    assert!(tokens.json.get("id_token").is_none(), "{}", tokens.json);
    assert_eq!(tokens.json["scope"], "read");
}

#[tokio::test]
async fn a_rotated_key_signs_and_the_old_one_still_verifies() {
    let server = Server::setup()
        .set("keys.publish_ahead", "0s")
        .set("keys.algorithms", vec!["ES256", "RS256"])
        .start()
        .await;
    let app = server.app("notes");
    let browser = server.browser();
    let before = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    server.cli().json(&["key", "rotate"]);
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;

    let after = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    assert_ne!(before.id_token().0["kid"], after.id_token().0["kid"]);
    let jwks = server.get("/jwks.json").await.json();
    verify(&before, &jwks, "ES256");
    verify(&after, &jwks, "ES256");
}

#[tokio::test]
async fn a_password_is_told_apart_from_a_token() {
    let server = Server::start().await;
    server.person("ada", "correct horse battery");
    let app = server.app("notes");
    let request = Request::of(&app).and("acr_values", "password");
    let browser = server.browser();
    let page = browser.open(&request.url(&server)).await;
    assert!(!page.says(STATIC_TOKEN));
    let form = page.form_with("password").with("username", "ada");
    let page = browser.send_form(&form.with("password", "correct horse battery")).await;
    let page = browser.send_form(&page.form("/consent").with("decision", "allow")).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    let claims = tokens.id_token().1;
    assert_eq!(
        (claims["acr"].as_str(), &claims["amr"]),
        (Some("password"), &serde_json::json!(["pwd"]))
    );
}

/// Has PyPI jwcrypto verify the signature and the `at_hash`.
fn verify(tokens: &Tokens, jwks: &Value, alg: &str) {
    let input = serde_json::json!({
        "id_token": tokens.json["id_token"],
        "access_token": tokens.access,
        "jwks": jwks,
        "alg": alg,
    });
    let program = programs().join("python/verify_id_token.py");
    let mut child =
        Command::new(python()).arg(program).stdin(Stdio::piped()).spawn().expect("python");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.to_string().as_bytes()).expect("written");
    drop(stdin);
    assert!(child.wait().expect("waited").success(), "{alg}: not verified");
}
