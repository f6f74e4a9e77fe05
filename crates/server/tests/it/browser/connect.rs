//! Connecting accounts in a browser, with the provider's own pages, in each of the three modes.

use serde_json::json;

use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::connect::{DRIVE, Vault};
use crate::support::receiver::{Receiver, Reply};
use crate::support::{STATIC_TOKEN, Server};

/// Types the address and the token of the tests.
async fn sign_in(chrome: &Chrome, who: &str) {
    chrome.fill("email", &format!("{who}@example.com")).await;
    chrome.click("Continue").await;
    chrome.sees("Type your token").await;
    chrome.fill("token", STATIC_TOKEN).await;
    chrome.click("Sign in").await;
}

/// At the provider: this account, and all but these scopes.
async fn allow(chrome: &Chrome, account: &str, refused: &[&str]) {
    chrome.sees("Choose an account").await;
    chrome.find(&format!("button[value=\"{account}\"]")).await.click().await.expect("clicked");
    chrome.sees("wants to access your account").await;
    for scope in refused {
        let box_ = chrome.find(&format!("input[value=\"{scope}\"]")).await;
        box_.click().await.expect("unticked");
    }
    chrome.click("Continue").await;
}

const ADA: &str = "101815121018526101815";
const GRACE: &str = "103091219060101199201";

async fn connections(server: &Server) -> String {
    server.sql("SELECT subject, account_email, generation FROM connection ORDER BY id")
}

#[tokio::test]
async fn a_person_connects_reconnects_and_disconnects_an_account() {
    whole_life(Look { name: "connect", ..DESKTOP }).await;
}

#[tokio::test]
async fn the_same_in_the_dark() {
    whole_life(Look { name: "connect-dark", dark: true, ..DESKTOP }).await;
}

#[tokio::test]
async fn the_same_on_a_phone() {
    whole_life(Look { name: "connect-phone", ..PHONE }).await;
}

#[tokio::test]
async fn the_same_on_a_phone_in_the_dark() {
    whole_life(Look { name: "connect-phone-dark", dark: true, ..PHONE }).await;
}

async fn whole_life(look: Look) {
    let vault = Vault::start().await;
    let chrome = Chrome::start(look).await;
    chrome.open(&vault.server.url("/connections")).await;
    sign_in(&chrome, "ada").await;
    chrome.sees("You have not connected an account.").await;
    chrome.shot("1-none").await;
    chrome.click("Connect").await;
    chrome.sees("Google will ask you to allow").await;
    chrome.shot("2-start").await;
    chrome.click("Continue to Google").await;
    allow(&chrome, ADA, &[DRIVE]).await;
    chrome.sees("Your account is connected").await;
    chrome.sees("See all calendars").await;
    chrome.sees("You did not allow").await;
    chrome.sees("See all files in Drive").await;
    chrome.shot("3-result").await;

    // Back and forth: nothing happens twice.
    chrome.driver.refresh().await.expect("reloaded");
    chrome.sees("This page was loaded a second time.").await;
    chrome.shot("4-loaded-twice").await;

    chrome.open(&vault.server.url("/connections")).await;
    chrome.sees("ada@example.com").await;
    chrome.sees("Works").await;
    chrome.shot("5-connections").await;
    chrome.click("Reconnect").await;
    chrome.sees("Connect Google again").await;
    chrome.click("Continue to Google").await;
    // What was refused is asked for again, so the consent page is shown.
    chrome.sees("wants to access your account").await;
    chrome.click("Continue").await;
    chrome.sees("Your account is connected").await;
    assert!(!chrome.text().await.contains("You did not allow"), "all of it this time");
    assert!(connections(&vault.server).await.ends_with("|ada@example.com|2"));

    chrome.click("Connections").await;
    chrome.click("Disconnect").await;
    chrome.sees("Disconnect this account?").await;
    chrome.shot("6-disconnect").await;
    chrome.click("Disconnect").await;
    chrome.sees("That is done. The account is disconnected.").await;
    chrome.shot("7-disconnected").await;
    assert_eq!(vault.google.calls("revoke").await, 1);
    chrome.close().await;
}

#[tokio::test]
async fn another_account_overwrites_nothing_in_a_browser() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let (link, _) = vault.link(&json!({"connection_id": first["connection_id"]})).await;
    let chrome = Chrome::start(Look { name: "connect-other", ..PHONE }).await;
    chrome.open(&vault.server.url(&link)).await;
    allow(&chrome, GRACE, &[]).await;
    chrome.sees("That is another account").await;
    chrome.sees("grace@example.org").await;
    chrome.shot("1-other-account").await;
    assert_eq!(connections(&vault.server).await, "user-42|ada@example.com|1");
    chrome.close().await;
}

#[tokio::test]
async fn a_bound_link_opened_by_somebody_else_waits_for_the_application() {
    let application = Receiver::with(&[Reply::Status(200)]).await;
    let urls = vec![application.url()];
    let vault = Vault::with(|setup| setup.set("vault.return_urls", urls)).await;
    let (link, id) = vault.link(&json!({"integration": "google", "subject": "mallory"})).await;
    let chrome = Chrome::start(Look { name: "connect-bound", ..DESKTOP }).await;
    chrome.open(&vault.server.url(&link)).await;
    allow(&chrome, ADA, &[]).await;
    // The application sees the code in the browser of somebody who is not mallory there.
    application.deliveries(1).await;
    let url = chrome.url().await;
    assert!(url.starts_with(&format!("{}?connect_code=grt_cc_", application.url())), "{url}");
    assert_eq!(vault.session(&id).await["status"], "waiting");
    assert_eq!(connections(&vault.server).await, "", "nothing without its word");
    chrome.close().await;
}

#[tokio::test]
async fn a_link_that_somebody_sent_names_whose_it_is() {
    let vault = Vault::with(|setup| setup.set("integrations.google.link", true)).await;
    let body = json!({"integration": "google", "subject": "mallory", "mode": "link"});
    let (link, id) = vault.link(&body).await;
    let chrome = Chrome::start(Look { name: "connect-link", ..PHONE }).await;
    chrome.open(&vault.server.url(&link)).await;
    chrome.sees("It will be connected for").await;
    chrome.sees("mallory").await;
    chrome.shot("1-start").await;
    chrome.click("Continue to Google").await;
    allow(&chrome, ADA, &[]).await;
    chrome.sees("Connect this account?").await;
    chrome.sees("ada@example.com").await;
    chrome.sees("mallory").await;
    chrome.shot("2-confirm").await;
    chrome.click("Do not connect").await;
    chrome.sees("Nothing was connected").await;
    chrome.shot("3-declined").await;
    assert_eq!(vault.session(&id).await["status"], "failed");
    assert_eq!(connections(&vault.server).await, "");

    // And who knows what it is about, goes on.
    let (link, _) = vault.link(&body).await;
    chrome.open(&vault.server.url(&link)).await;
    chrome.click("Continue to Google").await;
    chrome.sees("wants to access your account").await;
    chrome.click("Continue").await;
    chrome.sees("Connect this account?").await;
    chrome.tab_to("Connect it").await;
    chrome.sees("Your account is connected").await;
    chrome.shot("4-connected").await;
    assert_eq!(connections(&vault.server).await, "mallory|ada@example.com|1");
    chrome.close().await;
}

#[tokio::test]
async fn a_self_service_link_of_somebody_else_attaches_nobodys_account() {
    let vault = Vault::start().await;
    let mallory = vault.server.browser();
    vault.server.sign_in(&mallory, "mallory").await;
    let page = mallory.get("/connections").await;
    let link = mallory.submit(&page.form("/connections/connect")).await.location().expect("a link");
    let url = vault.leave(&mallory, &link).await;

    let look = Look { name: "connect-self", scripts: false, ..DESKTOP };
    let chrome = Chrome::start(look).await;
    chrome.open(&vault.server.url(&link)).await;
    chrome.sees("Sign in").await;
    sign_in(&chrome, "ada").await;
    chrome.sees("This link is for somebody else").await;
    chrome.shot("1-somebody-else").await;
    // The address at the provider, sent instead of the link.
    chrome.open(&url).await;
    allow(&chrome, ADA, &[]).await;
    chrome.sees("Another browser began this").await;
    chrome.shot("2-other-browser").await;
    assert_eq!(connections(&vault.server).await, "");
    chrome.close().await;
}
