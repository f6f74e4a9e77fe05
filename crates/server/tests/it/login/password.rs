//! Signing in with a name and a password.

use crate::support::{Browser, Page, Server};

const PASSWORD: &str = "correct horse battery";

async fn try_to(browser: &Browser, username: &str, password: &str) -> Page {
    let page = browser.open("/login?method=password").await;
    let form = page.form_with("password").with("username", username);
    browser.send_form(&form.with("password", password)).await
}

#[tokio::test]
async fn name_or_address_and_password_sign_in() {
    let server = Server::start().await;
    server.person("ada", PASSWORD);
    for name in ["ada", "ADA", " ada@example.com"] {
        let browser = server.browser();
        try_to(&browser, name, PASSWORD).await.must_say("Your account");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let server = Server::start().await;
    server.person("ada", PASSWORD);
    let browser = server.browser();
    let long = "x".repeat(5000);
    for (name, password) in [
        ("ada", "wrong"),
        ("bob", PASSWORD),
        ("ada", ""),
        ("", ""),
        ("ada", &long),
        ("a\u{301}da", "ü"),
    ] {
        let page = try_to(&browser, name, password).await;
        assert_eq!(page.status, 400, "{name:?}");
        page.must_say("The name or the password is not right.");
        assert!(!page.body.contains(&format!("value=\"{PASSWORD}\"")));
    }
    assert_eq!(browser.cookie("grantor_session"), None);
}

#[tokio::test]
async fn a_new_password_ends_the_sessions() {
    let server = Server::start().await;
    server.person("ada", PASSWORD);
    let browser = server.browser();
    try_to(&browser, "ada", PASSWORD).await.must_say("Your account");
    let new = "staple battery horse";
    server.seen.add(new);
    let ran = server.cli().run_with(&["user", "set-password", "ada", "--password-stdin"], new);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    assert_eq!(browser.get("/account").await.location().as_deref(), Some("/login"));
    assert_eq!(try_to(&browser, "ada", PASSWORD).await.status, 400);
    try_to(&browser, "ada", new).await.must_say("Your account");
}

#[tokio::test]
async fn a_disabled_account_cannot_sign_in() {
    let server = Server::start().await;
    server.person("ada", PASSWORD);
    let browser = server.browser();
    try_to(&browser, "ada", PASSWORD).await.must_say("Your account");
    server.cli().ok(&["user", "disable", "ada"]);
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    assert_eq!(browser.get("/account").await.location().as_deref(), Some("/login"), "signed out");
    assert_eq!(try_to(&server.browser(), "ada", PASSWORD).await.status, 400);
    server.cli().ok(&["user", "enable", "ada"]);
    try_to(&server.browser(), "ada", PASSWORD).await.must_say("Your account");
}

#[tokio::test]
async fn methods_and_their_order_are_configuration() {
    let server = Server::setup().set("sign_in.methods", vec!["password"]).start().await;
    let page = server.browser().open("/login").await;
    page.form_with("password");
    assert!(!page.says("Use a token by e-mail instead"));
    // A method that is not offered cannot be had by asking.
    server.browser().open("/login?method=admin_token").await.form_with("password");

    let both = Server::setup().set("sign_in.methods", vec!["password", "admin_token"]);
    let server = both.start().await;
    let page = server.browser().open("/login").await;
    page.form_with("password");
    page.must_say("Use a token by e-mail instead");
}
