//! The reference of the API, as people read it.

use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::demo::Demo;

/// How far the page is wider than the window.
const OVERHANG: &str =
    "return document.documentElement.scrollWidth - document.documentElement.clientWidth;";

#[tokio::test]
async fn it_reads_well_on_a_phone_and_on_a_wide_screen_in_light_and_dark() {
    let demo = Demo::start();
    for look in [
        Look { name: "docs-phone", ..PHONE },
        Look { name: "docs-phone-dark", dark: true, ..PHONE },
        Look { name: "docs-desktop", ..DESKTOP },
        Look { name: "docs-desktop-dark", dark: true, ..DESKTOP },
    ] {
        let chrome = Chrome::start(look).await;
        chrome.open(&format!("{}/docs", demo.issuer)).await;
        chrome.sees("API reference").await;
        chrome.shot("top").await;
        let wider = chrome.driver.execute(OVERHANG, vec![]).await.expect("measured");
        assert_eq!(wider.json(), &serde_json::json!(0), "{}", look.name);
        chrome.open(&format!("{}/docs#introspect", demo.issuer)).await;
        chrome.sees("Ask whether a token is good").await;
        chrome.shot("introspect").await;
        chrome.close().await;
    }
}

#[tokio::test]
async fn without_scripts_one_finds_the_way_by_links() {
    let demo = Demo::start();
    let look = Look { name: "docs-no-scripts", scripts: false, ..DESKTOP };
    let chrome = Chrome::start(look).await;
    chrome.open(&demo.issuer).await;
    chrome.click("/docs").await;
    chrome.sees("API reference").await;
    chrome.click("Registration").await;
    assert!(chrome.url().await.ends_with("/docs#registration"));
    chrome.shot("registration").await;
    chrome.close().await;
}
