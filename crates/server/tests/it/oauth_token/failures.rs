//! What a refresh can come to, and what is done about it.

use std::fs;

use grantor_core::store::Held;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::vault::{CLIENT_ID, CLIENT_SECRET, Vault, assert_refused, shown};

/// A valid token is served with a warning, and after its end the answer says what to do.
async fn needs_the_person(vault: &Vault, subject: &str, reason: &str) -> Value {
    let body = json!({ "subject": subject });
    let page = vault.token(body.clone()).await;
    assert_refused(&page, 409, "reauth_required");
    let (json, calls) = (page.json(), vault.refreshes().await);
    assert_eq!(json["reason"], reason, "{json}");
    assert!(json["connect_url"].as_str().is_some_and(|own| own.contains("/connect/grt_cl_")));
    assert!(json["since"].as_str().is_some_and(|own| own.ends_with('Z')), "{json}");
    assert_refused(&vault.refresh(body).await, 409, "reauth_required");
    assert_eq!(vault.refreshes().await, calls, "a dead grant is not tried again");
    json
}

#[tokio::test]
async fn a_grant_that_is_over_is_told_once_and_its_token_served_to_the_end() {
    let vault = Vault::google(|setup| {
        setup
            .set("webhooks.ops.url", "http://127.0.0.1:9/")
            .set("webhooks.ops.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    })
    .await;
    let id = vault.connect("user-1").await;
    let other = vault.connect_as("user-2", "grace", |_| ()).await;
    vault.age(id, 250);
    vault.control("POST", "revoke", json!({"account": "ada@example.com"})).await;
    let first = vault.token(json!({"subject": "user-1"})).await.json();
    vault.until("it is not noticed", async || vault.column(id, "status") != "active").await;
    let warned = vault.token(json!({"subject": "user-1"})).await.json();
    assert_eq!(warned["access_token"], first["access_token"]);
    assert_eq!(warned["warning"], json!({"code": "reauth_required", "reason": "grant_dead"}));
    vault.age(id, -5);
    let refused = needs_the_person(&vault, "user-1", "grant_dead").await;
    assert_eq!(refused.get("error_subtype"), None);
    let told = "SELECT count(*) FROM webhook_notice WHERE event = 'connection.reauth_required'";
    assert_eq!(vault.server.sql(told), "1");
    let entries = "SELECT count(*) FROM audit_event WHERE action = 'connection.reauth_required'";
    assert_eq!(vault.server.sql(entries), "1");
    // Nothing has happened to the other one.
    vault.age(other, -5);
    assert_eq!(vault.token(json!({"subject": "user-2"})).await.json()["refreshed"], true);
    let dead = vault.metric("refresh_total{integration=\"google\",outcome=\"grant_dead\"}").await;
    let stale = vault.metric("stale_served_total").await;
    assert_eq!((dead, stale), (1, 1));
}

#[tokio::test]
async fn the_reason_is_the_one_that_the_provider_gives() {
    let vault = Vault::google(|setup| setup).await;
    let rapt = vault.connect("rapt").await;
    vault.age(rapt, -5);
    vault
        .control("POST", "accounts", json!({"account": "ada@example.com", "must_sign_in": true}))
        .await;
    let refused = needs_the_person(&vault, "rapt", "sign_in_again").await;
    assert_eq!(refused["error_subtype"], "invalid_rapt");

    let gone = vault.connect_as("gone", "grace", |_| ()).await;
    vault.age(gone, -5);
    vault
        .control("POST", "accounts", json!({"account": "grace@example.org", "deleted": true}))
        .await;
    needs_the_person(&vault, "gone", "grant_dead").await;

    // A refresh token that has reached its age is not sent at all.
    let calls = vault.refreshes().await;
    let aged = vault.connect_as("aged", "alan", |_| ()).await;
    vault.age(aged, -5);
    vault.change(aged, "refresh_expires_at = unixepoch() - 1");
    needs_the_person(&vault, "aged", "refresh_token_expired").await;
    let without = vault
        .connect_as("without", "alan", |held| {
            held.connection.refreshable = false;
            held.connection.account.sub = "another".to_owned();
        })
        .await;
    vault.age(without, -5);
    needs_the_person(&vault, "without", "no_refresh_token").await;
    let renamed = vault
        .connect_as("renamed", "alan", |held| {
            held.connection.client_id = "the-one-before".to_owned();
        })
        .await;
    vault.age(renamed, -5);
    needs_the_person(&vault, "renamed", "client_changed").await;
    assert_eq!(vault.refreshes().await, calls);
}

#[tokio::test]
async fn google_drops_the_oldest_of_too_many_refresh_tokens_and_ends_those_of_an_app_in_testing() {
    let vault = Vault::google(|setup| setup).await;
    vault.control("PUT", "behaviour", json!({"refresh_token_limit": 3})).await;
    let id = vault.connect("pushed-out").await;
    for _ in 0..3 {
        let more =
            json!({"client_id": CLIENT_ID, "account": "ada@example.com", "scopes": ["email"]});
        let issued = vault.control("POST", "issue", more).await;
        assert!(issued["refresh_token"].is_string());
    }
    vault.age(id, -5);
    needs_the_person(&vault, "pushed-out", "grant_dead").await;

    vault.control("PATCH", &format!("clients/{CLIENT_ID}"), json!({"testing": true})).await;
    let testing = vault.connect_as("testing", "grace", |_| ()).await;
    vault.age(testing, -5);
    assert_eq!(vault.token(json!({"subject": "testing"})).await.json()["refreshed"], true);
    // From the first refresh on it is known when it ends.
    let days: f64 = vault
        .column(testing, "(refresh_expires_at - unixepoch()) / 86400.0")
        .parse()
        .expect("it is told");
    assert!((6.9..=7.0).contains(&days), "{days}");
    vault.control("POST", "clock", json!({"advance": 8 * 86_400})).await;
    vault.age(testing, -5);
    vault.change(testing, "refresh_expires_at = refresh_expires_at - 8 * 86400");
    needs_the_person(&vault, "testing", "refresh_token_expired").await;
}

#[tokio::test]
async fn a_refusal_of_a_token_that_was_replaced_meanwhile_means_nothing() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("hold_before")).await;
    vault.fault(json!({"error": {"status": 400, "error": "invalid_grant"}})).await;
    let asked = tokio::spawn({
        let (url, key) = (vault.server.url("/oauth/token"), vault.key.clone());
        async move { crate::support::client().post(url).bearer_auth(key).send().await }
    });
    vault.control("POST", "wait", json!({"held": 1})).await;
    // Another node was faster.
    vault.change(id, "version = version + 1, expires_at = unixepoch() + 3000");
    vault.server.sql("PRAGMA busy_timeout = 5000; UPDATE credential SET version = version + 1");
    vault.control("POST", "release", json!({})).await;
    let answer = asked.await.expect("no panic").expect("answered");
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    vault.server.seen.add(answer["access_token"].as_str().expect("a token"));
    assert_eq!((vault.column(id, "status"), vault.refreshes().await), ("active".to_owned(), 1));
    assert_eq!(vault.metric("refresh_total{integration=\"google\",outcome=\"raced\"}").await, 1);
}

#[tokio::test]
async fn a_refused_client_pauses_the_integration_and_touches_no_connection() {
    let mut vault = Vault::google(|setup| setup).await;
    let (first, second) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    let client = format!("clients/{CLIENT_ID}");
    vault.control("PATCH", &client, json!({"secret": "another-secret-of-the-tests"})).await;
    vault.age(first, -5);
    let page = vault.token(json!({"subject": "user-1"})).await;
    assert_refused(&page, 503, "temporarily_unavailable");
    let json = page.json();
    assert_eq!(json["reason"], "client_broken", "{json}");
    assert!(json["retry_after"].as_u64().is_some_and(|own| (3_500..=3_700).contains(&own)));
    // Others are not tried, and valid tokens are served.
    let still = vault.token(json!({"subject": "user-2"})).await.json();
    assert_eq!((&still["refreshed"], still.get("warning")), (&json!(false), None));
    vault.age(second, -5);
    assert_refused(
        &vault.token(json!({"subject": "user-2"})).await,
        503,
        "temporarily_unavailable",
    );
    assert_eq!(vault.refreshes().await, 1);
    for id in [first, second] {
        assert_eq!(vault.column(id, "status, version, trouble IS NULL"), "active|1|1");
    }
    let entries = "SELECT action, target FROM audit_event WHERE action LIKE 'integration.%'";
    assert_eq!(vault.server.sql(entries), "integration.paused|integration:google");

    // One probe, when its time has come.
    let due = "PRAGMA busy_timeout = 5000; UPDATE integration_pause SET next_at = unixepoch() - 1";
    vault.server.sql(due);
    vault
        .until("the pause is not looked at again", async || {
            vault.token(json!({"subject": "user-1"})).await;
            vault.refreshes().await == 2
        })
        .await;
    assert_refused(
        &vault.token(json!({"subject": "user-1"})).await,
        503,
        "temporarily_unavailable",
    );
    assert_eq!(vault.refreshes().await, 2);
    assert_eq!(vault.server.sql("SELECT count(*) FROM integration_pause"), "1");

    // The operator sets the new secret: that ends it at once.
    assert_eq!(vault.server.stop(), Some(0));
    let settings = fs::read_to_string(vault.server.config()).expect("settings");
    let settings = settings.replace(CLIENT_SECRET, "another-secret-of-the-tests");
    fs::write(vault.server.config(), settings).expect("written");
    vault.server.seen.add("another-secret-of-the-tests");
    vault.server.start_again().await;
    assert_eq!(vault.token(json!({"subject": "user-1"})).await.json()["refreshed"], true);
    assert_eq!(vault.server.sql("SELECT count(*) FROM integration_pause"), "0");
    assert!(vault.server.sql(entries).ends_with("integration.resumed|integration:google"));
}

#[tokio::test]
async fn a_probe_that_says_nothing_of_the_client_is_made_again_in_minutes() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!({"error": {"status": 401, "error": "deleted_client"}})).await;
    assert_refused(&vault.token(Value::Null).await, 503, "temporarily_unavailable");
    let next = "SELECT next_at - unixepoch() FROM integration_pause";
    let wait: i64 = vault.server.sql(next).parse().expect("a number");
    assert!((3_590..=3_600).contains(&wait), "{wait}");
    let due = "PRAGMA busy_timeout = 5000; UPDATE integration_pause SET next_at = unixepoch() - 1";
    vault.server.sql(due);
    vault.fault(json!({"html": 503})).await;
    vault
        .until("it is not tried", async || {
            vault.token(Value::Null).await;
            vault.refreshes().await == 2
        })
        .await;
    let wait: i64 = vault.server.sql(next).parse().expect("a number");
    assert!((200..=300).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_pause_ends_when_a_probe_succeeds() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!({"error": {"status": 401, "error": "deleted_client"}})).await;
    assert_refused(&vault.token(Value::Null).await, 503, "temporarily_unavailable");
    let due = "PRAGMA busy_timeout = 5000; UPDATE integration_pause SET next_at = unixepoch() - 1";
    vault.server.sql(due);
    vault.until("it stays paused", async || vault.token(Value::Null).await.status == 200).await;
    assert_eq!(vault.server.sql("SELECT count(*) FROM integration_pause"), "0");
}

#[tokio::test]
async fn a_wrong_client_id_in_the_settings_ends_no_connection() {
    let mut vault = Vault::google(|setup| {
        setup
            .set("webhooks.ops.url", "http://127.0.0.1:9/")
            .set("webhooks.ops.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    })
    .await;
    let id = vault.connect("user-1").await;
    let right = fs::read_to_string(vault.server.config()).expect("settings");
    assert_eq!(vault.server.stop(), Some(0));
    fs::write(vault.server.config(), right.replace(CLIENT_ID, "another-client")).expect("written");
    vault.server.start_again().await;
    vault.age(id, 200);
    let warned = vault.token(Value::Null).await.json();
    assert_eq!(warned["warning"], json!({"code": "reauth_required", "reason": "client_changed"}));
    vault.age(id, -5);
    needs_the_person(&vault, "user-1", "client_changed").await;
    // Nor by the sweeper, which comes for a token that is in use.
    vault.change(id, "last_used_at = unixepoch(), due_at = unixepoch() - 1");
    let later = "due_at > unixepoch() + 1800";
    vault.until("it is not looked at", async || vault.column(id, later) == "1").await;
    assert_eq!(vault.column(id, "status, version, trouble IS NULL"), "active|1|1");
    assert_eq!(vault.server.sql("SELECT count(*) FROM webhook_notice"), "0");
    assert_eq!(vault.refreshes().await, 0);

    assert_eq!(vault.server.stop(), Some(0));
    fs::write(vault.server.config(), right).expect("written");
    vault.server.start_again().await;
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "nothing is lost");
}

#[tokio::test]
async fn a_request_that_the_provider_finds_wrong_is_made_again_in_an_hour() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    let wrong = json!({"error": {"status": 400, "error": "invalid_scope", "description": "x"}});
    vault.fault(wrong).await;
    for _ in 0..2 {
        let page = vault.token(Value::Null).await;
        assert_refused(&page, 503, "temporarily_unavailable");
        assert_eq!(page.json()["reason"], "bad_request");
        let wait = page.json()["retry_after"].as_u64().expect("seconds");
        assert!((3_590..=3_600).contains(&wait), "{wait}");
    }
    assert_eq!(vault.refreshes().await, 1);
    assert!(vault.server.log().contains("ERROR a provider refuses"), "the operator is told");
    vault.rest(id);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
    assert_eq!(vault.column(id, "trouble IS NULL"), "1");
}

#[tokio::test]
async fn a_provider_that_wants_fewer_requests_gets_none_for_as_long_as_it_says() {
    let vault = Vault::google(|setup| setup).await;
    let (first, second) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    vault.age(first, -5);
    vault.age(second, -5);
    vault.fault(json!({"too_many": {"retry_after": 120, "html": true}})).await;
    for subject in ["user-1", "user-2", "user-1"] {
        let page = vault.token(json!({"subject": subject})).await;
        assert_refused(&page, 503, "temporarily_unavailable");
        assert_eq!(page.json()["reason"], "throttled", "{page:?}");
        let wait = page.json()["retry_after"].as_u64().expect("seconds");
        assert!((110..=120).contains(&wait), "{wait}");
    }
    assert_eq!(vault.refreshes().await, 1, "of the whole integration");
}

#[tokio::test]
async fn an_integration_makes_no_more_calls_than_it_may() {
    let vault = Vault::google(|setup| {
        setup
            .set("integrations.google.concurrency", 2)
            .set("integrations.google.refreshes_per_minute", 5)
            .set("vault.patience", "2s")
    })
    .await;
    for n in 0..8 {
        let own = |held: &mut Held| held.connection.account.sub = format!("sub-{n}");
        let id = vault.connect_as(&format!("user-{n}"), "ada", own).await;
        vault.age(id, -5);
    }
    vault.fault_for(json!("until_cleared"), json!({"latency": 150})).await;
    let (mut answered, mut all) = (Vec::new(), JoinSet::new());
    for n in 0..8 {
        let (url, key) = (vault.server.url("/oauth/token"), vault.key.clone());
        let body = json!({ "subject": format!("user-{n}") });
        all.spawn(async move {
            let sent = crate::support::client().post(url).bearer_auth(key).json(&body).send().await;
            let sent = sent.expect("answered");
            let status = sent.status().as_u16();
            (status, sent.text().await.expect("text"))
        });
    }
    while let Some(one) = all.join_next().await {
        let (status, text) = one.expect("no panic");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        if let Some(token) = json["access_token"].as_str() {
            vault.server.seen.add(token);
        }
        answered.push(status);
    }
    answered.sort_unstable();
    assert_eq!(answered, [200, 200, 200, 200, 200, 503, 503, 503]);
    let counts = vault.control("GET", "counts", Value::Null).await;
    assert_eq!(counts["endpoints"]["token"]["max_in_flight"], 2, "{counts}");
    assert_eq!(vault.refreshes().await, 5);
}

#[tokio::test]
async fn a_provider_with_trouble_is_tried_again_after_a_while() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    for (attempt, fault) in [
        json!({"html": 503}),
        json!({"html": 502}),
        json!({"error": {"status": 500, "error": "internal_failure"}}),
        json!({"error": {"status": 408, "error": "timeout"}}),
        json!({"answer": {"status": 400, "content_type": "text/html", "body": "<html>no</html>"}}),
    ]
    .into_iter()
    .enumerate()
    {
        vault.fault(fault.clone()).await;
        let page = vault.token(Value::Null).await;
        assert_refused(&page, 503, "temporarily_unavailable");
        assert_eq!(page.json()["reason"], "transient", "{fault}: {page:?}");
        let wait = page.json()["retry_after"].as_u64().expect("seconds");
        assert!((1..=64).contains(&wait), "{wait}");
        let (calls, attempts) = (vault.refreshes().await, (attempt + 1).to_string());
        assert_eq!(calls, attempt as u64 + 1, "not asked again at once: {fault}");
        assert_eq!(vault.column(id, "json_extract(trouble, '$.attempts')"), attempts);
        assert_refused(&vault.token(Value::Null).await, 503, "temporarily_unavailable");
        assert_eq!(vault.refreshes().await, calls, "nor for another caller");
        vault.rest(id);
    }
    // Five in a row: the address is left alone for a moment, whoever asks.
    vault
        .until("it is not tried again", async || {
            vault.rest(id);
            vault.token(Value::Null).await.status == 200
        })
        .await;
    assert_eq!(vault.column(id, "status, trouble IS NULL"), "active|1");
}

#[tokio::test]
async fn a_request_that_was_surely_not_processed_is_made_again_at_once() {
    let mut vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.stop_stand_in().await;
    let page = vault.token(Value::Null).await;
    assert_refused(&page, 503, "temporarily_unavailable");
    assert_eq!(page.json()["reason"], "transient");
    assert_eq!(
        vault.column(id, "json_extract(trouble, '$.attempts')"),
        "1",
        "two calls, one attempt"
    );
    // Nothing is in doubt: there is no intent left.
    assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "0");
}

#[tokio::test]
async fn an_answer_that_is_lost_is_asked_for_again_at_once() {
    let vault = Vault::google(|setup| setup.set("vault.deadline", "2s")).await;
    let id = vault.connect("user-1").await;
    for fault in [
        json!("reset"),
        json!("reset_before"),
        json!("cut"),
        json!("truncated"),
        json!({"latency": 3_000}),
        json!({"drip": {"bytes": 1, "ms": 100}}),
        json!({"answer": {"status": 200, "content_type": "text/html", "body": "<html>Welcome</html>"}}),
        json!({"answer": {"status": 200, "content_type": "application/json", "body": "[]"}}),
        json!({"answer": {"status": 200, "content_type": "application/json", "body": "{}"}}),
        json!({"change": {"access_token": null}}),
    ] {
        vault.age(id, -5);
        let calls = vault.refreshes().await;
        vault.fault(fault.clone()).await;
        let answer = vault.token(Value::Null).await.json();
        assert_eq!(answer["refreshed"], true, "{fault}: {answer}");
        assert_eq!(vault.refreshes().await, calls + 2, "{fault}");
        assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "0", "{fault}");
    }
    // Another type does not make JSON something else.
    vault.age(id, -5);
    vault.fault(json!({"content_type": "text/plain"})).await;
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
}

#[tokio::test]
async fn an_answer_that_is_lost_twice_stays_in_doubt_until_it_is_cleared_up() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault_for(json!(2), json!("reset")).await;
    let page = vault.token(Value::Null).await;
    assert_refused(&page, 503, "temporarily_unavailable");
    assert_eq!(page.json()["reason"], "unknown_outcome");
    assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "1");
    vault.rest(id);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
    assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "0");
    assert_eq!(vault.metric("outcome_unknown_total").await, 1);
}

#[tokio::test]
async fn a_rotated_token_whose_answer_is_lost_comes_again_within_the_grace() {
    let config = standins::rotating::Config { grace: 30, ..standins::rotating::Config::default() };
    let vault = Vault::rotating(config, "", |setup| setup).await;
    let id = vault.connect("user-1").await;
    for fault in [json!("reset"), json!("truncated"), json!("cut")] {
        vault.age(id, -5);
        vault.fault(fault.clone()).await;
        assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "{fault}");
    }
    assert_eq!(vault.column(id, "status, version"), "active|4");
}

#[tokio::test]
async fn when_the_provider_does_not_know_the_last_refresh_token_the_one_before_is_tried() {
    let config = standins::rotating::Config { grace: 120, ..standins::rotating::Config::default() };
    let vault = Vault::rotating(config, "", |setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
    vault.age(id, -5);
    vault.fault(json!({"error": {"status": 400, "error": "invalid_grant"}})).await;
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
    assert_eq!(vault.column(id, "version, status"), "3|active");
    assert_eq!(vault.refreshes().await, 3, "the first token twice, the second once");
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "it goes on");
}

#[tokio::test]
async fn without_a_grace_the_connection_says_that_an_answer_was_lost() {
    let config = standins::rotating::Config::default();
    let vault = Vault::rotating(config, "", |setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("reset")).await;
    needs_the_person(&vault, "user-1", "refresh_outcome_lost").await;
    assert_eq!(vault.column(id, "status"), "reauth_required");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_forgotten_when_the_next_call_fails_otherwise() {
    for (n, fault) in [
        json!({"html": 503}),
        json!({"too_many": {"retry_after": 1}}),
        json!({"error": {"status": 400, "error": "invalid_scope"}}),
        json!({"error": {"status": 401, "error": "invalid_client"}}),
    ]
    .into_iter()
    .enumerate()
    {
        let config = standins::rotating::Config::default();
        let vault = Vault::rotating(config, "", |setup| setup).await;
        let subject = format!("user-{n}");
        let id = vault.connect(&subject).await;
        vault.age(id, -5);
        // The first call is processed and its answer lost.
        vault.fault(json!("reset")).await;
        let second = json!({
            "endpoint": "token", "grant_type": "refresh_token", "skip": 1, "fault": fault,
        });
        vault.control("POST", "faults", second).await;
        assert_refused(&vault.token(Value::Null).await, 503, "temporarily_unavailable");
        assert_eq!(vault.refreshes().await, 2, "{fault}");
        let kept = vault.server.sql("SELECT count(*) FROM refresh_attempt");
        assert_eq!(kept, "1", "the intent is kept: {fault}");
        vault.server.sql(
            "PRAGMA busy_timeout = 5000; UPDATE integration_pause SET next_at = unixepoch() - 1",
        );
        vault
            .until("it is not tried again", async || {
                vault.rest(id);
                vault.token(Value::Null).await.status == 409
            })
            .await;
        needs_the_person(&vault, &subject, "refresh_outcome_lost").await;
    }
}

#[tokio::test]
async fn an_error_that_looks_like_success_is_one() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!({"error": {"status": 200, "error": "temporarily_unavailable"}})).await;
    let page = vault.token(Value::Null).await;
    assert_refused(&page, 503, "temporarily_unavailable");
    vault.rest(id);
    vault.fault(json!({"error": {"status": 200, "error": "invalid_grant"}})).await;
    needs_the_person(&vault, "user-1", "grant_dead").await;
    assert_eq!(vault.column(id, "json_extract(reauth, '$.error')"), "invalid_grant");
    assert_eq!(vault.token(json!({"connection_id": shown(id)})).await.status, 409);
}
