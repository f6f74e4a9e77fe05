//! kill -9 between a provider's answer and the commit that keeps it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client;
use crate::support::vault::{Vault, assert_refused};

/// The provider has answered, nothing is stored, and the process is gone.
async fn cut_off(vault: &mut Vault) {
    vault.fault(json!("hold")).await;
    let request = client().post(vault.server.url("/oauth/token")).bearer_auth(&vault.key);
    let asked = tokio::spawn(async move { request.send().await.map(|answer| answer.status()) });
    vault.control("POST", "wait", json!({"held": 1})).await;
    let lock = vault.server.lock().await;
    vault.control("POST", "release", json!({})).await;
    vault.control("POST", "wait", json!({"in_flight": 0})).await;
    // The answer is there, and its commit waits for the lock.
    tokio::time::sleep(Duration::from_millis(500)).await;
    vault.server.kill();
    lock.release().await;
    assert!(asked.await.expect("no panic").is_err(), "it was answered");
    assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "1", "the intent is kept");
    vault.server.start_again().await;
}

/// Waits until the lease of the process that is gone has run out.
async fn after_the_lease(vault: &Vault) {
    let page = vault.token(Value::Null).await;
    if page.status == 503 {
        // Until then nobody can know that it is gone.
        assert_refused(&page, 503, "temporarily_unavailable");
    }
    vault.server.sql(
        "PRAGMA busy_timeout = 5000;
         UPDATE refresh_attempt SET leased_until = unixepoch() - 1",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_google_nothing_is_lost() {
    let mut vault = Vault::google(|setup| setup.set("vault.patience", "2s")).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    cut_off(&mut vault).await;
    assert_eq!(vault.column(id, "version"), "1");
    after_the_lease(&vault).await;
    vault.until("it does not recover", async || vault.token(Value::Null).await.status == 200).await;
    assert_eq!(vault.column(id, "version, status"), "2|active");
    assert_eq!(vault.server.sql("SELECT count(*) FROM refresh_attempt"), "0");
    assert_eq!(vault.refreshes().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_token_is_had_again_within_the_grace() {
    let config = standins::rotating::Config { grace: 120, ..standins::rotating::Config::default() };
    let mut vault = Vault::rotating(config, "", |setup| setup.set("vault.patience", "2s")).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    cut_off(&mut vault).await;
    after_the_lease(&vault).await;
    vault.until("it does not recover", async || vault.token(Value::Null).await.status == 200).await;
    assert_eq!(vault.column(id, "version, status"), "2|active");
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_grace_it_is_said_what_was_lost() {
    let config = standins::rotating::Config::default();
    let mut vault = Vault::rotating(config, "", |setup| setup.set("vault.patience", "2s")).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    cut_off(&mut vault).await;
    after_the_lease(&vault).await;
    vault.until("it is not noticed", async || vault.token(Value::Null).await.status == 409).await;
    let page = vault.token(Value::Null).await;
    assert_refused(&page, 409, "reauth_required");
    assert_eq!(page.json()["reason"], "refresh_outcome_lost");
    assert!(page.json()["connect_url"].is_string(), "{page:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_a_store_that_is_away_for_a_moment() {
    let vault = Vault::rotating(standins::rotating::Config::default(), "", |setup| {
        setup.set("vault.patience", "1s")
    })
    .await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault(json!("hold")).await;
    let request = client().post(vault.server.url("/oauth/token")).bearer_auth(&vault.key);
    let asked = tokio::spawn(async move { request.send().await.expect("answered").status() });
    vault.control("POST", "wait", json!({"held": 1})).await;
    let lock = vault.server.lock().await;
    vault.control("POST", "release", json!({})).await;
    // Longer than the store waits for another process.
    tokio::time::sleep(Duration::from_secs(7)).await;
    lock.release().await;
    vault.until("it is not stored", async || vault.column(id, "version") == "2").await;
    assert_eq!(asked.await.expect("no panic"), 503, "it did not wait so long");
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], false);
    vault.age(id, -5);
    assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true, "nothing was lost");
}
