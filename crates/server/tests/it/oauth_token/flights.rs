//! One refresh at a time, on however many nodes.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::server::Setup;
use crate::support::vault::Vault;

/// 200 requests at once, spread over the origins; the distinct tokens that were answered.
async fn storm(vault: &Vault, origins: &[&str], patience: Duration) -> Vec<String> {
    let mut storm = JoinSet::new();
    // One connection for each, as 200 services have.
    let http = reqwest::Client::builder().no_proxy().timeout(patience).build().expect("a client");
    for n in 0..200 {
        let (http, key) = (http.clone(), vault.key.clone());
        let url = format!("{}/oauth/token", origins[n % origins.len()]);
        storm.spawn(async move {
            let answer = http.post(url).bearer_auth(key).send().await.expect("answered");
            let status = answer.status();
            let text = answer.text().await.expect("text");
            assert_eq!(status, 200, "{text}");
            serde_json::from_str::<Value>(&text).expect("JSON")
        });
    }
    let mut tokens: Vec<String> = Vec::new();
    while let Some(answer) = storm.join_next().await {
        let answer = answer.expect("all are answered");
        tokens.push(answer["access_token"].as_str().expect("a token").to_owned());
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens.iter().for_each(|token| vault.server.seen.add(token));
    tokens
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_requests_on_two_nodes_one_calls_the_provider() {
    let vault = Vault::google(|setup| setup.set("vault.patience", "30s")).await;
    let id = vault.connect("user-1").await;
    let twin = vault.twin().await;
    let origins = [vault.server.probe(), twin.origin.clone()];
    let origins = origins.each_ref().map(String::as_str);
    for round in 1..=3 {
        vault.age(id, -5);
        vault.fault(json!({"latency": 400})).await;
        let tokens = storm(&vault, &origins, Duration::from_secs(40)).await;
        assert_eq!(tokens.len(), 1, "all get the same token");
        let counts = vault.control("GET", "counts", Value::Null).await;
        let refreshes = &counts["grant_types"]["refresh_token"];
        assert_eq!((&refreshes["calls"], &refreshes["max_in_flight"]), (&json!(round), &json!(1)));
    }
    let joined = vault.metric("single_flight_joined_total").await;
    assert!(joined > 200, "{joined}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_is_when_the_provider_takes_a_minute() {
    let vault = Vault::rotating(standins::rotating::Config::default(), "", |setup| {
        setup.set("vault.patience", "90s").set("vault.deadline", "90s")
    })
    .await;
    let id = vault.connect("user-1").await;
    let twin = vault.twin().await;
    vault.age(id, -5);
    vault.fault(json!({"latency": 60_000})).await;
    let origins = [vault.server.probe(), twin.origin.clone()];
    let origins = origins.each_ref().map(String::as_str);
    let tokens = storm(&vault, &origins, Duration::from_secs(100)).await;
    assert_eq!((tokens.len(), vault.refreshes().await), (1, 1));
    assert_eq!(vault.column(id, "status, version, rotates"), "active|2|1");
}

#[tokio::test]
async fn who_goes_away_does_not_take_the_refresh_with_him() {
    let vault = Vault::rotating(standins::rotating::Config::default(), "", |setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("hold")).await;
    let url = vault.server.url("/oauth/token");
    let asked = crate::support::client()
        .post(url)
        .bearer_auth(&vault.key)
        .timeout(Duration::from_millis(300));
    assert!(asked.send().await.expect_err("it waits").is_timeout());
    vault.control("POST", "wait", json!({"held": 1})).await;
    vault.control("POST", "release", json!({})).await;
    vault.until("it is not stored", async || vault.column(id, "version") == "2").await;
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], false);
}

#[tokio::test]
async fn who_has_waited_long_enough_is_told_and_the_refresh_goes_on() {
    let vault = Vault::google(|setup| setup.set("vault.patience", "1s")).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("hold")).await;
    let page = vault.token(Value::Null).await;
    crate::support::vault::assert_refused(&page, 503, "temporarily_unavailable");
    assert_eq!(page.json()["reason"], "slow", "{page:?}");
    vault.control("POST", "release", json!({})).await;
    vault.until("it did not go on", async || vault.column(id, "version") == "2").await;
    assert_eq!(vault.token(Value::Null).await.status, 200);
    assert_eq!(vault.refreshes().await, 1);
}

// The stand-in needs a thread of its own while the test waits for a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_waits_for_the_answer() {
    let mut vault = Vault::rotating(standins::rotating::Config::default(), "", |setup| {
        setup.set("listen.shutdown_timeout", "1s")
    })
    .await;
    let id = vault.connect("user-1").await;
    vault.age(id, 100);
    vault.fault(json!({"latency": 2_500})).await;
    assert_eq!(vault.token(Value::Null).await.status, 200);
    vault.control("POST", "wait", json!({"in_flight": 1})).await;
    assert_eq!(vault.server.stop(), Some(0));
    assert_eq!(vault.column(id, "version, status"), "2|active");
    vault.server.start_again().await;
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], false);
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "nothing was lost");
}

// The same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_begins_no_other_refresh() {
    let mut vault = Vault::google(|setup| {
        setup.set("listen.shutdown_timeout", "1s").set("integrations.google.concurrency", 1)
    })
    .await;
    let (first, second) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    for id in [first, second] {
        vault.age(id, 100);
    }
    vault.fault(json!({"latency": 2_500})).await;
    assert_eq!(vault.token(json!({"subject": "user-1"})).await.status, 200);
    vault.control("POST", "wait", json!({"in_flight": 1})).await;
    // It waits for its turn, beside.
    assert_eq!(vault.token(json!({"subject": "user-2"})).await.status, 200);
    assert_eq!(vault.server.stop(), Some(0));
    assert_eq!((vault.column(first, "version"), vault.refreshes().await), ("2".to_owned(), 1));
    assert_eq!(vault.column(second, "version, trouble IS NULL"), "1|1");
    vault.server.start_again().await;
    vault.age(second, -5);
    let answer = vault.token(json!({"subject": "user-2"})).await.json();
    assert_eq!(answer["refreshed"], true, "{answer}");
}

#[tokio::test]
async fn a_holder_that_wakes_up_too_late_overwrites_nothing() {
    let vault =
        Vault::google(|setup| setup.set("vault.patience", "40s").set("vault.deadline", "30s"))
            .await;
    let id = vault.connect("user-1").await;
    let twin = vault.twin().await;
    vault.age(id, -5);
    // The first node has the lease and hangs.
    vault.fault(json!("hold")).await;
    let first = tokio::spawn({
        let (url, key) = (vault.server.url("/oauth/token"), vault.key.clone());
        async move {
            let request = crate::support::client().post(url).bearer_auth(key);
            let answer = request.timeout(Duration::from_secs(60)).send().await.expect("answered");
            serde_json::from_str::<Value>(&answer.text().await.expect("text")).expect("JSON")
        }
    });
    vault.control("POST", "wait", json!({"held": 1})).await;
    // Its lease runs out; the second one takes over.
    vault.server.sql(
        "PRAGMA busy_timeout = 5000; UPDATE refresh_attempt SET leased_until = unixepoch() - 1",
    );
    let second = vault.ask(&twin.origin, "/oauth/token", &vault.key, Value::Null).await.json();
    assert_eq!(second["refreshed"], true, "{second}");
    // The first one wakes up with an older token.
    vault.control("POST", "release", json!({})).await;
    let first = first.await.expect("no panic");
    assert_eq!(first["access_token"], second["access_token"], "the newer one is answered");
    assert_eq!(vault.column(id, "version"), "2");
    assert_eq!(vault.token(Value::Null).await.json()["access_token"], second["access_token"]);
    assert_eq!(vault.metric("lease_lost_total").await, 1);
}

#[tokio::test]
async fn a_rotated_token_is_kept_by_who_comes_too_late_with_it() {
    let config = standins::rotating::Config::default();
    let vault = Vault::rotating(config, "", |setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("hold")).await;
    let request = crate::support::client()
        .post(vault.server.url("/oauth/token"))
        .bearer_auth(&vault.key)
        .timeout(Duration::from_secs(60));
    let asked = tokio::spawn(async move { request.send().await.expect("answered").text().await });
    vault.control("POST", "wait", json!({"held": 1})).await;
    // Another node has stored something, but no other refresh token.
    vault.change(id, "version = version + 1");
    vault.server.sql("PRAGMA busy_timeout = 5000; UPDATE credential SET version = version + 1");
    vault.control("POST", "release", json!({})).await;
    let answer = asked.await.expect("no panic").expect("text");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    vault.server.seen.add(answer["access_token"].as_str().expect("a token"));
    assert_eq!(vault.column(id, "version, status, rotates"), "3|active|1");
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "nothing was lost");
}

#[tokio::test]
async fn what_was_stored_right_after_the_lease_is_not_refreshed_without_one() {
    let vault = Vault::google(Setup::in_a_file).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    // As somebody whose commit comes between the lease and the look that follows it.
    vault.server.sql(
        "PRAGMA busy_timeout = 5000;
         CREATE TRIGGER other_node AFTER INSERT ON refresh_attempt BEGIN
             UPDATE connection SET version = 2, expires_at = unixepoch() + 3000
                 WHERE id = NEW.connection_id;
             UPDATE credential SET version = 2;
             DELETE FROM refresh_attempt WHERE connection_id = NEW.connection_id;
         END",
    );
    let page = vault.token(Value::Null).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(vault.column(id, "version, status"), "2|active");
    assert_eq!(vault.refreshes().await, 0, "its answer could not be kept");
}
