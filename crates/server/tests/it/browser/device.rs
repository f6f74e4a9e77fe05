//! A device without a browser, connected with one: on a wide screen, and in the dark on a phone.

use serde_json::Value;

use super::newest_token;
use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::client;
use crate::support::demo::Demo;
use crate::support::device::{DEVICE_GRANT, for_devices};

#[tokio::test]
async fn a_device_is_connected_by_typing_its_code() {
    let demo = with_tv().await;
    let chrome = Chrome::start(Look { name: "device-desktop", ..DESKTOP }).await;
    let device = post(&demo, "/device_authorization", &[("scope", "openid profile read")]).await;
    let code = device["user_code"].as_str().expect("a code");
    chrome.open(&demo.issuer).await;
    chrome.click("Connect a device").await;
    chrome.sees("Type the code that your device shows.").await;
    chrome.shot("1-code").await;
    chrome.fill("user_code", "BBBB-BBBB").await;
    chrome.click("Continue").await;
    chrome.sees("No device waits for this code.").await;
    chrome.shot("2-code-wrong").await;
    chrome.fill("user_code", &code.to_lowercase().replace('-', " ")).await;
    chrome.click("Continue").await;
    sign_in(&chrome, &demo).await;

    chrome.sees("Acme TV on a device asks for access").await;
    chrome.sees(code).await;
    chrome.shot("3-confirm").await;
    assert_eq!(poll(&demo, &device).await["error"], "authorization_pending");
    // Somebody else at the same screen.
    chrome.click("Not you?").await;
    chrome.click("Use a password instead").await;
    chrome.fill("username", "demo_user").await;
    chrome.fill("password", &demo.password).await;
    chrome.click("Sign in").await;
    chrome.sees("Demo User").await;
    chrome.sees(code).await;
    chrome.click("Allow").await;
    chrome.sees("You can go back to your device.").await;
    chrome.shot("4-allowed").await;
    let tokens = poll(&demo, &device).await;
    assert_eq!(tokens["scope"], "openid profile read", "{tokens}");
    chrome.close().await;
}

#[tokio::test]
async fn a_device_is_refused_by_its_link_on_a_phone_in_the_dark() {
    let demo = with_tv().await;
    let chrome = Chrome::start(Look { name: "device-phone-dark", dark: true, ..PHONE }).await;
    let device = post(&demo, "/device_authorization", &[("scope", "openid read")]).await;
    let link = device["verification_uri_complete"].as_str().expect("a link");
    chrome.open(link).await;
    sign_in(&chrome, &demo).await;
    chrome.sees("Your device has to show this code:").await;
    chrome.shot("1-confirm").await;
    chrome.tab_to("Deny").await;
    chrome.sees("Access was denied").await;
    chrome.shot("2-denied").await;
    assert_eq!(poll(&demo, &device).await["error"], "access_denied");
    chrome.open(link).await;
    chrome.sees("No device waits for this code.").await;
    chrome.shot("3-over").await;
    chrome.close().await;
}

async fn sign_in(chrome: &Chrome, demo: &Demo) {
    chrome.sees("E-mail address").await;
    chrome.fill("email", "ada@example.com").await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    let token = newest_token(demo).await;
    chrome.fill("token", &token).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
}

/// A demo with a public client for devices.
async fn with_tv() -> Demo {
    let demo = Demo::start();
    let uri = format!("{}/callback", demo.issuer);
    let scope = "openid profile email read";
    let own = ["tv", "--name", "Acme TV", "--client-uri", "https://tv.example.com/", "--public"];
    demo.add_client(&[&own[..], &["--redirect-uri", &uri, "--scope", scope]].concat());
    let mut shell = std::process::Command::new("sqlite3");
    let ran = shell.arg(demo.data().join("grantor.db")).arg(for_devices("tv")).status();
    assert!(ran.expect("the sqlite3 shell is there: scripts/test installs it").success());
    // The running server sees it within a second.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    demo
}

async fn post(demo: &Demo, path: &str, pairs: &[(&str, &str)]) -> Value {
    let fields = [pairs, &[("client_id", "tv")]].concat();
    let sent = client().post(format!("{}{path}", demo.issuer)).form(&fields).send().await;
    sent.expect("an answer").json().await.expect("JSON")
}

async fn poll(demo: &Demo, device: &Value) -> Value {
    let code = device["device_code"].as_str().expect("a code");
    post(demo, "/token", &[("grant_type", DEVICE_GRANT), ("device_code", code)]).await
}
