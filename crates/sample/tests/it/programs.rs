//! The JSON side, for curl and Postman, and the headers around every answer.

use axum::http::StatusCode;

use crate::browser::everything;

#[tokio::test]
async fn without_a_session_programs_are_told_where_to_sign_in() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    for path in ["/api/me", "/api/tokens", "/api/protected"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        let body = page.json();
        assert_eq!(body["error"], "login_required");
        assert_eq!(body["error_description"], body["message"]);
        assert_eq!(body["sign_in_url"], format!("{}/signin", browser.base));
    }
    let page = browser.post_with("/api/refresh", None).await;
    assert_eq!(page.json()["error"], "login_required");
    assert_eq!(browser.get("/api/nothing").await.json()["error"], "not_found");
    assert_eq!(browser.get("/call").await.location.as_deref(), Some("/"));
}

#[tokio::test]
async fn lifetimes_are_told_and_secrets_are_not() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    let page = browser.get("/api/tokens").await;
    let body = page.json();
    let left = body["access_token"]["expires_in"].as_u64().expect("a number");
    assert!((3500..=3600).contains(&left), "{body}");
    assert_eq!(body["scope"], "openid profile email read");
    assert_eq!(body["refresh_token"]["present"], true);
    let me = browser.get("/api/me").await;
    assert_eq!(me.json()["sub"], "person-1");
    assert_eq!(me.json()["email"], "ada@example.com");
    let pages = [page, me, browser.get("/").await, browser.get("/call").await];
    for page in pages {
        for secret in ["access-", "refresh-", "eyJ"] {
            assert!(!page.body.contains(&format!("\"{secret}")), "{secret} in {}", page.body);
        }
    }
}

#[tokio::test]
async fn every_answer_is_protected() {
    let (provider, _sample, mut browser, _data) = everything().await;
    for path in ["/", "/api/me", "/nowhere", "/fieldnotes.css", "/healthz"] {
        let headers = browser.get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().expect("plain");
        assert!(policy.contains("default-src 'none'") && policy.contains(&provider.issuer));
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
    }
    let set = browser.get("/signin").await;
    let cookie = set.headers["set-cookie"].to_str().expect("plain");
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
}
