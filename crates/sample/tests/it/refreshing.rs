//! Tokens stay fresh: early, once for all, after one 401, and never at the price of a sign-in.

use std::time::Duration;

use axum::http::StatusCode;

use crate::browser::everything;

#[tokio::test]
async fn an_expired_token_is_refreshed_once_for_fifty_requests() {
    let (provider, _sample, mut browser, _data) = everything().await;
    provider.knobs().code_lifetime = 1;
    browser.sign_in().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let calls = (0..50).map(|_| {
        let mut browser = browser.clone();
        tokio::spawn(async move { browser.get("/api/protected").await })
    });
    for call in calls.collect::<Vec<_>>() {
        let page = call.await.expect("runs");
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert_eq!(page.json()["body"]["data"], "This is protected data");
    }
    assert_eq!(provider.knobs().refreshes.len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_refreshed_and_tried_once_more() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    provider.forget_access_tokens();
    let page = browser.get("/api/protected").await;
    assert_eq!((page.status, &page.json()["refreshed"]), (StatusCode::OK, &true.into()));
    provider.knobs().refuse_every_token = true;
    provider.knobs().api_calls = 0;
    let page = browser.get("/api/protected").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert_eq!(page.json()["body"]["error"], "invalid_token");
    assert_eq!(provider.knobs().api_calls, 2);
    assert_eq!(browser.get("/api/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn refreshing_on_request_goes_on_with_the_newest_token() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    for _ in 0..3 {
        assert_eq!(browser.post("/api/refresh").await.status, StatusCode::OK);
    }
    let used = provider.knobs().refreshes.clone();
    assert_eq!(used.iter().collect::<std::collections::HashSet<_>>().len(), 3, "{used:?}");
    let page = browser.post("/refresh").await;
    assert_eq!(page.location.as_deref(), Some("/?note=refreshed"));
    assert!(browser.get("/?note=refreshed").await.body.contains("Your tokens were refreshed."));
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let (provider, _sample, mut browser, _data) = everything().await;
    provider.knobs().rotate = false;
    browser.sign_in().await;
    for _ in 0..2 {
        assert_eq!(browser.post("/api/refresh").await.status, StatusCode::OK);
    }
    let used = provider.knobs().refreshes.clone();
    assert_eq!(used[0], used[1]);
}

#[tokio::test]
async fn invalid_grant_ends_the_sign_in_with_words() {
    let (provider, _sample, mut browser, data) = everything().await;
    browser.sign_in().await;
    provider.knobs().refuse_refresh = Some((StatusCode::BAD_REQUEST, "invalid_grant"));
    let page = browser.post("/refresh").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.body.contains("You have been signed out") && page.body.contains("Sign in</a>"));
    assert!(!browser.cookies.contains_key("fieldnotes_session"));
    let left = std::fs::read_dir(data.path().join("sessions")).expect("a folder").count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_provider_that_is_away_does_not_stop_a_token_that_works() {
    let (provider, _sample, mut browser, _data) = everything().await;
    provider.knobs().code_lifetime = 4;
    browser.sign_in().await;
    provider.knobs().refuse_refresh = Some((StatusCode::SERVICE_UNAVAILABLE, "server_error"));
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for _ in 0..2 {
        assert_eq!(browser.get("/api/protected").await.status, StatusCode::OK);
    }
    assert_eq!(provider.knobs().refreshes.len(), 1);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let page = browser.get("/api/protected").await;
    assert!(page.status.is_server_error(), "{}", page.body);
    provider.knobs().refuse_refresh = None;
    assert_eq!(browser.get("/api/protected").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_browser_that_hangs_up_loses_no_token() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    let mut impatient = browser.clone();
    let task = tokio::spawn(async move { impatient.post("/api/refresh").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    task.abort();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(browser.post("/api/refresh").await.status, StatusCode::OK);
    assert_eq!(provider.knobs().refreshes.len(), 2);
}
