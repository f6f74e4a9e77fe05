//! An integration that acts for itself: RFC 6749 §4.4.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::client;
use crate::support::vault::{CLIENT_ID, Vault, assert_refused};

async fn machine() -> Vault {
    Vault::rotating(standins::rotating::Config::default(), "", |setup| {
        setup
            .set("integrations.rotating.grant", "client_credentials")
            .set("integrations.rotating.scopes", vec!["read"])
    })
    .await
}

async fn calls(vault: &Vault) -> u64 {
    let counts = vault.control("GET", "counts", Value::Null).await;
    counts["grant_types"]["client_credentials"]["calls"].as_u64().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_connection_is_made_when_it_is_first_asked_for() {
    let vault = machine().await;
    let mut all = JoinSet::new();
    for _ in 0..32 {
        let request = client().post(vault.server.url("/oauth/token")).bearer_auth(&vault.key);
        all.spawn(
            async move { request.send().await.expect("answered").text().await.expect("text") },
        );
    }
    let mut tokens = Vec::new();
    while let Some(answer) = all.join_next().await {
        let answer: Value = serde_json::from_str(&answer.expect("no panic")).expect("JSON");
        assert_eq!(answer["account"]["sub"], CLIENT_ID, "{answer}");
        tokens.push(answer["access_token"].as_str().expect("a token").to_owned());
    }
    tokens.iter().for_each(|token| vault.server.seen.add(token));
    tokens.dedup();
    assert_eq!((tokens.len(), calls(&vault).await), (1, 1));
    let entry = "SELECT count(*) FROM audit_event WHERE action = 'connection.connected'";
    assert_eq!(vault.server.sql(entry), "1");
    for body in
        [json!({"provider": "rotating"}), json!({"integration": "rotating", "scopes": "read"})]
    {
        assert_eq!(vault.token(body).await.json()["access_token"], *tokens[0]);
    }
}

#[tokio::test]
async fn it_is_refreshed_by_asking_again() {
    let vault = machine().await;
    let first = vault.token(Value::Null).await.json();
    vault.server.sql(
        "PRAGMA busy_timeout = 5000;
         UPDATE connection SET issued_at = unixepoch() - 3600, expires_at = unixepoch() - 1",
    );
    let second = vault.token(Value::Null).await.json();
    assert_eq!(second["refreshed"], true, "{second}");
    assert_eq!(second["connection_id"], first["connection_id"]);
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(vault.refresh(Value::Null).await.json()["refreshed"], true);
    assert_eq!(calls(&vault).await, 3);
}

#[tokio::test]
async fn its_first_token_is_waited_for_like_any_other() {
    for (fault, reason, least, most) in [
        // A provider may not have itself left alone for ever.
        (json!({"too_many": {"retry_after": 10_000_000}}), "throttled", 86_390, 86_400),
        (json!({"error": {"status": 400, "error": "invalid_scope"}}), "bad_request", 3_590, 3_600),
    ] {
        let vault = machine().await;
        let wanted = json!({
            "endpoint": "token", "grant_type": "client_credentials", "fault": fault,
        });
        vault.control("POST", "faults", wanted).await;
        for _ in 0..2 {
            let page = vault.token(Value::Null).await;
            assert_refused(&page, 503, "temporarily_unavailable");
            assert_eq!(page.json()["reason"], reason, "{page:?}");
            let wait = page.json()["retry_after"].as_u64().expect("seconds");
            assert!((least..=most).contains(&wait), "{wait}");
        }
        assert_eq!(calls(&vault).await, 1, "{fault}");
    }
}

#[tokio::test]
async fn nobody_can_repair_it_by_connecting() {
    let vault = machine().await;
    let client = format!("clients/{CLIENT_ID}");
    vault.control("PATCH", &client, json!({"secret": "another-secret-there"})).await;
    for _ in 0..2 {
        let page = vault.token(Value::Null).await;
        assert_refused(&page, 503, "temporarily_unavailable");
        let json = page.json();
        assert_eq!(
            (&json["reason"], json.get("connect_url")),
            (&json!("client_broken"), None),
            "{json}"
        );
    }
    assert_eq!(calls(&vault).await, 1);
    let paused = vault.server.sql("SELECT integration FROM integration_pause");
    assert_eq!(paused, "rotating");
    // A subject has nothing to do with it.
    let page = vault.token(json!({"provider": "rotating", "subject": "user-1"})).await;
    assert_refused(&page, 404, "connection_not_found");
}
