//! Which pages must or must not be shown: OpenID Connect Core 1.0 §3.1.2.1.

use std::time::Duration;

use tokio::time::sleep;

use crate::support::{Request, Server, Tokens, assert_sent_back};

#[tokio::test]
async fn none_never_shows_a_page() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let silent = Request::of(&app).and("prompt", "none");

    let page = browser.get(&silent.url(&server)).await;
    let text = "Nobody is signed in, and the application asked not to show a page.";
    assert_sent_back(&page, &app, "login_required", text);

    server.sign_in(&browser, "ada").await;
    let page = browser.get(&silent.url(&server)).await;
    let text = "Consent is needed, and the application asked not to show a page.";
    assert_sent_back(&page, &app, "consent_required", text);

    server.code(&browser, "ada", &Request::of(&app)).await;
    let page = browser.get(&silent.url(&server)).await;
    assert!(page.answer().contains_key("code"), "{page:?}");
}

#[tokio::test]
async fn login_signs_in_again() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let first = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    let before = browser.cookie("grantor_session").expect("a session");
    sleep(Duration::from_millis(1100)).await;

    let request = Request::of(&app).and("prompt", "login");
    let page = browser.open(&request.url(&server)).await;
    page.must_say("Sign in");
    let page = server.type_token(&browser, &page, "ada").await;
    let second = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    assert!(second.id_token().1["auth_time"].as_i64() > first.id_token().1["auth_time"].as_i64());
    assert_ne!(browser.cookie("grantor_session").expect("a session"), before, "a new session id");
}

#[tokio::test]
async fn consent_asks_again() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    server.code(&browser, "ada", &Request::of(&app)).await;
    let request = Request::of(&app).and("prompt", "consent");
    let page = browser.open(&request.url(&server)).await;
    page.must_say("notes asks for access");
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert!(page.answer().contains_key("code"));
}

#[tokio::test]
async fn select_account_offers_the_choice() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    server.code(&browser, "ada", &Request::of(&app)).await;
    let request = Request::of(&app).and("prompt", "select_account");
    let page = browser.open(&request.url(&server)).await;
    page.must_say("Choose an account");
    page.must_say("ada@example.com");
    let page = browser.send_form(&page.form("/select-account").with("choice", "continue")).await;
    assert!(page.answer().contains_key("code"), "{page:?}");

    let page = browser.open(&Request::of(&app).and("prompt", "select_account").url(&server)).await;
    let page = browser.send_form(&page.form("/select-account").with("choice", "other")).await;
    let page = server.type_token(&browser, &page, "bob").await;
    page.must_say("bob@example.com");
}

#[tokio::test]
async fn max_age_asks_again_when_the_sign_in_is_old() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    server.code(&browser, "ada", &Request::of(&app)).await;
    let fresh = Request::of(&app).and("max_age", "600");
    assert!(browser.get(&fresh.url(&server)).await.answer().contains_key("code"));

    sleep(Duration::from_millis(2100)).await;
    let old = Request::of(&app).and("max_age", "1");
    let page = browser.open(&old.url(&server)).await;
    page.must_say("Sign in");
    let page = server.type_token(&browser, &page, "ada").await;
    let tokens = Tokens::of(&server.redeem(&app, &old, &page.answer()["code"]).await);
    assert!(tokens.id_token().1["auth_time"].is_i64());
}

#[tokio::test]
async fn a_login_hint_fills_the_address_in() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app).and("login_hint", "ada@example.com");
    let page = server.browser().open(&request.url(&server)).await;
    assert_eq!(page.form_with("email").value("email"), Some("ada@example.com"));
}

#[tokio::test]
async fn an_id_token_hint_asks_for_one_person() {
    let server = Server::start().await;
    let app = server.app("notes");
    let (ada, bob) = (server.browser(), server.browser());
    let tokens = server.tokens_for(&app, "ada", &ada, &Request::of(&app)).await;
    server.code(&bob, "bob", &Request::of(&app)).await;

    let hint = tokens.json["id_token"].as_str().expect("an ID token");
    let silent = Request::of(&app).and("prompt", "none").and("id_token_hint", hint);
    assert!(ada.get(&silent.url(&server)).await.answer().contains_key("code"));
    let page = bob.get(&silent.url(&server)).await;
    let text = "Another person is signed in than the application asked for.";
    assert_sent_back(&page, &app, "login_required", text);

    // A token that is signed for another purpose is no hint.
    let spa = server.app_with("spa", &["--access-token-format", "jwt"]);
    let other = server.tokens(&spa, "ada").await.access;
    let wrong = Request::of(&app).and("prompt", "none").and("id_token_hint", &other);
    let text = "The parameter id_token_hint is not valid: it is not an ID token of this server.";
    assert_sent_back(&ada.get(&wrong.url(&server)).await, &app, "invalid_request", text);

    let forged = format!("{}AAAA", &hint[..hint.len() - 4]);
    let request = Request::of(&app).and("id_token_hint", &forged);
    let page = ada.get(&request.url(&server)).await;
    assert_eq!(page.answer()["error"], "invalid_request", "{page:?}");
}

#[tokio::test]
async fn a_client_may_allow_one_method_only() {
    let server = Server::start().await;
    server.person("ada", "correct horse battery");
    let app = server.app_with("strict", &["--sign-in-method", "password"]);
    let page = server.browser().open(&Request::of(&app).url(&server)).await;
    page.form_with("password");
    assert!(!page.says("Use a token by e-mail instead"));

    // Somebody who signed in in another way has to sign in again.
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    browser.open(&Request::of(&app).url(&server)).await.form_with("password");
}
