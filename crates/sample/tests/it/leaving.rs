//! Signing out here and at the provider, and who may cause it.

use axum::http::StatusCode;

use crate::browser::everything;

#[tokio::test]
async fn signing_out_ends_both_sides() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    let mut thief = browser.clone();
    let page = browser.post("/signout").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let url = url::Url::parse(&page.location.expect("to the provider")).expect("a URL");
    assert_eq!(url.as_str().split('?').next(), Some(&*format!("{}/logout", provider.issuer)));
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]);
    assert!(provider.knobs().revoked[0].starts_with("refresh-"));
    assert!(!browser.cookies.contains_key("fieldnotes_session"));
    assert_eq!(thief.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
    assert!(browser.get("/?state=x").await.body.contains("You are signed out."));
}

#[tokio::test]
async fn only_own_pages_and_programs_may_sign_out_or_refresh() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    for path in ["/signout", "/refresh", "/api/refresh"] {
        for foreign in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            let page = browser.post_with(path, Some(foreign)).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path} {foreign:?}");
        }
        assert_eq!(browser.get(path).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(provider.knobs().refreshes.is_empty());
    assert_eq!(browser.post_with("/api/refresh", None).await.status, StatusCode::OK);
    assert_eq!(browser.post_with("/signout", None).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_out_twice_is_no_error() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    let page = browser.post("/signout").await;
    assert_eq!(page.location.as_deref(), Some("/?note=signed-out"));
}
