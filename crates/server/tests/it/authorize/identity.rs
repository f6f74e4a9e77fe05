//! Who answers for whom: RFC 8252 §8.6, OpenID Connect Core 1.0 §3.1.2.1.

use crate::support::{App, Request, Server, assert_sent_back, client};

#[tokio::test]
async fn an_application_that_any_program_can_pose_as_is_asked_about_each_time() {
    let server = Server::start().await;
    let made = server.cli().json(&[
        "client",
        "add",
        "desktop",
        "--public",
        "--redirect-uri",
        "http://127.0.0.1/cb",
        "--scope",
        "openid",
    ]);
    assert_eq!(made["client_secret"], serde_json::Value::Null);
    let app = App {
        id: "desktop".to_owned(),
        secret: None,
        redirect_uri: "http://127.0.0.1:4001/cb".to_owned(),
    };
    let browser = server.browser();
    let request = Request::of(&app).with("scope", "openid");
    server.code(&browser, "ada", &request).await;

    // Another program on another port, with the consent that was given before.
    let other = App { redirect_uri: "http://127.0.0.1:6666/cb".to_owned(), ..app };
    let request = Request::of(&other).with("scope", "openid");
    let page = browser.get(&request.clone().and("prompt", "none").url(&server)).await;
    let text = "Consent is needed, and the application asked not to show a page.";
    assert_sent_back(&page, &other, "consent_required", text);
    browser.open(&request.url(&server)).await.must_say("asks for access");

    // A public application on the web is known by its address.
    let web = server.public_app("spa");
    server.code(&browser, "ada", &Request::of(&web)).await;
    let page = browser.get(&Request::of(&web).and("prompt", "none").url(&server)).await;
    assert!(page.answer().contains_key("code"), "{page:?}");
}

#[tokio::test]
async fn somebody_else_than_the_hint_names_ends_in_an_error() {
    let server = Server::start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let hint = tokens.json["id_token"].as_str().expect("an ID token");
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).and("id_token_hint", hint).url(&server)).await;
    page.must_say("Sign in");
    let page = server.type_token(&browser, &page, "bob").await;
    let text = "Another person is signed in than the application asked for.";
    assert_sent_back(&page, &app, "login_required", text);
}

#[tokio::test]
async fn a_request_posted_from_another_site_is_answered_by_the_next_page() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    server.code(&browser, "ada", &Request::of(&app)).await;
    // SameSite=Lax: such a post comes without cookies, the redirect after it with them.
    let silent = Request::of(&app).and("prompt", "none");
    let posted = server.request(client().post(server.url("/authorize")).form(&silent.pairs)).await;
    let next = posted.location().expect("a redirect");
    assert!(next.starts_with("/login?request="), "{next}");
    assert!(posted.headers.get("set-cookie").is_none(), "the browser keeps its cookies");
    let page = browser.get(&next).await;
    assert!(page.answer().contains_key("code"), "{page:?}");
}
