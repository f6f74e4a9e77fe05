//! What happens to connections when nobody asks.

use grantor_core::store::Held;
use serde_json::{Value, json};

use crate::support::vault::{CLIENT_ID, CLIENT_SECRET, Vault};

/// Makes a connection due now.
fn due(vault: &Vault, id: grantor_core::id::ConnectionId) {
    vault.change(id, "due_at = unixepoch() - 1");
}

#[tokio::test]
async fn a_token_that_is_in_use_is_renewed_before_anybody_waits() {
    let vault = Vault::google(|setup| setup).await;
    let (used, unused) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    for id in [used, unused] {
        vault.age(id, 500);
    }
    vault.token(json!({"subject": "user-1"})).await;
    due(&vault, used);
    due(&vault, unused);
    vault.until("it is not renewed", async || vault.column(used, "version") == "2").await;
    // In half a year its refresh token would be too old.
    let later = "due_at > unixepoch() + 86400";
    vault.until("it is not looked at", async || vault.column(unused, later) == "1").await;
    assert_eq!((vault.column(unused, "version").as_str(), vault.refreshes().await), ("1", 1));
    let next: i64 = vault.column(used, "due_at - unixepoch()").parse().expect("a number");
    assert!((2_900..=3_310).contains(&next), "{next}");
}

#[tokio::test]
async fn a_refresh_token_is_used_before_it_idles_out() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5_000_000);
    vault.change(id, "refresh_used_at = unixepoch() - 86400 * 174, due_at = unixepoch() - 1");
    vault.until("it is not used", async || vault.column(id, "version") == "2").await;
    assert_eq!(vault.column(id, "unixepoch() - refresh_used_at < 60"), "1");
}

#[tokio::test]
async fn what_can_be_exchanged_only_while_it_lives_is_exchanged_whether_it_is_used_or_not() {
    let more = "[refresh]\nwhile_alive = true\n";
    let vault = Vault::rotating(standins::rotating::Config::default(), more, |setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.change(id, "issued_at = unixepoch() - 3600, refresh_used_at = unixepoch() - 3600");
    vault.change(id, "expires_at = unixepoch() + 1800, due_at = unixepoch() - 1");
    vault.until("it is not exchanged", async || vault.column(id, "version") == "2").await;
    assert_eq!(vault.column(id, "last_used_at IS NULL"), "1");
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_used_before_its_end_because_the_next_lives_on() {
    let more = "[refresh]\nrotation = \"yes\"\nlifetime = \"60d\"\n";
    let vault = Vault::rotating(standins::rotating::Config::default(), more, |setup| setup).await;
    let (new, stays) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    for (id, rotates) in [(new, "1"), (stays, "0")] {
        vault.change(
            id,
            &format!(
                "refresh_used_at = unixepoch() - 86400 * 54, rotates = {rotates}, \
                 refresh_expires_at = unixepoch() + 86400 * 6, due_at = unixepoch() - 1"
            ),
        );
    }
    vault.until("it is not used", async || vault.column(new, "version") == "2").await;
    let left = vault.column(new, "(refresh_expires_at - unixepoch()) / 86400 >= 59");
    assert_eq!(left, "1", "60 days again");
    let looked = "due_at > unixepoch()";
    vault.until("it is not looked at", async || vault.column(stays, looked) == "1").await;
    assert_eq!(vault.column(stays, "version"), "1", "its end would stay where it is");
}

#[tokio::test]
async fn that_a_refresh_token_ends_soon_is_told_once_and_its_end_too() {
    let vault = Vault::google(|setup| {
        setup
            .set("webhooks.ops.url", "http://127.0.0.1:9/")
            .set("webhooks.ops.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    })
    .await;
    let id = vault.connect("user-1").await;
    let told = || {
        vault.server.sql(
            "SELECT group_concat(event, ' ') FROM (SELECT event FROM webhook_notice ORDER BY id) AS own",
        )
    };
    vault.change(
        id,
        "connected_at = unixepoch() - 86400 * 5, \
         refresh_expires_at = unixepoch() + 86400 * 2 - 5, due_at = unixepoch() - 5",
    );
    vault.until("it is not told", async || !told().is_empty()).await;
    assert_eq!(told(), "connection.expiring_soon");
    let other = "due_at > unixepoch() + 2000";
    vault.until("it is looked at no more", async || vault.column(id, other) == "1").await;
    due(&vault, id);
    vault
        .until("it is not looked at", async || {
            vault.column(id, "due_at > unixepoch() + 1000") == "1"
        })
        .await;
    assert_eq!(told(), "connection.expiring_soon", "once is enough");
    vault.change(id, "refresh_expires_at = unixepoch() - 1, due_at = unixepoch() - 1");
    vault.until("its end is not noticed", async || vault.column(id, "status") != "active").await;
    assert_eq!(told(), "connection.expiring_soon connection.reauth_required");
    assert_eq!(vault.column(id, "json_extract(reauth, '$.reason')"), "refresh_token_expired");
    assert_eq!(vault.refreshes().await, 0);
}

#[tokio::test]
async fn that_a_refresh_token_ends_soon_is_told_while_refreshes_fail() {
    let vault = Vault::google(|setup| {
        setup
            .set("webhooks.ops.url", "http://127.0.0.1:9/")
            .set("webhooks.ops.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    })
    .await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    // It is told ten seconds from now, and refreshes are left alone for ten minutes.
    vault.change(
        id,
        "connected_at = unixepoch() - 86400 * 5, refresh_expires_at = unixepoch() + 86400 * 2 + 10",
    );
    vault.fault(json!({"too_many": {"retry_after": 600}})).await;
    assert_eq!(vault.token(Value::Null).await.status, 503);
    assert_eq!(vault.column(id, "due_at = refresh_expires_at - 86400 * 2"), "1");
    let told = "SELECT group_concat(event) FROM webhook_notice";
    vault.until("it is not told", async || !vault.server.sql(told).is_empty()).await;
    assert_eq!(vault.server.sql(told), "connection.expiring_soon");
    let retry = "due_at >= json_extract(trouble, '$.next_at')";
    vault.until("it is not tried later", async || vault.column(id, retry) == "1").await;
    assert_eq!(vault.refreshes().await, 1);
}

#[tokio::test]
async fn what_has_failed_is_tried_until_it_works() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.age(id, -5);
    vault.fault_for(json!(2), json!({"html": 503})).await;
    assert_eq!(vault.token(Value::Null).await.status, 503);
    // Nobody asks any more.
    vault.until("it is not tried", async || vault.column(id, "version") == "2").await;
    assert_eq!(vault.column(id, "trouble IS NULL, status"), "1|active");
    assert_eq!(vault.refreshes().await, 3);
}

#[tokio::test]
async fn two_sweepers_refresh_each_connection_once() {
    let vault = Vault::google(|setup| setup).await;
    let twin = vault.twin().await;
    for n in 0..30 {
        let own = |held: &mut Held| {
            held.connection.account.sub = format!("sub-{n}");
            held.connection.last_used_at = Some(held.connection.issued_at);
            held.connection.expires_at = Some(held.connection.issued_at);
        };
        vault.connect_as(&format!("user-{n}"), "ada", own).await;
    }
    vault.server.sql("PRAGMA busy_timeout = 5000; UPDATE connection SET due_at = unixepoch() - 1");
    let renewed = "SELECT count(*) FROM connection WHERE version = 2";
    vault.until("not all are renewed", async || vault.server.sql(renewed) == "30").await;
    assert_eq!(vault.refreshes().await, 30);
    drop(twin);
}

#[tokio::test]
async fn an_integration_whose_provider_hangs_holds_up_no_other() {
    let vault = Vault::google(|setup| {
        setup
            .set("vault.deadline", "60s")
            .set("integrations.google.concurrency", 10)
            .set("integrations.other.provider", "google")
            .set("integrations.other.client_id", CLIENT_ID)
            .set("integrations.other.client_secret", CLIENT_SECRET)
    })
    .await;
    // More than the sweeper does at once.
    for n in 0..55 {
        let own = |held: &mut Held| held.connection.account.sub = format!("sub-{n}");
        vault.connect_as(&format!("user-{n}"), "ada", own).await;
    }
    let other = vault.connect_through("other", "user-1", "grace", |_| ()).await;
    let used = "issued_at = unixepoch() - 3600, expires_at = unixepoch() - 5, \
                last_used_at = unixepoch(), due_at = unixepoch() - 1";
    vault.fault_for(json!(10), json!("hold_before")).await;
    vault.server.sql(&format!(
        "PRAGMA busy_timeout = 5000; UPDATE connection SET {used} WHERE integration = 'google'"
    ));
    vault.control("POST", "wait", json!({"held": 10})).await;
    vault.change(other, used);
    vault.until("it has to wait", async || vault.column(other, "version") == "2").await;
    let renewed = "SELECT count(*) FROM connection WHERE integration = 'google' AND version = 2";
    assert_eq!(vault.server.sql(renewed), "0", "the provider hangs");
    vault.control("POST", "release", json!({})).await;
    vault.until("some are forgotten", async || vault.server.sql(renewed) == "55").await;
}

#[tokio::test]
async fn connections_are_counted_by_status() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    vault.connect_as("user-2", "grace", |_| ()).await;
    vault
        .change(id, "status = 'reauth_required', reauth = '{\"reason\":\"operator\",\"since\":1}'");
    let count = async |status| vault.metric(&format!("connections{{status=\"{status}\"}}")).await;
    vault.until("they are not counted", async || count("active").await == 1).await;
    vault.until("nor is this one", async || count("reauth_required").await == 1).await;
    assert_eq!((count("active").await, count("disconnecting").await), (1, 0));
}
