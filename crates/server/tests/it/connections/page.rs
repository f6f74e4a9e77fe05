//! The page of connected accounts.

use crate::support::connect::Vault;
use crate::support::{Browser, Page};

/// Somebody with an account that is connected on the page.
async fn connected(vault: &Vault, who: &str) -> Browser {
    let browser = vault.server.browser();
    vault.server.sign_in(&browser, who).await;
    let page = browser.get("/connections").await;
    let link = browser.submit(&page.form("/connections/connect")).await.location().expect("a link");
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    page.must_say("Your account is connected");
    browser
}

#[tokio::test]
async fn a_person_reconnects_and_disconnects() {
    let vault = Vault::start().await;
    let browser = connected(&vault, "ada").await;
    let page = browser.get("/connections").await;
    page.must_say("ada@example.com");
    page.must_say("Works");
    let form = page.form_with("connection");
    let start = browser.submit(&form).await;
    let link = start.location().expect("a link");
    browser.get(&link).await.must_say("Connect Google again");
    vault.walk(&browser, &link, "ada@example.com", &[]).await.must_say("Your account is connected");

    let page = browser.get("/connections").await;
    let ask = browser.submit(&page.form("/connections/disconnect")).await;
    ask.must_say("Disconnect this account?");
    ask.must_say("ada@example.com");
    assert_eq!(vault.server.sql("SELECT count(*) FROM connection"), "1", "only asked so far");
    let done = browser.send_form(&ask.form("/connections/disconnect")).await;
    done.must_say("The account is disconnected.");
    done.must_say("You have not connected an account.");
    assert_eq!(vault.google.calls("revoke").await, 1);
}

#[tokio::test]
async fn nobody_sees_or_ends_the_connections_of_somebody_else() {
    let vault = Vault::start().await;
    let ada = connected(&vault, "ada").await;
    let page = ada.get("/connections").await;
    let theirs = page.form("/connections/disconnect");
    let reconnect = page.form_with("connection");
    let eve = vault.server.browser();
    vault.server.sign_in(&eve, "eve").await;
    let own = eve.get("/connections").await;
    own.must_say("You have not connected an account.");
    let refused = |page: &Page| assert_eq!((page.status, page.location()), (404, None), "{page:?}");
    refused(&eve.submit(&theirs).await);
    let id = theirs.value("connection").expect("an id");
    let csrf = own.form("/connections/connect").value("csrf").expect("a token").to_owned();
    for action in ["/connections/disconnect", "/connections/connect"] {
        let fields = [("csrf", csrf.as_str()), ("connection", id)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        refused(&eve.post(action, &fields).await);
    }
    // Ada's forms, sent by another browser, without their token, or for nobody.
    assert_eq!(eve.submit(&reconnect).await.status, 400);
    assert_eq!(ada.submit(&reconnect.clone().without("csrf")).await.status, 400);
    let nobody = vault.server.browser().submit(&reconnect).await;
    assert_eq!(nobody.location().as_deref(), Some("/login?then=%2Fconnections"));
    assert_eq!(vault.server.sql("SELECT count(*) FROM connection"), "1");
}

#[tokio::test]
async fn who_is_not_signed_in_comes_back_after_the_sign_in() {
    let vault = Vault::start().await;
    let browser = vault.server.browser();
    let page = browser.open("/connections").await;
    let page = vault.server.type_token(&browser, &page, "ada").await;
    page.must_say("You have not connected an account.");
    assert!(page.url.ends_with("/connections"), "{}", page.url);
}
