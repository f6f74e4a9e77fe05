//! Faults on demand, and that a call is processed or not as they say.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::{CALENDAR, Google, Page, read};

/// A stand-in, and a refresh token to call it with.
async fn with_token() -> (Arc<Google>, Value) {
    let google = Google::start().await;
    let token = google.issue(&[CALENDAR]).await["refresh_token"].clone();
    (Arc::new(google), token)
}

/// A refresh that nobody answers.
async fn lost(google: &Google, token: &Value) -> reqwest::Error {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str().expect("text")),
        ("client_id", super::support::ID),
        ("client_secret", super::support::SECRET),
    ];
    match google.post("/token").form(&form).send().await {
        Ok(answer) => answer.text().await.expect_err("no whole answer"),
        Err(error) => error,
    }
}

fn is_reset(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.downcast_ref().is_some_and(|io: &Error| io.kind() == ErrorKind::ConnectionReset) {
            return true;
        }
        cause = one.source();
    }
    false
}

/// The refreshes that were answered, by status.
async fn answered(google: &Google) -> Value {
    google.counts().await["grant_types"]["refresh_token"]["answered"].clone()
}

#[tokio::test]
async fn an_answer_of_any_kind_replaces_the_own_and_only_once() {
    let (google, token) = with_token().await;
    let ask = async |fault: Value| -> Page {
        google.fault("token", fault).await;
        google.refresh(&token).await
    };
    let page = ask(json!({"html": 503})).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (503, "text/html; charset=utf-8")
    );
    let page = ask(json!({"too_many": {"retry_after": 7}})).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, "7"));
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    let page = ask(json!({"too_many": {"retry_after": date, "html": true}})).await;
    assert_eq!((page.header("retry-after"), page.text.starts_with('<')), (date, true));
    let error = json!({"error": "invalid_grant", "description": "Why.", "subtype": "invalid_rapt"});
    let page = ask(json!({"error": error})).await;
    assert_eq!(page.refusal(), (400, "invalid_grant".to_owned(), "Why.".to_owned()));
    assert_eq!(page.json()["error_subtype"], "invalid_rapt");
    let page = ask(json!({"error": {"status": 200, "error": "server_error"}})).await;
    assert_eq!((page.status.as_u16(), &page.json()["error"]), (200, &json!("server_error")));
    let page = ask(json!({"answer": {"status": 418, "content_type": "a/b", "body": "c"}})).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type"), page.text.as_str()),
        (418, "a/b", "c")
    );
    assert_eq!(google.refresh(&token).await.status, 200, "once each");
    // Every endpoint has them.
    google.fault("certs", json!({"html": 502})).await;
    assert_eq!(read(google.get("/oauth2/v3/certs")).await.status, 502);
}

#[tokio::test]
async fn an_answer_can_be_spoilt() {
    let (google, token) = with_token().await;
    let ask = async |fault: Value| -> Page {
        google.fault("token", fault).await;
        google.refresh(&token).await
    };
    for value in [json!("3599"), json!(-5), json!(0), json!(1.5), json!("soon")] {
        let page = ask(json!({"change": {"expires_in": value}})).await;
        assert_eq!(page.json()["expires_in"], value);
        assert!(page.json()["access_token"].is_string());
    }
    let page = ask(json!({"change": {"expires_in": null, "refresh_token": ""}})).await.json();
    assert_eq!((page.get("expires_in"), &page["refresh_token"]), (None, &json!("")));
    let page = ask(json!({"content_type": "text/plain"})).await;
    assert_eq!(
        (page.header("content-type"), page.json()["expires_in"].as_i64()),
        ("text/plain", Some(3599))
    );
    let page = ask(json!("truncated")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.starts_with('{') && serde_json::from_str::<Value>(&page.text).is_err());
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_call_is_processed() {
    let (google, token) = with_token().await;
    // One that ends the grant shows whether it was processed.
    for (fault, processed) in [("reset_before", false), ("reset", true)] {
        google.fault("revoke", json!(fault)).await;
        let form = [("token", token.as_str().expect("text"))];
        let error = google.post("/revoke").form(&form).send().await.expect_err("no answer");
        assert!(is_reset(&error), "{error:?}");
        let alive = google.refresh(&token).await.status == 200;
        assert_eq!(alive, !processed, "{fault}");
    }
}

#[tokio::test]
async fn an_answer_breaks_off_in_the_middle() {
    let (google, token) = with_token().await;
    google.fault("token", json!("cut")).await;
    let error = lost(&google, &token).await;
    assert!(error.is_body() || error.is_decode() || error.is_request(), "{error:?}");
    assert_eq!(answered(&google).await, json!({"200": 1}));
}

#[tokio::test]
async fn an_answer_drips() {
    let (google, token) = with_token().await;
    google.fault("token", json!({"drip": {"bytes": 20, "ms": 20}})).await;
    let began = Instant::now();
    let page = google.refresh(&token).await;
    // Head and body have over five hundred bytes.
    let slow = Duration::from_millis(500);
    assert!(began.elapsed() >= slow, "{:?}", began.elapsed());
    assert!(page.json()["access_token"].is_string(), "it arrives whole");
    // The next request may well be on the same connection.
    let began = Instant::now();
    google.counts().await;
    assert!(began.elapsed() < slow, "{:?}", began.elapsed());
}

#[tokio::test]
async fn latency_comes_before_or_after_and_a_caller_that_leaves_changes_nothing() {
    let (google, token) = with_token().await;
    for fault in [json!({"latency": 50}), json!({"latency_before": 50})] {
        google.fault("token", fault).await;
        let began = Instant::now();
        assert_eq!(google.refresh(&token).await.status, 200);
        assert!(began.elapsed() >= Duration::from_millis(50));
    }
    google.fault("revoke", json!({"latency_before": 600})).await;
    let form = [("token", token.as_str().expect("text"))];
    let request = google.post("/revoke").form(&form).timeout(Duration::from_millis(300));
    assert!(request.send().await.expect_err("too slow").is_timeout());
    google.control("wait", json!({"endpoint": "revoke", "calls": 1, "in_flight": 0})).await;
    assert_eq!(google.refresh(&token).await.status, 400, "it was processed all the same");
}

#[tokio::test]
async fn a_held_answer_waits_until_it_is_released() {
    let (google, token) = with_token().await;
    for fault in ["hold", "hold_before"] {
        google.control("faults", json!({"endpoint": "token", "times": 2, "fault": fault})).await;
        let mut tasks = Vec::new();
        for held in 1..=2 {
            let (own, token) = (google.clone(), token.clone());
            tasks.push(tokio::spawn(async move { own.refresh(&token).await.status }));
            google.control("wait", json!({"held": held, "in_flight": held})).await;
        }
        assert_eq!(google.counts().await["held"], 2);
        assert!(tasks.iter().all(|task| !task.is_finished()));
        let one = google.control("release", json!({"endpoint": "token", "most": 1})).await;
        assert_eq!(one, json!({"released": 1}));
        assert_eq!(tasks.remove(0).await.expect("no panic"), 200, "the oldest goes first");
        assert!(!tasks[0].is_finished());
        google.control("release", json!({})).await;
        assert_eq!(tasks.remove(0).await.expect("no panic"), 200);
    }
    assert_eq!(google.refresh(&token).await.status, 200, "held no more");
}

#[tokio::test]
async fn a_fault_is_for_the_calls_it_names() {
    let (google, token) = with_token().await;
    let other = google.issue(&[CALENDAR]).await["refresh_token"].clone();
    let grants = read(google.get("/_control/grants")).await.json();
    let print = grants["grants"][0]["refresh_tokens"][1].clone();
    let fault = json!({
        "endpoint": "token", "refresh_token": print, "skip": 1, "times": 2, "fault": {"html": 500},
    });
    google.control("faults", fault).await;
    for (which, status) in
        [(&token, 200), (&other, 200), (&other, 500), (&other, 500), (&other, 200)]
    {
        assert_eq!(google.refresh(which).await.status.as_u16(), status);
    }
    let fault = json!({
        "endpoint": "token", "grant_type": "authorization_code", "until_cleared": true,
        "fault": {"html": 500},
    });
    google.control("faults", fault).await;
    assert_eq!(google.refresh(&token).await.status, 200, "another grant type");
    for _ in 0..3 {
        assert_eq!(google.redeem("4/0A").await.status, 500);
    }
    let set = read(google.get("/_control/faults")).await.json();
    assert_eq!(set["faults"].as_array().map(Vec::len), Some(1));
    let url = format!("{}/_control/faults?endpoint=token", google.base);
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .expect("a client")
        .delete(url)
        .send()
        .await
        .expect("an answer");
    assert_eq!(google.redeem("4/0A").await.status, 400);
}

#[tokio::test]
async fn several_faults_of_one_call_come_in_their_order() {
    let (google, token) = with_token().await;
    google.fault("token", json!("hold")).await;
    google.fault("token", json!("reset")).await;
    let task = {
        let (google, token) = (google.clone(), token.clone());
        tokio::spawn(async move { lost(&google, &token).await })
    };
    google.control("wait", json!({"held": 1})).await;
    google.control("release", json!({})).await;
    task.await.expect("no panic");
    google.control("wait", json!({"in_flight": 0})).await;
    assert_eq!(answered(&google).await, json!({}), "processed, and never answered");
}
