//! The account page in a browser: withdrawing access and ending sessions.

use super::to_consent;
use crate::support::Browser;
use crate::support::chrome::{Chrome, Look, PHONE};
use crate::support::demo::Demo;
use crate::support::seen::Seen;

#[tokio::test]
async fn access_is_withdrawn_and_another_session_ended() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "account", ..PHONE }).await;
    to_consent(&chrome, &demo, "demo_user@example.com").await;
    chrome.click("Allow").await;
    chrome.sees("What Fieldnotes holds for you").await;

    let elsewhere = Browser::new(&demo.issuer, Seen::default());
    let page = elsewhere.open("/login?method=password").await;
    let form = page.form_with("password").with("username", "demo_user");
    let page = elsewhere.send_form(&form.with("password", &demo.password)).await;
    page.must_say("Your account");

    chrome.open(&format!("{}/account", demo.issuer)).await;
    chrome.sees("Unknown browser").await;
    chrome.sees("This browser").await;
    chrome.shot("1-two-sessions").await;
    chrome.click("End").await;
    chrome.sees("End this session?").await;
    chrome.shot("2-end").await;
    chrome.click("End the session").await;
    chrome.sees("Those sessions are signed out.").await;
    assert_eq!(elsewhere.get("/account").await.location().as_deref(), Some("/login"));

    chrome.click("Withdraw").await;
    chrome.sees("Fieldnotes loses its access").await;
    chrome.click("Withdraw access").await;
    chrome.sees("The application no longer has access.").await;
    chrome.sees("No application has access to your account.").await;
    chrome.shot("3-withdrawn").await;

    // The client notices: the call fails, it tries to refresh once, and asks to sign in again.
    chrome.open(&format!("{}/call", demo.sample)).await;
    chrome.sees("Sign in").await;
    chrome.shot("4-client-without-access").await;
    chrome.click("Sign in").await;
    chrome.sees("Fieldnotes asks for access").await;
    chrome.close().await;
}
