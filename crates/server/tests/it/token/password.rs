//! The password grant, for clients that cannot change: RFC 6749 §4.3.

use crate::support::{Server, Tokens, assert_error};

fn grant<'a>(username: &'a str, password: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "password"),
        ("username", username),
        ("password", password),
        ("scope", "openid read"),
    ]
}

const PASSWORD: &str = "a long enough phrase";

#[tokio::test]
async fn it_is_off_unless_the_operator_says_so() {
    let server = Server::start().await;
    let legacy = server.app_with("legacy", &["--grant", "password"]);
    server.person("ada", PASSWORD);
    let page = server.token(&legacy, &grant("ada", PASSWORD)).await;
    assert_error(&page, 400, "unsupported_grant_type", "Grant type password is not supported.");
    let json = server.get("/.well-known/openid-configuration").await.json();
    assert!(!json["grant_types_supported"].to_string().contains("password"));
}

#[tokio::test]
async fn a_name_and_a_password_become_tokens() {
    let server = Server::setup().set("grants.password", true).start().await;
    let legacy = server.app_with("legacy", &["--grant", "password", "--grant", "refresh_token"]);
    server.person("ada", PASSWORD);
    let tokens = Tokens::of(&server.token(&legacy, &grant("ada", PASSWORD)).await);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
    let (_, claims) = tokens.id_token();
    assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
    assert_eq!(server.refresh(&legacy, &tokens.refresh).await.status, 200);
    for (username, password) in [("ada", "wrong wrong wrong"), ("nobody", PASSWORD)] {
        let page = server.token(&legacy, &grant(username, password)).await;
        assert_error(&page, 400, "invalid_grant", "The username or the password is wrong.");
    }
    let other = server.app("other");
    let text = "This client is not registered for the grant type password.";
    let page = server.token(&other, &grant("ada", PASSWORD)).await;
    assert_error(&page, 400, "unauthorized_client", text);
    let page = server.token(&legacy, &[("grant_type", "password"), ("username", "ada")]).await;
    assert_error(&page, 400, "invalid_request", "The parameter password is missing.");
}

#[tokio::test]
async fn a_disabled_account_is_refused_now_and_at_the_refresh() {
    let server = Server::setup().set("grants.password", true).start().await;
    let legacy = server.app_with("legacy", &["--grant", "password", "--grant", "refresh_token"]);
    server.person("ada", PASSWORD);
    let tokens = Tokens::of(&server.token(&legacy, &grant("ada", PASSWORD)).await);
    server.cli().ok(&["user", "disable", "ada"]);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    assert_eq!(server.refresh(&legacy, &tokens.refresh).await.status, 400);
    let page = server.token(&legacy, &grant("ada", PASSWORD)).await;
    assert_error(&page, 400, "invalid_grant", "The username or the password is wrong.");
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let server =
        Server::setup().set("grants.password", true).set("limits.sign_in", 3).start().await;
    let legacy = server.app_with("legacy", &["--grant", "password"]);
    server.person("ada", PASSWORD);
    for _ in 0..3 {
        let page = server.token(&legacy, &grant("ada", "wrong wrong wrong")).await;
        assert_eq!(page.status, 400);
    }
    let page = server.token(&legacy, &grant("ada", PASSWORD)).await;
    let text = "Rate limit exceeded. Please try again later.";
    assert_error(&page, 429, "too_many_requests", text);
    assert!(page.header("retry-after").is_some());
}
