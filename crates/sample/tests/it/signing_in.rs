//! The code flow, and everything that must not sign anybody in.

use axum::http::StatusCode;
use tokio::net::TcpListener;

use crate::browser::{Browser, Sample, everything};
use crate::provider;

#[tokio::test]
async fn a_person_signs_in_and_sees_who_and_for_how_long() {
    let (provider, _sample, mut browser, data) = everything().await;
    let welcome = browser.get("/").await;
    assert!(welcome.body.contains("href=\"/signin\""), "{}", welcome.body);
    browser.sign_in().await;
    let home = browser.get("/").await.body;
    for expected in ["Ada Lovelace", "ada@example.com", "person-1", " min left<", "Call the API"] {
        assert!(home.contains(expected), "{expected} in {home}");
    }
    let knobs = provider.knobs();
    let request = &knobs.requests[0];
    assert_eq!(request["response_type"], "code");
    assert_eq!(request["scope"], "openid profile email read");
    assert_eq!(request["redirect_uri"], format!("{}/callback", browser.base));
    drop(knobs);
    let files = std::fs::read_dir(data.path().join("sessions")).expect("a folder");
    for file in files {
        let path = file.expect("a file").path();
        let (name, raw) = (path.display().to_string(), std::fs::read(&path).expect("reads"));
        assert!(!name.contains(&browser.cookies["fieldnotes_session"]));
        assert!(!String::from_utf8_lossy(&raw).contains("refresh-"));
    }
}

#[tokio::test]
async fn several_tabs_and_only_once_each() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    let (first, second) = (browser.reach_callback().await, browser.reach_callback().await);
    for callback in [&second, &first] {
        assert_eq!(browser.get(callback).await.status, StatusCode::SEE_OTHER);
    }
    let again = browser.get(&first).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("no longer open") && again.body.contains("Sign in"));
}

#[tokio::test]
async fn a_wrong_or_missing_state_is_refused() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    let callback = browser.reach_callback().await;
    let code_only = callback.split("&state").next().expect("a code").to_owned();
    for bad in [format!("{code_only}&state=wrong"), code_only, format!("{callback}&code=x")] {
        let page = browser.get(&bad).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{bad}");
        assert!(!browser.cookies.contains_key("fieldnotes_session"));
    }
    assert_eq!(browser.get(&callback).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_foreign_browser_is_refused_and_spoils_nothing() {
    let (_provider, sample, mut browser, _data) = everything().await;
    let callback = browser.reach_callback().await;
    let mut stranger = Browser::at(&sample.base);
    stranger.get("/signin").await;
    let page = stranger.get(&callback).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("another browser"), "{}", page.body);
    assert_eq!(browser.get(&callback).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_or_missing_issuer_is_refused() {
    let (provider, _sample, mut browser, _data) = everything().await;
    for iss in [Some("http://evil.example".to_owned()), None] {
        provider.knobs().iss = iss;
        let callback = browser.reach_callback().await;
        let page = browser.get(&callback).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.body.contains("someone else"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_wrong_nonce_or_signature_is_refused() {
    let (provider, _sample, mut browser, _data) = everything().await;
    for (wrong_nonce, foreign_key) in [(true, false), (false, true)] {
        provider.knobs().wrong_nonce = wrong_nonce;
        provider.knobs().foreign_key = foreign_key;
        let callback = browser.reach_callback().await;
        let page = browser.get(&callback).await;
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
        assert!(!browser.cookies.contains_key("fieldnotes_session"));
    }
}

#[tokio::test]
async fn a_person_who_declines_is_told_so() {
    let (provider, _sample, mut browser, _data) = everything().await;
    let start = browser.get("/signin?prompt=login&max_age=60").await;
    let url = url::Url::parse(&start.location.expect("to the provider")).expect("a URL");
    let sent =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
    assert_eq!((sent("prompt"), sent("max_age")), (Some("login".into()), Some("60".into())));
    let state = sent("state").expect("a state");
    let answer = format!("error=access_denied&state={state}&iss={}", provider.issuer);
    let page = browser.get(&format!("/callback?{answer}")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("You did not allow it"), "{}", page.body);
}

#[tokio::test]
async fn max_age_needs_an_auth_time() {
    let (_provider, _sample, mut browser, _data) = everything().await;
    let start = browser.get("/signin?max_age=60").await;
    let at_provider = browser.get(&start.location.expect("to the provider")).await;
    let page = browser.get(&at_provider.location.expect("leads back")).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
    assert_eq!(browser.get("/signin?prompt=evil").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_provider_may_start_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let data = tempfile::tempdir().expect("a folder");
    let sample = Sample::start(&format!("http://{address}"), data.path()).await;
    let mut browser = Browser::at(&sample.base);
    let page = browser.get("/signin").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.body.contains("does not answer") && page.body.contains("try again"));
    provider::start_on(TcpListener::bind(address).await.expect("the same port"));
    browser.sign_in().await;
}

#[tokio::test]
async fn a_restart_keeps_people_signed_in() {
    let (provider, sample, mut browser, data) = everything().await;
    browser.sign_in().await;
    sample.stop().await;
    let sample = Sample::start(&provider.issuer, data.path()).await;
    browser.base = sample.base.clone();
    let me = browser.get("/api/me").await;
    assert_eq!(me.json()["name"], "Ada Lovelace");
    assert_eq!(browser.post("/api/refresh").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_new_sign_in_replaces_the_earlier_one() {
    let (provider, _sample, mut browser, _data) = everything().await;
    browser.sign_in().await;
    let mut earlier = browser.clone();
    browser.sign_in().await;
    assert_eq!(earlier.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/api/me").await.status, StatusCode::OK);
    assert_eq!(provider.knobs().revoked.len(), 1);
}
