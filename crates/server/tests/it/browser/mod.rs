//! The demo in a real browser: everything that a person does, clicked or typed.

mod account;
mod calendar;
mod callback;
mod connect;
mod device;
mod docs;
mod flow;
mod other_ways;

use crate::support::chrome::Chrome;
use crate::support::client;
use crate::support::demo::Demo;
use crate::support::html::unescape;

/// The newest token in the mailbox of the demo.
async fn newest_token(demo: &Demo) -> String {
    let url = format!("{}/mailbox", demo.issuer);
    for _ in 0..200 {
        let page = client().get(&url).send().await.expect("answered").text().await.expect("text");
        if let Some(rest) = page.split("class=\"token whole\">").nth(1) {
            return unescape(rest.split('<').next().unwrap_or_default());
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("no mail in the mailbox");
}

/// From the sample's start page to the consent page, for an address.
async fn to_consent(chrome: &Chrome, demo: &Demo, email: &str) {
    chrome.open(&demo.sample).await;
    chrome.click("Sign in").await;
    chrome.sees("E-mail address").await;
    chrome.fill("email", email).await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    let token = newest_token(demo).await;
    chrome.fill("token", &token).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
}
