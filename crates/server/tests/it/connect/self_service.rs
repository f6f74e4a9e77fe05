//! Mode `self_service`: the person who is signed in connects an account of their own.

use serde_json::json;

use crate::support::Browser;
use crate::support::connect::Vault;

/// The `sub` of whoever is signed in in a browser.
async fn sub(vault: &Vault, browser: &Browser, who: &str) -> String {
    vault.server.sign_in(browser, who).await;
    let sql = format!("SELECT id FROM user_account WHERE email = '{who}@example.com'");
    let hex = vault.server.sql(&sql.replace("SELECT id", "SELECT lower(hex(id))"));
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[tokio::test]
async fn a_person_connects_an_account_on_the_page_of_connections() {
    let vault = Vault::start().await;
    let browser = vault.server.browser();
    let subject = sub(&vault, &browser, "ada").await;
    browser.get("/account").await.must_say("Connections");
    browser.get("/").await.must_say("Connections");
    let page = browser.get("/connections").await;
    page.must_say("You have not connected an account.");
    let form = page.form("/connections/connect");
    assert_eq!(form.value("integration"), Some("google"));
    let start = browser.submit(&form).await;
    let link = start.location().expect("on to the link");
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    page.must_say("Your account is connected");
    page.must_say("ada@example.com");
    let connection = vault.connections_of(&subject).await.remove(0);
    assert_eq!(connection["status"], "active");
    let page = browser.get("/connections").await;
    page.must_say("Google");
    page.must_say("See all calendars");
    page.must_say("Connect another");
    let entry =
        vault.server.sql("SELECT actor FROM audit_event WHERE action = 'connection.connected'");
    assert_eq!(entry, format!("user:{subject}"));
}

#[tokio::test]
async fn a_link_asks_for_a_sign_in_first_and_then_goes_on() {
    let vault = Vault::start().await;
    let subject = sub(&vault, &vault.server.browser(), "ada").await;
    let body = json!({"integration": "google", "subject": subject, "mode": "self_service"});
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let page = browser.open(&link).await;
    let page = vault.server.type_token(&browser, &page, "ada").await;
    page.must_say("Connect Google");
    page.must_say("reports asks to use an account of yours.");
    assert!(page.url.ends_with(&link), "{}", page.url);
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    page.must_say("Your account is connected");
}

#[tokio::test]
async fn somebody_elses_link_attaches_nobodys_account() {
    let vault = Vault::start().await;
    let mallory = vault.server.browser();
    let subject = sub(&vault, &mallory, "mallory").await;
    // She begins for herself and sends the link to Ada, who is signed in as Ada.
    let page = mallory.get("/connections").await;
    let link = mallory.submit(&page.form("/connections/connect")).await;
    let link = link.location().expect("a link");
    let ada = vault.server.browser();
    vault.server.sign_in(&ada, "ada").await;
    for path in [link.clone(), format!("{link}/go")] {
        let page = ada.get(&path).await;
        assert_eq!(page.status, 403, "{page:?}");
        page.must_say("This link is for somebody else");
    }
    // Or the URL at the provider, which comes back to a browser that has not begun this.
    let url = vault.leave(&mallory, &link).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = ada.get(&back).await;
    page.must_say("Another browser began this");
    // Or Ada signs in at the provider in Mallory's browser, where then somebody else is signed in.
    let page = mallory.get("/logout").await;
    mallory.send_form(&page.form("/logout")).await;
    vault.server.sign_in(&mallory, "trudy").await;
    let page = mallory.get(&back).await;
    page.must_say("This link is for somebody else");
    assert!(vault.connections_of(&subject).await.is_empty());
    assert_eq!(vault.google.calls("token").await, 0, "no code was exchanged");
}

#[tokio::test]
async fn who_signs_out_on_the_way_connects_nothing() {
    let vault = Vault::start().await;
    let browser = vault.server.browser();
    let subject = sub(&vault, &browser, "ada").await;
    let page = browser.get("/connections").await;
    let link = browser.submit(&page.form("/connections/connect")).await.location().expect("a link");
    let url = vault.leave(&browser, &link).await;
    let page = browser.get("/logout").await;
    browser.send_form(&page.form("/logout")).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    browser.get(&back).await.must_say("This link is for somebody else");
    assert!(vault.connections_of(&subject).await.is_empty());
}

#[tokio::test]
async fn it_is_for_people_of_this_server_and_where_the_operator_offers_it() {
    let vault = Vault::with(|setup| setup.set("integrations.google.self_service", false)).await;
    let browser = vault.server.browser();
    let subject = sub(&vault, &browser, "ada").await;
    let page = browser.get("/connections").await;
    assert!(!page.body.contains("action=\"/connections/connect\""), "{page:?}");
    let form = page.body.contains("csrf");
    assert!(!form, "nothing to do on this page");
    let body = json!({"integration": "google", "subject": subject, "mode": "self_service"});
    assert_eq!(vault.ask(&body).await.status, 400);
    let vault = Vault::start().await;
    let body = json!({"integration": "google", "subject": "user-42", "mode": "self_service"});
    let page = vault.ask(&body).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
}
