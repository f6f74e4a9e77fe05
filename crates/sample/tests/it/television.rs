//! The page that plays a television, against a provider that says what the test wants: RFC 8628.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sample::Config;
use tokio::net::TcpListener;

use crate::browser::{Browser, Page, Sample, everything};
use crate::devices::Said;

/// A television with a code on it.
async fn switch_on(browser: &mut Browser) -> Page {
    let on = browser.post("/device").await;
    assert_eq!((on.status, on.location.as_deref()), (StatusCode::SEE_OTHER, Some("/device")));
    browser.get("/device").await
}

/// What the television shows once it no longer waits.
async fn outcome(browser: &mut Browser) -> Page {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let page = browser.get("/device").await;
        if !page.body.contains("http-equiv") {
            return page;
        }
        assert!(Instant::now() < patience, "it still waits: {}", page.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_code_is_shown_until_somebody_allows_it() {
    let (provider, _sample, mut browser, _data) = everything().await;
    assert!(browser.get("/").await.body.contains("href=\"/device\""));
    assert!(browser.get("/device").await.body.contains("Show a code"));
    let page = switch_on(&mut browser).await;
    let text = page.body.replace("&#x2f;", "/");
    for shown in [
        "WDJB-MJH1",
        "href=\"http://localhost:5050/device\"",
        "<img class=\"qr\" src=\"/device/qr.svg\"",
        "<meta http-equiv=\"refresh\" content=\"2\">",
        " min left",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(!text.contains("device-1"), "the device code is for the provider only");
    let asked = provider.knobs().devices.asked[0].clone();
    assert_eq!((&*asked["client_id"], &*asked["scope"]), ("sample-tv", "openid profile read"));
    assert!(!asked.contains_key("client_secret"));
    provider.knobs().devices.script.push_back(Said::Allowed);
    let page = outcome(&mut browser).await;
    for shown in ["Ada Lovelace", "This television is signed in", "<code>read</code>", "person-1"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(!page.body.contains("access-") && !page.body.contains("refresh-"), "{}", page.body);
    // It is the television that is signed in, not this browser at the site.
    assert_eq!(browser.get("/api/me").await.status, StatusCode::UNAUTHORIZED);
    browser.post("/device/off").await;
    assert!(browser.get("/device").await.body.contains("Show a code"));
    assert!(provider.knobs().revoked[0].starts_with("refresh-"));
}

#[tokio::test]
async fn the_interval_is_kept_and_slowing_down_lasts() {
    let (provider, _sample, mut browser, _data) = everything().await;
    provider.knobs().devices.script.extend([Said::SlowDown, Said::Allowed]);
    let shown_at = Instant::now();
    switch_on(&mut browser).await;
    let page = outcome(&mut browser).await;
    assert!(page.body.contains("Ada Lovelace"), "{}", page.body);
    let knobs = provider.knobs();
    let first = knobs.devices.polls[0].0 - shown_at;
    assert!(first >= Duration::from_millis(950), "the first question came after {first:?}");
    let gaps = knobs.devices.gaps();
    assert!(gaps.len() == 2 && gaps[0] > 0.95 && gaps[1] > 5.95, "{gaps:?}");
}

#[tokio::test]
async fn a_no_and_a_code_that_ran_out_end_in_words() {
    for (said, words) in [(Said::Denied, "It was not allowed"), (Said::Expired, "has run out")] {
        let (provider, _sample, mut browser, _data) = everything().await;
        provider.knobs().devices.script.push_back(said);
        switch_on(&mut browser).await;
        let page = outcome(&mut browser).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.body.contains(words) && page.body.contains("Get a new code"), "{}", page.body);
        assert_eq!(browser.get("/device/qr.svg").await.status, StatusCode::NOT_FOUND);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(provider.knobs().devices.polls.len(), 2, "nobody asks any more");
        assert!(switch_on(&mut browser).await.body.contains("WDJB-MJH2"));
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again_later() {
    let (provider, _sample, mut browser, _data) = everything().await;
    provider.knobs().devices.script.extend([Said::Away, Said::Allowed]);
    switch_on(&mut browser).await;
    let page = outcome(&mut browser).await;
    assert!(page.body.contains("Ada Lovelace"), "{}", page.body);
    let gaps = provider.knobs().devices.gaps();
    // RFC 8628 §3.5: twice as long after a failure.
    assert!(gaps[1] > 1.95, "{gaps:?}");
}

#[tokio::test]
async fn each_browser_has_a_television_of_its_own_with_one_code() {
    let (provider, sample, mut browser, _data) = everything().await;
    switch_on(&mut browser).await;
    let image = browser.get("/device/qr.svg").await;
    assert_eq!(image.status, StatusCode::OK);
    assert_eq!(image.headers["content-type"], "image/svg+xml");
    assert!(image.body.contains("<svg"), "{}", image.body);
    let mut other = Browser::at(&sample.base);
    assert!(other.get("/device").await.body.contains("Show a code"));
    assert_eq!(other.get("/device/qr.svg").await.status, StatusCode::NOT_FOUND);
    let page = switch_on(&mut browser).await;
    assert!(page.body.contains("WDJB-MJH2") && !page.body.contains("WDJB-MJH1"));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let polls = provider.knobs().devices.polls.clone();
    assert!(polls.iter().all(|(_, code)| code == "device-2"), "{polls:?}");
}

#[tokio::test]
async fn foreign_forms_and_foreign_addresses_are_refused() {
    let (provider, _sample, mut browser, _data) = everything().await;
    for path in ["/device", "/device/off"] {
        let page = browser.post_with(path, Some(("origin", "http://evil.example"))).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert!(provider.knobs().devices.asked.is_empty());
    provider.knobs().devices.verification_uri = "javascript:alert(1)".to_owned();
    let page = browser.post("/device").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
    assert!(!page.body.contains("javascript"), "{}", page.body);
}

#[tokio::test]
async fn without_the_endpoint_or_a_client_for_it_there_are_words() {
    let (provider, _sample, mut browser, data) = everything().await;
    provider.knobs().devices.none = true;
    let page = browser.post("/device").await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.body.contains("knows no televisions"), "{}", page.body);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let config = Config::new(&provider.issuer, "sample", &base, data.path());
    let _plain = Sample::start_with(config, listener).await;
    let mut browser = Browser::at(&base);
    assert!(!browser.get("/").await.body.contains("/device"));
    for page in [browser.get("/device").await, browser.post("/device").await] {
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
    }
}
