//! The calendar page, against a vault that says what the test wants.

use axum::http::StatusCode;
use sample::Config;
use tokio::net::TcpListener;

use crate::browser::{Browser, Sample, everything};

const SCOPE: &str = "https://www.googleapis.com/auth/calendar.readonly";

#[tokio::test]
async fn an_account_is_connected_once_and_its_calendars_are_shown() {
    let (provider, _sample, mut browser, _data) = everything().await;
    assert_eq!(browser.get("/calendar").await.location.as_deref(), Some("/"), "signed out");
    browser.sign_in().await;
    assert!(browser.get("/").await.body.contains("href=\"/calendar\""));

    provider.knobs().vault.error = Some((StatusCode::NOT_FOUND, "connection_not_found"));
    let page = browser.get("/calendar").await;
    assert!(page.body.contains("Connect your Google account<"), "{}", page.body);

    let off = browser.get("/calendar/connect").await;
    let url = format!("{}/connect/grt_cl_1", provider.issuer);
    assert_eq!((off.status, off.location), (StatusCode::SEE_OTHER, Some(url)));
    let back = browser.get("/calendar/connected?connect_code=grt_cc_1").await;
    assert_eq!(back.location.as_deref(), Some("/calendar?note=connected"));

    provider.knobs().vault.error = None;
    let page = browser.get("/calendar?note=connected").await;
    for shown in ["is connected", "Holidays", "&lt;b&gt;Work", "ada@gmail.example", "55 min left"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    let asked = provider.knobs().vault.asked.clone();
    let paths: Vec<_> = asked.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["token", "begin", "complete", "token"]);
    assert_eq!(asked[0].1["subject"], "person-1");
    assert_eq!(asked[1].1["scopes"][0], SCOPE);
    assert_eq!(asked[1].1["mode"], "bound");
    assert_eq!(asked[1].1["return_url"], format!("{}/calendar/connected", browser.base));
    assert_eq!(asked[2].1["subject"], "person-1", "the vault compares it with the session's");
}

#[tokio::test]
async fn a_new_token_is_asked_for_by_a_button() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    assert!(browser.get("/calendar").await.body.contains("the stored one was good"));
    let page = browser.post("/calendar/refresh").await;
    assert!(page.body.contains(">yes<") && page.body.contains("asked for a new token"));
    assert!(!page.body.contains("ya29."), "no token in a page");

    let body = browser.get("/api/calendar").await.json();
    assert_eq!((&body["connected"], &body["calendars"][0]), (&true.into(), &"Holidays".into()));
    provider.knobs().vault.shut = true;
    let page = browser.get("/calendar").await;
    assert!(page.body.contains("did not take the token"), "{}", page.body);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    for (status, error, shown) in [
        (StatusCode::CONFLICT, "reauth_required", "Google account again"),
        (StatusCode::FORBIDDEN, "insufficient_scope", "not allowed Fieldnotes to read"),
        (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "does not answer"),
        (StatusCode::UNAUTHORIZED, "invalid_token", "Check the API key"),
    ] {
        provider.knobs().vault.error = Some((status, error));
        let page = browser.get("/calendar").await;
        assert!(page.body.contains(shown), "{error}: {}", page.body);
    }
    let body = browser.get("/api/calendar").await.json();
    assert_eq!(body["error"], "vault_error");
    let page = browser.get("/calendar/connected?error=access_denied").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let page = browser.get("/calendar/connected?connect_code=grt_cc_of_another").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.body.contains("invalid_grant"), "{}", page.body);
}

#[tokio::test]
async fn without_an_api_key_there_is_no_calendar() {
    let provider = crate::provider::start().await;
    let data = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let config = Config::new(&provider.issuer, "sample", &base, data.path());
    let _sample = Sample::start_with(config, listener).await;
    let mut browser = Browser::at(&base);
    assert_eq!(browser.get("/calendar").await.status, StatusCode::NOT_FOUND);
    assert!(!browser.get("/").await.body.contains("/calendar"));
}
