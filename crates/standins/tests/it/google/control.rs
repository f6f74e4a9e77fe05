//! The control endpoints: counts, clock, keys, reset, and clear words for what they cannot use.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use standins::google::Client;

use super::support::{ADA, BACK, CALENDAR, Choice, Google, ID, SECRET, opened, read};

fn fingerprint(token: &Value) -> String {
    let digest = digest(&SHA256, token.as_str().expect("a token").as_bytes());
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn calls_are_counted_by_endpoint_grant_type_and_refresh_token() {
    let google = Google::start().await;
    let tokens = google.connect(&[("scope", CALENDAR)]).await;
    for _ in 0..3 {
        google.refresh(&tokens["refresh_token"]).await;
    }
    google.refresh(&json!("1//0never")).await;
    let counts = google.counts().await;
    assert_eq!(counts["endpoints"]["auth"]["calls"], 1);
    assert_eq!(counts["endpoints"]["token"]["calls"], 5);
    assert_eq!(counts["endpoints"]["token"]["answered"], json!({"200": 4, "400": 1}));
    assert_eq!(counts["grant_types"]["authorization_code"]["calls"], 1);
    assert_eq!(counts["grant_types"]["refresh_token"]["calls"], 4);
    let of = fingerprint(&tokens["refresh_token"]);
    assert_eq!(counts["refresh_tokens"][&of]["calls"], 3);
    assert!(!counts.to_string().contains(tokens["refresh_token"].as_str().expect("text")));
}

#[tokio::test]
async fn calls_under_way_are_counted() {
    let google = Arc::new(Google::start().await);
    let token = google.issue(&[CALENDAR]).await["refresh_token"].clone();
    google.control("faults", json!({"endpoint": "token", "times": 5, "fault": "hold"})).await;
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let (google, token) = (google.clone(), token.clone());
            tokio::spawn(async move { google.refresh(&token).await.status })
        })
        .collect();
    let of = fingerprint(&token);
    let seen =
        google.control("wait", json!({"refresh_token": of, "in_flight": 5, "held": 5})).await;
    assert_eq!(seen["refresh_tokens"][&of]["in_flight"], 5);
    google.control("release", json!({"refresh_token": of})).await;
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), 200);
    }
    google.control("wait", json!({"in_flight": 0})).await;
    let seen = google.counts().await;
    assert_eq!(seen["endpoints"]["token"]["max_in_flight"], 5);
    assert_eq!(seen["refresh_tokens"][&of]["in_flight"], 0);
}

#[tokio::test]
async fn waiting_ends_and_says_what_it_saw() {
    let google = Google::start().await;
    let body = json!({"calls": 1, "ms": 20});
    let page = read(google.post("/_control/wait").json(&body)).await;
    assert_eq!((page.status.as_u16(), &page.json()["held"]), (408, &json!(0)));
}

#[tokio::test]
async fn keys_rotate_announced_or_abruptly() {
    let google = Google::start().await;
    let sign = async || opened(&google.issue(&["openid"]).await["id_token"]).0["kid"].clone();
    let published = async || {
        let keys = read(google.get("/oauth2/v3/certs")).await.json();
        let ids = keys["keys"].as_array().expect("keys").iter().map(|key| key["kid"].clone());
        ids.collect::<Vec<Value>>()
    };
    let (first, before) = (sign().await, published().await);
    assert!(before.contains(&first));
    google.control("keys", json!({"rotate": "announced"})).await;
    let second = sign().await;
    assert!(second != first && before.contains(&second), "whoever has the old set knows it");
    google.control("keys", json!({"rotate": "abrupt"})).await;
    let third = sign().await;
    assert!(!before.contains(&third));
    let now = published().await;
    assert!(now.len() == 2 && now.contains(&third) && now.contains(&second), "the old one stays");
}

#[tokio::test]
async fn id_tokens_are_dated_by_the_time_of_day() {
    let google = Google::start().await;
    google.advance(1_000_000).await;
    let clock = read(google.get("/_control/clock")).await.json();
    let now = clock["now"].as_i64().expect("seconds") - 1_000_000;
    let claims = opened(&google.issue(&["openid"]).await["id_token"]).1;
    let iat = claims["iat"].as_i64().expect("seconds");
    assert!((iat - now).abs() <= 5, "{iat} {now}");
    assert_eq!(claims["exp"].as_i64(), Some(iat + 3600));
}

#[tokio::test]
async fn access_tokens_can_be_ended_before_their_time() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR]).await;
    let path = "/calendar/v3/users/me/calendarList";
    google.control("access_tokens/end", json!({"account": "grace@example.org"})).await;
    assert_eq!(google.call(path, &tokens["access_token"]).await.status, 200);
    google.control("access_tokens/end", json!({"account": ADA})).await;
    assert_eq!(google.call(path, &tokens["access_token"]).await.status, 401);
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn grants_are_listed_by_fingerprints() {
    let google = Google::start().await;
    let first = google.issue(&[CALENDAR]).await["refresh_token"].clone();
    let second = google.issue(&["openid"]).await["refresh_token"].clone();
    let grants = read(google.get("/_control/grants")).await.json();
    let one = &grants["grants"][0];
    assert_eq!((&one["client_id"], &one["email"]), (&json!(ID), &json!(ADA)));
    assert_eq!(one["scope"], format!("{CALENDAR} openid"));
    assert_eq!(one["refresh_tokens"], json!([fingerprint(&first), fingerprint(&second)]));
}

#[tokio::test]
async fn stopping_waits_for_nobody_whose_answer_is_held() {
    let (google, server) = Google::with_server(vec![Client::new(ID, SECRET, BACK)]).await;
    let token = google.issue(&[CALENDAR]).await["refresh_token"].clone();
    google.fault("token", json!("hold")).await;
    let google = Arc::new(google);
    let task = {
        let (google, token) = (google.clone(), token.clone());
        tokio::spawn(async move { google.refresh(&token).await.status })
    };
    google.control("wait", json!({"held": 1})).await;
    google.stop();
    assert_eq!(task.await.expect("no panic"), 200);
    server.await.expect("no panic").expect("a good end");
}

#[tokio::test]
async fn reset_goes_back_to_the_start() {
    let google = Google::start().await;
    let tokens = google.connect(&[]).await;
    google.advance(100).await;
    google.fault("token", json!({"html": 500})).await;
    google.behave(json!({"expires_in": 3})).await;
    google.change_client(json!({"condition": "deleted"})).await;
    google.control("reset", json!({})).await;
    assert_eq!(read(google.get("/_control/clock")).await.json()["ahead"], 0);
    assert_eq!(read(google.get("/_control/behaviour")).await.json()["expires_in"], 3599);
    let counts = google.counts().await;
    assert_eq!(counts["endpoints"]["token"]["calls"], 0);
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.refusal().2, "Bad Request");
    assert!(google.walk(&[], Choice::default()).await.contains_key("code"));
}

#[tokio::test]
async fn what_cannot_be_used_is_said() {
    let google = Google::start().await;
    let tell = async |path: &str, body: Value| {
        let page = read(google.post(&format!("/_control/{path}")).json(&body)).await;
        (page.status.as_u16(), page.json()["message"].as_str().expect("a message").to_owned())
    };
    for (path, body, status, word) in [
        ("faults", json!({"endpoint": "token", "fault": "fire"}), 400, "fire"),
        ("faults", json!({"endpoint": "token", "fault": "hold", "time": 1}), 400, "time"),
        ("clock", json!({"advance": -1}), 400, "advance"),
        ("issue", json!({"client_id": "x", "account": ADA, "scopes": []}), 404, "clients"),
        ("issue", json!({"client_id": ID, "account": "x", "scopes": []}), 404, "people"),
        ("issue", json!({"client_id": ID, "account": ADA, "scopes": ["x"]}), 400, "scope"),
        ("keys", json!({"rotate": "never"}), 400, "never"),
    ] {
        let (answered, message) = tell(path, body.clone()).await;
        assert_eq!(answered, status, "{path} {body}: {message}");
        assert!(message.contains(word), "{path} {body}: {message}");
    }
}
