//! `DELETE /connections/{id}`: what happens at the provider, and what stays.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::connect::{CLIENT_SECRET, Vault};

fn path(connection: &Value) -> String {
    format!("/connections/{}", connection["connection_id"].as_str().expect("an id"))
}

/// How many refresh tokens of an account live at the provider.
async fn alive(vault: &Vault) -> usize {
    let grants = vault.google.control("GET", "grants", &Value::Null).await;
    grants.to_string().matches("calendar.readonly").count()
}

#[tokio::test]
async fn the_last_connection_of_a_grant_is_revoked_at_the_provider() {
    let vault = Vault::start().await;
    let (one, two) =
        (vault.connect("a", "ada@example.com").await, vault.connect("b", "ada@example.com").await);
    let other = vault.connect("c", "alan@example.com").await;
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "shared"}));
    assert_eq!(vault.google.calls("revoke").await, 0, "b would lose its access");
    assert_eq!(alive(&vault).await, 2);
    let page = vault.api("DELETE", &path(&two)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
    assert_eq!(vault.google.calls("revoke").await, 1);
    assert_eq!(alive(&vault).await, 1, "Alan's");
    assert_eq!(vault.api("GET", &path(&two)).await.status, 404);
    assert_eq!(vault.api("DELETE", &path(&two)).await.status, 404);
    assert_eq!(vault.api("GET", &path(&other)).await.status, 200);
    let kept = vault.server.sql("SELECT count(*) FROM credential");
    assert_eq!(kept, "1", "the wrapped keys of the others are gone");
    let entries = vault.server.sql(
        "SELECT action, json_extract(details, '$.provider') FROM audit_event \
         WHERE action LIKE 'connection.disconn%' ORDER BY sequence",
    );
    let expected = "connection.disconnecting|\nconnection.disconnected|shared\n\
                    connection.disconnecting|\nconnection.disconnected|revoked";
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn a_grant_is_shared_by_all_clients_of_a_project_whatever_their_files_are_called() {
    let clients = [
        ("google", "google", "407408718192-web.apps.example", "one"),
        ("work", "google_work", "407408718192-desk.apps.example", "one"),
        ("other", "google", "518192407408-web.apps.example", "two"),
    ];
    let vault = Vault::with(|mut setup| {
        for (name, provider, client_id, _) in clients {
            let of = |key: &str| format!("integrations.{name}.{key}");
            setup = setup
                .set(&of("provider"), provider)
                .set(&of("client_id"), client_id)
                .set(&of("client_secret"), CLIENT_SECRET);
        }
        setup
    })
    .await;
    for (_, _, id, project) in clients {
        let back = format!("{}/connect/callback", vault.server.issuer);
        let client = json!({
            "id": id, "secret": CLIENT_SECRET, "redirect_uris": [back], "project": project,
        });
        vault.google.control("POST", "clients", &client).await;
    }
    let mut made = Vec::new();
    for (name, ..) in clients {
        made.push(vault.connect_through(name, "user-42", "ada@example.com").await);
    }
    let mut told = Vec::new();
    for own in &made {
        let page = vault.api("DELETE", &path(own)).await;
        told.push(page.json()["provider"].as_str().expect("told").to_owned());
    }
    assert_eq!(told, ["shared", "revoked", "revoked"], "work would have lost its access");
    assert_eq!(vault.google.calls("revoke").await, 2);
}

#[tokio::test]
async fn accounts_that_nobody_knows_are_not_taken_for_one() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    vault.connect("b", "alan@example.com").await;
    // As with a provider that does not say whose account it is.
    vault.server.sql("UPDATE connection SET account_sub = ''");
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
}

#[tokio::test]
async fn a_grant_that_is_dead_already_counts_as_revoked() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    vault.google.control("POST", "revoke", &json!({"account": "ada@example.com"})).await;
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_tried_again() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    vault.google.fault("revoke", json!({"html": 503})).await;
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!((page.status, page.json()), (202, json!({"status": "disconnecting"})));
    let told = vault.api("GET", &path(&one)).await.json();
    assert_eq!(told["status"], "disconnecting");
    // Not by the sweeper at once: the provider is left alone for a minute.
    let next: i64 =
        vault.server.sql("SELECT due_at - unixepoch() FROM connection").parse().expect("a number");
    assert!((50..=60).contains(&next), "{next}");
    assert!(told["since"].is_string(), "{told}");
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
}

#[tokio::test]
async fn tokens_that_are_being_refreshed_are_waited_for() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    // Another server is at it.
    vault.server.sql(
        "INSERT INTO refresh_attempt (connection_id, id, generation, version, again, started_at,
            leased_until)
         SELECT id, randomblob(16), generation, version, 0, unixepoch(), unixepoch() + 600
         FROM connection",
    );
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!((page.status, page.json()), (202, json!({"status": "disconnecting"})));
    assert_eq!(vault.google.calls("revoke").await, 0, "what it brings would live on");
    vault.server.sql("DELETE FROM refresh_attempt");
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
}

#[tokio::test]
async fn what_was_begun_is_finished_without_anybody_asking() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    vault.google.fault("revoke", json!({"html": 503})).await;
    assert_eq!(vault.api("DELETE", &path(&one)).await.status, 202);
    vault.server.sql("UPDATE connection SET due_at = 0");
    let until = Instant::now() + Duration::from_secs(20);
    while vault.api("GET", &path(&one)).await.status == 200 {
        assert!(Instant::now() < until, "the sweeper has not come by");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let by = "SELECT actor FROM audit_event WHERE action = 'connection.disconnected'";
    assert_eq!(vault.server.sql(by), "sweeper");
}

#[tokio::test]
async fn a_provider_that_takes_its_time_is_told_once() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    // Longer than the sweeper pauses.
    vault.google.fault("revoke", json!({"latency": 3_000})).await;
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "revoked"}));
    assert_eq!(vault.google.calls("revoke").await, 1);
}

#[tokio::test]
async fn after_a_day_it_is_removed_with_a_warning() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    let fault = json!({"endpoint": "revoke", "until_cleared": true, "fault": {"html": 503}});
    vault.google.control("POST", "faults", &fault).await;
    assert_eq!(vault.api("DELETE", &path(&one)).await.status, 202);
    vault.server.sql("UPDATE connection SET disconnecting_since = disconnecting_since - 86400");
    let page = vault.api("DELETE", &path(&one)).await;
    assert_eq!(page.json(), json!({"status": "disconnected", "provider": "given_up"}));
    let warning = vault.server.sql(
        "SELECT json_extract(details, '$.warning') FROM audit_event \
         WHERE action = 'connection.disconnected'",
    );
    assert!(warning.contains("may still be alive at the provider"), "{warning}");
}

#[tokio::test]
async fn an_account_that_is_connected_again_meanwhile_stays() {
    let vault = Vault::start().await;
    let one = vault.connect("a", "ada@example.com").await;
    let fault = json!({"endpoint": "revoke", "until_cleared": true, "fault": {"html": 503}});
    vault.google.control("POST", "faults", &fault).await;
    assert_eq!(vault.api("DELETE", &path(&one)).await.status, 202);
    let again = vault.connect("a", "ada@example.com").await;
    assert_eq!(again["connection_id"], one["connection_id"]);
    assert_eq!((&again["status"], &again["generation"]), (&json!("active"), &json!(2)));
    assert_eq!(
        again["refreshable"], true,
        "a new consent was asked for: the old token was leaving"
    );
}
