//! The redirect URI of the demo, with an answer behind the # of the address.

use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::demo::Demo;

#[tokio::test]
async fn a_script_shows_what_only_the_browser_sees() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "callback", ..PHONE }).await;
    let answer = "access_token=grt_at_x&token_type=Bearer&state=%3Cb%3Ex&expires_in=3600";
    chrome.open(&format!("{}/callback#{answer}", demo.issuer)).await;
    chrome.sees("grt_at_x").await;
    chrome.sees("<b>x").await;
    chrome.sees("expires_in").await;
    assert!(!chrome.text().await.contains("Nothing came back."));
    chrome.shot("fragment").await;
    chrome.open(&format!("{}/callback?error=access_denied&state=x", demo.issuer)).await;
    chrome.sees("What was refused").await;
    assert!(!chrome.text().await.contains("Behind the #"));
    chrome.shot("error").await;
    chrome.close().await;
}

#[tokio::test]
async fn without_scripts_the_page_says_why_it_shows_nothing() {
    let demo = Demo::start();
    let look = Look { name: "callback-no-scripts", scripts: false, ..DESKTOP };
    let chrome = Chrome::start(look).await;
    chrome.open(&format!("{}/callback#access_token=grt_at_x", demo.issuer)).await;
    chrome.sees("Scripts are switched off").await;
    chrome.shot("fragment").await;
    chrome.close().await;
}
