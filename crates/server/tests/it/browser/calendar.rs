//! The demo's sample application reads a calendar with a token from the vault.

use serde_json::json;

use super::newest_token;
use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::client;
use crate::support::demo::Demo;

const GRACE: &str = "103091219060101199201";

#[tokio::test]
async fn a_calendar_is_read_with_a_token_of_the_vault() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "calendar-desktop", ..DESKTOP }).await;
    connect(&chrome, &demo).await;
    chrome.sees("Your account is connected.").await;
    chrome.sees("grace@example.org").await;
    chrome.sees("no, the stored one was good").await;
    chrome.sees(" min left").await;
    chrome.shot("2-calendars").await;
    chrome.click("Get a new token").await;
    chrome.sees("The vault asked for a new token.").await;
    assert!(!chrome.text().await.contains("ya29."), "no token in a page");
    chrome.shot("3-refreshed").await;
    chrome.close().await;
}

#[tokio::test]
async fn an_account_whose_grant_is_over_is_connected_again_on_a_phone_in_the_dark() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "calendar-phone-dark", dark: true, ..PHONE }).await;
    connect(&chrome, &demo).await;
    chrome.sees("grace@example.org").await;
    chrome.shot("2-calendars").await;
    let revoke = client().post(format!("{}/_control/revoke", demo.google));
    let revoked = revoke.json(&json!({"account": "grace@example.org"})).send().await;
    assert!(revoked.expect("an answer").status().is_success());
    chrome.click("Get a new token").await;
    chrome.sees("Connect your Google account again").await;
    chrome.shot("3-again").await;
    chrome.click("Connect an account").await;
    chrome.sees("wants to access your account").await;
    chrome.click("Continue").await;
    chrome.sees("Your account is connected.").await;
    chrome.close().await;
}

/// Signs in to the sample and connects an account, up to the calendar page.
async fn connect(chrome: &Chrome, demo: &Demo) {
    chrome.open(&demo.sample).await;
    chrome.click("Sign in").await;
    chrome.sees("E-mail address").await;
    chrome.fill("email", "grace@example.com").await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    let token = newest_token(demo).await;
    chrome.fill("token", &token).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
    chrome.click("Allow").await;
    chrome.sees("Read your calendar").await;
    chrome.click("Read your calendar").await;
    chrome.sees("Connect your Google account").await;
    chrome.shot("1-connect").await;
    chrome.click("Connect an account").await;
    chrome.sees("Choose an account").await;
    chrome.find(&format!("button[value=\"{GRACE}\"]")).await.click().await.expect("clicked");
    chrome.sees("wants to access your account").await;
    chrome.click("Continue").await;
}
