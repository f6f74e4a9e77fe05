//! Answers of success: RFC 6749 §4.1.2, RFC 9207, the response modes.

use crate::support::{Request, Server, Tokens};

#[tokio::test]
async fn from_nothing_to_a_code_with_every_page_between() {
    let server = Server::start().await;
    let app = server.app_with("notes", &["--client-uri", "https://notes.example"]);
    let request = Request::of(&app);
    let browser = server.browser();

    let first = browser.get(&request.url(&server)).await;
    assert_eq!(first.status, 303);
    assert!(first.location().expect("a redirect").starts_with("/login?request="), "{first:?}");
    let page = browser.follow(first).await;
    page.must_say("to continue to notes");

    let page = server.type_token(&browser, &page, "ada").await;
    page.must_say("notes asks for access");
    page.must_say("ada@example.com");
    page.must_say("notes.example");
    for scope in ["openid", "profile", "email", "read"] {
        page.must_say(&format!("<code>{scope}</code>"));
    }
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert_eq!(page.status, 303);
    let location = page.location().expect("a redirect");
    assert!(location.starts_with("https://notes.example/callback?"), "{location}");
    let answer = page.answer();
    assert_eq!(answer["state"], request.value("state"));
    assert_eq!(answer["iss"], server.issuer);
    assert!(answer["code"].starts_with("grt_ac_"));
    assert_eq!(answer.len(), 3, "{answer:?}");
}

#[tokio::test]
async fn a_remembered_consent_answers_at_once_and_more_scope_asks_again() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let request = Request::of(&app).with("scope", "openid read");
    server.code(&browser, "ada", &request).await;

    let again = browser.get(&request.url(&server)).await;
    assert!(again.answer().contains_key("code"), "{again:?}");

    let more = Request::of(&app).with("scope", "openid read write");
    let page = browser.open(&more.url(&server)).await;
    page.must_say("Newly asked");
    page.must_say("<code>write</code>");
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert!(page.answer().contains_key("code"));
    // Once both were allowed, neither is asked for again.
    for request in [&request, &more] {
        assert!(browser.get(&request.url(&server)).await.answer().contains_key("code"));
    }
}

#[tokio::test]
async fn saying_no_goes_back_as_access_denied() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let request = Request::of(&app);
    let page = browser.open(&request.url(&server)).await;
    let page = server.type_token(&browser, &page, "ada").await;
    let page = browser.submit(&page.form("/consent").with("decision", "deny")).await;
    let text = "The person said no.";
    let answer = crate::support::assert_sent_back(&page, &app, "access_denied", text);
    assert_eq!(answer["state"], request.value("state"));
    // Nothing was remembered.
    browser.open(&request.url(&server)).await.must_say("asks for access");
}

#[tokio::test]
async fn the_request_may_be_posted() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let browser = server.browser();
    // OpenID Connect Core 1.0 §3.1.2.1: from the application's own page, so from another site.
    let page = browser.post_from("https://notes.example", "/authorize", &request.pairs).await;
    assert_eq!(page.status, 303, "{page:?}");
    let page = browser.follow(page).await;
    let page = server.type_token(&browser, &page, "ada").await;
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert!(page.answer().contains_key("code"));
}

#[tokio::test]
async fn the_answer_may_be_in_the_fragment_or_in_a_form() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let fragment = Request::of(&app).and("response_mode", "fragment");
    let page = server.answer(&browser, "ada", &fragment).await;
    let location = page.location().expect("a redirect");
    assert!(location.starts_with("https://notes.example/callback#"), "{location}");
    assert!(page.answer().contains_key("code") && page.answer().contains_key("iss"));

    let form_post = Request::of(&app).and("response_mode", "form_post");
    let page = server.answer(&browser, "ada", &form_post).await;
    assert_eq!(page.status, 200);
    let form = page.form("https://notes.example/callback");
    assert_eq!(form.method, "post");
    assert_eq!(form.value("state"), Some(form_post.value("state")));
    assert_eq!(form.value("iss"), Some(server.issuer.as_str()));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action") && policy.contains("https://notes.example"), "{policy}");
    let code = form.value("code").expect("a code");
    assert_eq!(server.redeem(&app, &form_post, code).await.status, 200);
}

#[tokio::test]
async fn the_state_comes_back_as_it_was_sent() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    for state in ["a b+c&d=e#f%2F", "\u{20ac}\u{1f600}", "<script>alert(1)</script>", "'\"\\"] {
        let request = Request::of(&app).with("state", state);
        let page = server.answer(&browser, "ada", &request).await;
        assert_eq!(page.answer()["state"], state);
    }
    let request = Request::of(&app).without("state");
    let page = server.answer(&browser, "ada", &request).await;
    assert!(!page.answer().contains_key("state"));
}

#[tokio::test]
async fn a_redirect_uri_with_a_query_keeps_it() {
    let server = Server::start().await;
    let uri = "https://shop.example/cb?tenant=7&x=%20y";
    let mut app = server.app_with("shop", &["--redirect-uri", uri]);
    app.redirect_uri = uri.to_owned();
    let page = server.answer(&server.browser(), "ada", &Request::of(&app)).await;
    let location = page.location().expect("a redirect");
    assert!(location.starts_with(&format!("{uri}&")), "{location}");
}

#[tokio::test]
async fn scope_and_redirect_uri_have_defaults() {
    let server = Server::start().await;
    let app = server.app_with("notes", &["--scope", "read write"]);
    let request = Request::of(&app).without("scope").without("redirect_uri");
    let browser = server.browser();
    let code = server.code(&browser, "ada", &request).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", request.verifier.as_str()),
    ];
    let tokens = Tokens::of(&server.token(&app, &pairs).await);
    assert_eq!(tokens.json["scope"], "read write");
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app).and("utm_source", "mail").and("display", "popup").and("x", "");
    server.code(&server.browser(), "ada", &request).await;
}

#[tokio::test]
async fn claims_may_be_asked_for_one_by_one() {
    let server = Server::start().await;
    let app = server.app("notes");
    let claims =
        r#"{"id_token":{"email":{"essential":true}},"userinfo":{"preferred_username":null}}"#;
    let request = Request::of(&app).with("scope", "openid").and("claims", claims);
    server.person("ada", "correct horse battery");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    assert_eq!(tokens.id_token().1["email"], "ada@example.com");
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(userinfo["preferred_username"], "ada");
    assert!(userinfo.get("email").is_none(), "{userinfo}");
    // A token with less scope tells no more than its scope does.
    let request = request.with("scope", "openid read");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("scope", "openid"),
    ];
    let narrowed = Tokens::of(&server.token(&app, &pairs).await);
    let userinfo = server.bearer("/userinfo", &narrowed.access).await.json();
    assert!(userinfo.get("preferred_username").is_none(), "{userinfo}");
}
