//! What no application should send to `/authorize`, and where the person ends up.

use crate::support::{Request, Server, assert_sent_back};

/// A wrong value, and what the application is told: parameter, value, error, text.
const WRONG: &[[&str; 4]] = &[
    [
        "response_type",
        "none",
        "unsupported_response_type",
        "This response_type is not supported. Use response_type=code.",
    ],
    [
        "response_type",
        "token",
        "unauthorized_client",
        "This application is not registered for response_type=token.",
    ],
    ["response_type", "", "invalid_request", "The parameter response_type is missing."],
    [
        "response_mode",
        "web_message",
        "invalid_request",
        "This response_mode is not supported. Use query, fragment or form_post.",
    ],
    [
        "scope",
        "openid admin",
        "invalid_scope",
        "The scope admin is unknown or not registered for this application.",
    ],
    [
        "scope",
        "openid \"x\"",
        "invalid_scope",
        "The scope has characters that a scope may not have.",
    ],
    [
        "code_challenge",
        "",
        "invalid_request",
        "This application must use PKCE: send code_challenge and code_challenge_method=S256.",
    ],
    [
        "code_challenge",
        "short",
        "invalid_request",
        "The code_challenge must be 43 base64url characters: the SHA-256 of the verifier.",
    ],
    [
        "code_challenge_method",
        "plain",
        "invalid_request",
        "Only code_challenge_method=S256 is supported.",
    ],
    [
        "code_challenge_method",
        "",
        "invalid_request",
        "Only code_challenge_method=S256 is supported.",
    ],
    [
        "prompt",
        "none login",
        "invalid_request",
        "prompt=none cannot be combined with another prompt.",
    ],
    [
        "prompt",
        "create",
        "invalid_request",
        "The parameter prompt is not valid: use none, login, consent or select_account.",
    ],
    [
        "max_age",
        "-1",
        "invalid_request",
        "The parameter max_age is not valid: a number of seconds, 0 or more.",
    ],
    [
        "max_age",
        "soon",
        "invalid_request",
        "The parameter max_age is not valid: a number of seconds, 0 or more.",
    ],
    [
        "request",
        "eyJhbGciOiJub25lIn0.e30.",
        "request_not_supported",
        "The request parameter is not supported.",
    ],
    [
        "request_uri",
        "https://notes.example/r",
        "request_uri_not_supported",
        "The request_uri parameter is not supported.",
    ],
    [
        "registration",
        "{}",
        "registration_not_supported",
        "The registration parameter is not supported.",
    ],
];

#[tokio::test]
async fn an_unknown_application_is_a_page_and_never_a_redirect() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    for id in ["nobody", "NOTES", "notes ", "notes\u{0}", "%"] {
        let page = browser.get(&Request::of(&app).with("client_id", id).url(&server)).await;
        assert!((400..500).contains(&page.status), "{id:?}: {page:?}");
        assert_eq!(page.location(), None);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    }
    let page = browser.get(&Request::of(&app).with("client_id", "nobody").url(&server)).await;
    assert_eq!(page.status, 400);
    page.must_say("This application is not known");
    page.must_say("invalid_client");
    page.must_say("If you ask for help, quote");
    let page = browser.get(&Request::of(&app).without("client_id").url(&server)).await;
    assert_eq!((page.status, page.location()), (400, None));
    page.must_say("The parameter client_id is missing.");
}

#[tokio::test]
async fn doubled_parameters_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    for name in ["client_id", "redirect_uri"] {
        let request = Request::of(&app);
        let value = request.value(name).to_owned();
        let page = browser.get(&request.and(name, &value).url(&server)).await;
        assert_eq!((page.status, page.location()), (400, None), "{name}");
        page.must_say(&format!("The parameter {name} appears more than once. Send it once."));
    }
    for name in ["scope", "state", "response_type", "code_challenge", "nonce", "unheard_of"] {
        let request = Request::of(&app).and(name, "a").and(name, "a");
        let page = browser.get(&request.url(&server)).await;
        let text = format!("The parameter {name} appears more than once. Send it once.");
        assert_sent_back(&page, &app, "invalid_request", &text);
    }
}

#[tokio::test]
async fn wrong_values_go_back_to_the_application() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    for [name, value, error, text] in WRONG {
        let request = Request::of(&app).with(name, value);
        let page = browser.get(&request.url(&server)).await;
        let answer = assert_sent_back(&page, &app, error, text);
        assert_eq!(answer["state"], request.value("state"), "{name}={value}");
    }
}

#[tokio::test]
async fn an_error_is_sent_back_in_the_mode_that_was_asked_for() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let request = Request::of(&app).with("scope", "admin");
    let page = browser.get(&request.clone().and("response_mode", "fragment").url(&server)).await;
    assert!(page.location().expect("a redirect").contains("/callback#error=invalid_scope"));
    let page = browser.get(&request.and("response_mode", "form_post").url(&server)).await;
    let form = page.form(&app.redirect_uri);
    assert_eq!((page.status, form.value("error")), (200, Some("invalid_scope")));
}

#[tokio::test]
async fn public_applications_cannot_do_without_pkce() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let page = server.browser().get(&Request::of(&app).without_pkce().url(&server)).await;
    let text =
        "This application must use PKCE: send code_challenge and code_challenge_method=S256.";
    assert_sent_back(&page, &app, "invalid_request", text);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_page() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let query = Request::of(&app).query();
    for junk in ["state2=%ff%fe", "%c3%28=1", "x=%zz", "x=%"] {
        let page = browser.get(&format!("/authorize?{query}&{junk}")).await;
        assert_eq!((page.status, page.location()), (400, None), "{junk}: {page:?}");
        page.must_say("This request is not right");
    }
}

#[tokio::test]
async fn oversized_requests_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let long = Request::of(&app).with("state", &"s".repeat(20_000));
    let page = browser.get(&long.url(&server)).await;
    assert!((400..500).contains(&page.status), "{}", page.status);
    let fields = long.with("state", &"s".repeat(100_000)).pairs;
    let page = browser.post_from("https://notes.example", "/authorize", &fields).await;
    assert_eq!(page.status, 413);
    for (name, length) in [("nonce", 513), ("login_hint", 321)] {
        let request = Request::of(&app).with(name, &"x".repeat(length));
        let page = browser.get(&request.url(&server)).await;
        let text = format!("The parameter {name} is not valid: it is too long.");
        assert_sent_back(&page, &app, "invalid_request", &text);
    }
}

#[tokio::test]
async fn hostile_text_is_shown_as_text() {
    let server = Server::start().await;
    let name = "<script>alert(1)</script>evil\"'";
    server.cli().json(&[
        "client",
        "add",
        "hostile",
        "--name",
        name,
        "--redirect-uri",
        "https://h.example/cb",
        "--scope",
        "read",
    ]);
    let app = crate::support::App {
        id: "hostile".to_owned(),
        secret: None,
        redirect_uri: "https://h.example/cb".to_owned(),
    };
    let request = Request::of(&app).with("scope", "read").and("login_hint", "\"><img src=x>");
    let browser = server.browser();
    let page = browser.open(&request.url(&server)).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(
        !page.body.contains("<script>alert") && !page.body.contains("<img src=x>"),
        "{}",
        page.body
    );
    let page = server.type_token(&browser, &page, "ada").await;
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

#[tokio::test]
async fn broken_claims_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
    for claims in ["{", "[]", "7", r#"{"userinfo":7}"#, &deep] {
        let page = browser.get(&Request::of(&app).and("claims", claims).url(&server)).await;
        let error = page.answer().get("error").cloned();
        assert_eq!(error.as_deref(), Some("invalid_request"), "{claims}");
    }
}
