//! What is told, when it really happens: an account is connected, dies, comes back, is given back.

use std::time::Duration;

use serde_json::{Value, json};

use super::{KEY, verified};
use crate::support::connect::Vault;
use crate::support::receiver::{Delivery, Receiver};
use crate::support::{Page, client};

/// A server with Google that tells `receiver` of these events; of all when there are none.
async fn vault(receiver: &Receiver, events: &[&str]) -> Vault {
    let url = receiver.url();
    let vault = Vault::with(|setup| {
        let setup = setup.set("webhooks.ops.url", url).set("webhooks.ops.secret", KEY);
        if events.is_empty() { setup } else { setup.set("webhooks.ops.events", events.to_vec()) }
    })
    .await;
    vault.server.seen.add(KEY);
    vault
}

async fn token(vault: &Vault, subject: &str) -> Page {
    let key = vault.key_with(&["--action", "token"]);
    let url = vault.server.url("/oauth/token");
    let body = json!({ "provider": "google", "subject": subject });
    let page = vault.server.request(client().post(url).bearer_auth(key).json(&body)).await;
    if let Some(token) = page.json()["access_token"].as_str() {
        vault.server.seen.add(token);
    }
    page
}

/// The messages so far, each verified and without a token.
fn told(came: &[Delivery]) -> Vec<(String, Value)> {
    let one = |own: &Delivery| {
        assert_eq!(verified(own, KEY, &[]), "good");
        for secret in ["ya29", "1//0", "grk_", "grt_"] {
            assert!(!own.body.contains(secret), "{secret}: {}", own.body);
        }
        let json = own.json();
        (json["type"].as_str().expect("a type").to_owned(), json["data"].clone())
    };
    came.iter().map(one).collect()
}

#[tokio::test]
async fn a_connection_tells_of_its_life() {
    let receiver = Receiver::start().await;
    let vault = vault(&receiver, &[]).await;
    let connection = vault.connect("user-42", "ada@example.com").await;
    let id = connection["connection_id"].as_str().expect("an id").to_owned();
    receiver.deliveries(1).await;

    // The person revokes the grant at Google, and the access token is over.
    vault.google.control("POST", "revoke", &json!({ "account": "ada@example.com" })).await;
    vault.server.sql("UPDATE connection SET expires_at = unixepoch() - 10");
    assert_eq!(token(&vault, "user-42").await.status, 409);
    assert_eq!(token(&vault, "user-42").await.status, 409);
    receiver.deliveries(2).await;

    // The same account again: connected, and recovered.
    vault.connect("user-42", "ada@example.com").await;
    receiver.deliveries(4).await;
    let ended = vault.api("DELETE", &format!("/connections/{id}")).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let came = receiver.deliveries(5).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.all().len(), 5, "one webhook for each, however often it is asked for");

    let told = told(&came);
    let types: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    // Two of the same millisecond come in any order.
    assert_eq!(
        [types[0], types[1], types[4]],
        ["connection.connected", "connection.reauth_required", "connection.disconnected"]
    );
    let mut back = [types[2], types[3]];
    back.sort_unstable();
    assert_eq!(back, ["connection.connected", "connection.recovered"]);
    for (_, data) in &told {
        assert_eq!((&data["connection_id"], &data["subject"]), (&json!(id), &json!("user-42")));
        assert_eq!((&data["integration"], &data["provider"]), (&json!("google"), &json!("google")));
        assert_eq!(data["account"]["email"], "ada@example.com");
    }
    let generations: Vec<_> = told.iter().map(|(_, data)| data["generation"].clone()).collect();
    assert_eq!(generations, [json!(1), json!(1), json!(2), json!(2), json!(2)]);
    let (_, dead) = &told[1];
    assert_eq!((&dead["reason"], &dead["error"]), (&json!("grant_dead"), &json!("invalid_grant")));
    let repair = &dead["repair"];
    assert_eq!(repair["action"], "reconnect");
    // What it says to do works as it is.
    let page = vault.ask(&repair["request"]["body"]).await;
    assert_eq!(page.status, 404, "it was disconnected meanwhile: {page:?}");
    let url = repair["request"]["url"].as_str().expect("a URL");
    assert_eq!(url, vault.server.url("/connect/sessions"));
}

#[tokio::test]
async fn the_hint_makes_a_link_that_repairs_it() {
    let receiver = Receiver::start().await;
    let vault = vault(&receiver, &["connection.reauth_required"]).await;
    vault.connect("user-42", "ada@example.com").await;
    vault.google.control("POST", "revoke", &json!({ "account": "ada@example.com" })).await;
    vault.server.sql("UPDATE connection SET expires_at = unixepoch() - 10");
    assert_eq!(token(&vault, "user-42").await.status, 409);
    let came = receiver.deliveries(1).await;
    let told = told(&came);
    assert_eq!(told[0].0, "connection.reauth_required", "only what was asked for");
    let (link, _) = vault.link(&told[0].1["repair"]["request"]["body"]).await;
    let back = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[]).await;
    let done = vault.complete(&back.answer()["connect_code"]).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(token(&vault, "user-42").await.status, 200);
    assert_eq!(receiver.all().len(), 1);
}

#[tokio::test]
async fn an_integration_that_the_provider_refuses_is_told_of_once() {
    let receiver = Receiver::start().await;
    let vault = vault(&receiver, &["integration.paused"]).await;
    vault.connect("user-1", "ada@example.com").await;
    vault.connect("user-2", "alan@example.com").await;
    let id = crate::support::connect::CLIENT_ID;
    let change = json!({ "secret": "GOCSPX-another-one" });
    vault.google.control("PATCH", &format!("clients/{id}"), &change).await;
    vault.server.sql("UPDATE connection SET expires_at = unixepoch() - 10");
    for subject in ["user-1", "user-2", "user-1"] {
        assert_eq!(token(&vault, subject).await.status, 503);
    }
    let came = receiver.deliveries(1).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.all().len(), 1);
    let told = told(&came);
    let (name, data) = &told[0];
    assert_eq!((name.as_str(), &data["integration"]), ("integration.paused", &json!("google")));
    assert_eq!(data["repair"]["action"], "check_client");
    assert!(data["error"].is_string() && data.get("connection_id").is_none(), "{data}");
}
