//! An account that is connected again.

use serde_json::{Value, json};

use crate::support::connect::{CALENDAR, CLIENT_ID, DRIVE, Vault};

/// A link for a connection that is there.
async fn link_for(vault: &Vault, connection: &Value) -> String {
    vault.link(&json!({"connection_id": connection["connection_id"]})).await.0
}

/// Walks the link as `account` and completes it; the connection afterwards.
async fn again(vault: &Vault, connection: &Value, account: &str) -> Value {
    let link = link_for(vault, connection).await;
    let page = vault.walk(&vault.server.browser(), &link, account, &[]).await;
    let done = vault.complete(&page.answer()["connect_code"]).await;
    assert_eq!(done.status, 200, "{done:?}");
    done.json()
}

/// What is sealed of the refresh token; changes with every grant.
fn sealed(vault: &Vault) -> String {
    vault.server.sql("SELECT hex(refresh_token), hex(access_token), hex(data_key) FROM credential")
}

#[tokio::test]
async fn the_same_account_is_the_next_generation_of_the_same_connection() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let second = again(&vault, &first, "ada@example.com").await;
    assert_eq!(second["connection_id"], first["connection_id"]);
    assert_eq!((&second["generation"], &second["version"]), (&json!(2), &json!(2)));
    assert_eq!(second["created_at"], first["created_at"]);
    assert_eq!(vault.connections_of("user-42").await, [second]);
    assert_eq!(vault.google.calls("revoke").await, 0, "nothing is revoked by connecting again");
    let begun = "SELECT details FROM audit_event WHERE action = 'connect.begun'";
    let begun = vault.server.sql(&format!("{begun} ORDER BY sequence DESC LIMIT 1"));
    let begun: Value = serde_json::from_str(&begun).expect("JSON");
    assert_eq!(begun["reconnect"], first["connection_id"]);
}

#[tokio::test]
async fn another_account_overwrites_nothing() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let before = sealed(&vault);
    let link = link_for(&vault, &first).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "grace@example.org", &[]).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("That is another account");
    page.must_say("grace@example.org");
    page.must_say("ada@example.com");
    assert_eq!(vault.connections_of("user-42").await, std::slice::from_ref(&first));
    assert_eq!(sealed(&vault), before);
    assert_eq!(vault.google.calls("revoke").await, 0);
    // The right one, with the same link.
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    assert_eq!(vault.complete(&page.answer()["connect_code"]).await.json()["generation"], 2);
}

#[tokio::test]
async fn the_address_of_an_account_may_change_its_sub_is_what_counts() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let sub = first["account"]["sub"].as_str().expect("a sub");
    let renamed = json!({"sub": sub, "email": "lovelace@example.com", "name": "Ada"});
    vault.google.control("POST", "people", &renamed).await;
    // The old address belongs to somebody else now.
    let heir = json!({"sub": "109999999999999999999", "email": "ada@example.com", "name": "Other"});
    vault.google.control("POST", "people", &heir).await;
    let link = link_for(&vault, &first).await;
    let page = vault.walk(&vault.server.browser(), &link, "109999999999999999999", &[]).await;
    page.must_say("That is another account");
    let second = again(&vault, &first, sub).await;
    assert_eq!(second["account"]["email"], "lovelace@example.com");
    assert_eq!(second["connection_id"], first["connection_id"]);
}

#[tokio::test]
async fn a_refresh_token_that_did_not_come_again_is_kept() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let counted = vault.google.calls("auth").await;
    // Google shows no consent page to who has allowed it all, and then gives no refresh token.
    let second = again(&vault, &first, "ada@example.com").await;
    assert_eq!(vault.google.calls("auth").await, counted + 1, "asked once");
    assert_eq!(second["refreshable"], true);
    assert_eq!(second["generation"], 2);
    let kept = vault.google.control("GET", "grants", &Value::Null).await;
    assert!(
        kept.to_string().contains("ada@example.com") || kept.to_string().contains("1018"),
        "{kept}"
    );
}

#[tokio::test]
async fn without_a_refresh_token_the_consent_page_is_asked_for() {
    let vault = Vault::start().await;
    // Allowed before, by another way: the consent page is not shown, and no refresh token comes.
    let scopes = ["openid", "https://www.googleapis.com/auth/userinfo.email", CALENDAR, DRIVE];
    let issued = json!({"client_id": CLIENT_ID, "account": "ada@example.com", "scopes": scopes});
    vault.google.control("POST", "issue", &issued).await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let at_google = vault.google.browser();
    let url = vault.leave(&browser, &link).await;
    assert!(!url.contains("prompt=consent"), "{url}");
    let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let url = page.location().expect("to the provider again");
    assert!(url.starts_with(&vault.google.base) && url.contains("prompt=consent"), "{url}");
    assert!(url.contains("login_hint=ada%40example.com"), "{url}");
    let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let done = vault.complete(&page.answer()["connect_code"]).await.json();
    assert_eq!(done["refreshable"], true);
    assert_eq!(vault.google.calls("token").await, 2);
}

#[tokio::test]
async fn a_grant_that_stays_without_refresh_token_is_stored_as_what_it_is() {
    let vault = Vault::with(|setup| setup.set("integrations.google.link", true)).await;
    let lacks = json!({
        "endpoint": "token", "until_cleared": true, "fault": {"change": {"refresh_token": null}},
    });
    vault.google.control("POST", "faults", &lacks).await;
    let body = json!({"integration": "google", "subject": "user-42", "mode": "link"});
    let (link, _) = vault.link(&body).await;
    let (browser, at_google) = (vault.server.browser(), vault.google.browser());
    let url = vault.leave(&browser, &link).await;
    let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
    let second = browser.get(&back).await.location().expect("asked again");
    let back = vault.google.allow(&at_google, &second, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let page = browser.submit(&page.form("/connect/confirm").with("decision", "allow")).await;
    page.must_say("Google gave an access that cannot be renewed.");
    assert_eq!(vault.connections_of("user-42").await[0]["refreshable"], false);
}

#[tokio::test]
async fn a_dead_grant_is_repaired_with_a_new_consent() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let dead = "UPDATE connection SET status = 'reauth_required', \
                reauth = '{\"reason\":\"grant_dead\",\"since\":1800000000}'";
    vault.server.sql(dead);
    let shown = vault.connections_of("user-42").await.remove(0);
    assert_eq!(
        (&shown["status"], &shown["reason"]),
        (&json!("reauth_required"), &json!("grant_dead"))
    );
    let link = link_for(&vault, &first).await;
    let url = vault.leave(&vault.server.browser(), &link).await;
    assert!(url.contains("prompt=consent"), "the refresh token that is kept is dead: {url}");
    let repaired = again(&vault, &first, "ada@example.com").await;
    assert_eq!((&repaired["status"], &repaired["reason"]), (&json!("active"), &Value::Null));
    // A sign-in is enough where the provider says so.
    vault.server.sql(&dead.replace("grant_dead", "sign_in_again"));
    let link = link_for(&vault, &first).await;
    let url = vault.leave(&vault.server.browser(), &link).await;
    assert!(!url.contains("prompt=consent"), "{url}");
}

#[tokio::test]
async fn a_connection_that_is_gone_is_not_granted_again() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let link = link_for(&vault, &first).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let id = first["connection_id"].as_str().expect("an id");
    assert_eq!(vault.api("DELETE", &format!("/connections/{id}")).await.status, 200);
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    assert_eq!(page.status, 410, "{page:?}");
    page.must_say("This connection is no longer there");
    let page = browser.get(&link).await;
    page.must_say("This connection is no longer there");
    assert!(vault.connections_of("user-42").await.is_empty());
}
