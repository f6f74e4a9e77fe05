//! The main flow, at every size and in both colours, with a picture of every page.

use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::demo::Demo;

#[tokio::test]
async fn on_a_wide_screen() {
    whole_flow(DESKTOP).await;
}

#[tokio::test]
async fn on_a_wide_screen_in_the_dark() {
    whole_flow(Look { name: "desktop-dark", dark: true, ..DESKTOP }).await;
}

#[tokio::test]
async fn on_a_phone() {
    whole_flow(PHONE).await;
}

#[tokio::test]
async fn on_a_phone_in_the_dark() {
    whole_flow(Look { name: "phone-dark", dark: true, ..PHONE }).await;
}

async fn whole_flow(look: Look) {
    let demo = Demo::start();
    let chrome = Chrome::start(look).await;
    sign_in(&chrome, &demo).await;
    use_the_client(&chrome, &demo).await;
    look_around(&chrome, &demo).await;
    sign_out(&chrome, &demo).await;
    dead_ends(&chrome, &demo).await;
    chrome.close().await;
    drop(demo.stop());
}

async fn sign_in(chrome: &Chrome, demo: &Demo) {
    chrome.open(&demo.sample).await;
    chrome.shot("01-sample").await;
    chrome.click("Sign in").await;
    chrome.sees("to continue to Fieldnotes").await;
    chrome.shot("02-address").await;
    chrome.fill("email", "not an address").await;
    chrome.click("Send the token").await;
    chrome.sees("That is not an e-mail address.").await;
    chrome.shot("03-address-wrong").await;
    chrome.fill("email", "ada@example.com").await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    chrome.shot("04-token").await;

    chrome.fill("token", "2222-2222").await;
    chrome.click("Sign in").await;
    chrome.sees("Four tries left").await;
    chrome.shot("05-token-wrong").await;

    let token = token_from_the_mailbox(chrome, demo).await;
    chrome.fill("token", &token.to_lowercase()).await;
    chrome.click("Sign in").await;
    chrome.sees("Fieldnotes asks for access").await;
    chrome.sees("ada@example.com").await;
    chrome.shot("07-consent").await;
    chrome.click("Allow").await;
    chrome.sees("What Fieldnotes holds for you").await;
    assert!(chrome.url().await.starts_with(&demo.sample));
}

/// Opens the mailbox in another tab, as a person would look into their mail.
async fn token_from_the_mailbox(chrome: &Chrome, demo: &Demo) -> String {
    let link = chrome.find(".note a").await;
    let mailbox = link.prop("href").await.expect("a link").expect("a URL");
    assert_eq!(mailbox, format!("{}/mailbox", demo.issuer));
    chrome.new_tab(&mailbox).await;
    chrome.sees("Your admin token to continue to Fieldnotes").await;
    chrome.shot("06-mailbox").await;
    let token = chrome.find(".token").await.text().await.expect("a token");
    chrome.driver.close_window().await.expect("closed");
    chrome.tab(0).await;
    token.trim().to_owned()
}

async fn use_the_client(chrome: &Chrome, demo: &Demo) {
    chrome.sees("ada@example.com").await;
    chrome.shot("08-signed-in").await;
    chrome.click("Call the API").await;
    chrome.sees("This is protected data").await;
    chrome.shot("09-called").await;
    chrome.open(&demo.sample).await;
    chrome.click("Refresh now").await;
    chrome.sees("Your tokens were refreshed.").await;
    chrome.sees("used once").await;
    chrome.shot("10-refreshed").await;
}

async fn look_around(chrome: &Chrome, demo: &Demo) {
    chrome.open(&demo.issuer).await;
    chrome.shot("11-home").await;
    chrome.open(&format!("{}/account", demo.issuer)).await;
    chrome.sees("Where you are signed in").await;
    chrome.sees("Fieldnotes").await;
    chrome.shot("12-account").await;
    chrome.click("Withdraw").await;
    chrome.sees("Withdraw access?").await;
    chrome.shot("13-withdraw").await;
    chrome.click("Cancel").await;
    chrome.sees("Your account").await;
}

async fn sign_out(chrome: &Chrome, demo: &Demo) {
    chrome.open(&demo.sample).await;
    chrome.click("Sign out").await;
    chrome.sees("You are signed out").await;
    assert!(chrome.url().await.starts_with(&demo.sample), "back at the client");
    chrome.shot("14-signed-out").await;
    chrome.open(&format!("{}/account", demo.issuer)).await;
    chrome.sees("E-mail address").await;
}

async fn dead_ends(chrome: &Chrome, demo: &Demo) {
    for (name, path, says) in [
        ("15-unknown-client", "/authorize?client_id=nobody", "This application is not known"),
        (
            "16-redirect",
            "/authorize?client_id=sample&redirect_uri=https://evil.example/",
            "You cannot be sent back safely",
        ),
        ("17-spent", "/login?request=x", "This link no longer works"),
        ("18-nothing", "/nothing", "There is nothing here"),
    ] {
        chrome.open(&format!("{}{path}", demo.issuer)).await;
        chrome.sees(says).await;
        chrome.shot(name).await;
    }
}
