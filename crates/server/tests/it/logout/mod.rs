//! `/logout`: OpenID Connect RP-Initiated Logout 1.0.

use crate::support::{Request, Server, client};

#[tokio::test]
async fn a_person_is_asked_and_signed_out() {
    let server = Server::start().await;
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    let page = browser.open("/logout").await;
    page.must_say("Sign out?");
    page.must_say("ada@example.com");
    let session = browser.cookie("grantor_session").expect("a session");
    let page = browser.send_form(&page.form("/logout")).await;
    page.must_say("You are signed out");
    assert_eq!(browser.cookie("grantor_session"), None);
    // The session is over, not only its cookie.
    browser.set_cookie("grantor_session", &session);
    assert_eq!(browser.get("/account").await.location().as_deref(), Some("/login"));
}

#[tokio::test]
async fn an_application_with_a_hint_signs_out_at_once_and_gets_the_person_back() {
    let server = Server::start().await;
    let app =
        server.app_with("notes", &["--post-logout-redirect-uri", "https://notes.example/bye"]);
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    let hint = tokens.json["id_token"].as_str().expect("an ID token");
    let query = |uri: &str| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("id_token_hint", hint),
                ("post_logout_redirect_uri", uri),
                ("state", "x y&z"),
            ])
            .finish()
    };
    for uri in
        ["https://evil.example/", "https://notes.example/bye/", "https://notes.example/callback"]
    {
        let page = browser.get(&format!("/logout?{}", query(uri))).await;
        assert_eq!((page.status, page.location()), (400, None), "{uri}");
    }
    assert!(browser.cookie("grantor_session").is_some(), "still signed in");
    let page = browser.get(&format!("/logout?{}", query("https://notes.example/bye"))).await;
    let location = page.location().expect("a redirect");
    assert_eq!(location, "https://notes.example/bye?state=x+y%26z");
    assert_eq!(browser.cookie("grantor_session"), None);
}

#[tokio::test]
async fn without_a_proof_the_person_is_asked() {
    let server = Server::start().await;
    let app =
        server.app_with("notes", &["--post-logout-redirect-uri", "https://notes.example/bye"]);
    let (ada, bob) = (server.browser(), server.browser());
    server.code(&ada, "ada", &Request::of(&app)).await;
    let tokens = server.tokens_for(&app, "bob", &bob, &Request::of(&app)).await;

    let url = "/logout?client_id=notes&post_logout_redirect_uri=https%3A%2F%2Fnotes.example%2Fbye";
    let page = ada.get(url).await;
    page.must_say("notes asks you to sign out.");
    // Somebody else's ID token is no proof.
    let hint = tokens.json["id_token"].as_str().expect("an ID token");
    ada.get(&format!("/logout?id_token_hint={hint}")).await.must_say("Sign out?");
    // Nor is a form from another site.
    let forged = page.form("/logout").without("csrf");
    let answer = ada.post_from("https://evil.example", "/logout", &forged.fields).await;
    answer.must_say("Sign out?");
    assert!(ada.cookie("grantor_session").is_some());

    let page = ada.submit(&page.form("/logout")).await;
    assert_eq!(page.location().as_deref(), Some("https://notes.example/bye"));
}

#[tokio::test]
async fn bad_requests_are_pages() {
    let server = Server::start().await;
    server.app("notes");
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    for query in [
        "state=a&state=b",
        "state=%ff",
        "post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F",
        "client_id=notes&post_logout_redirect_uri=javascript%3Aalert(1)",
    ] {
        let page = browser.get(&format!("/logout?{query}")).await;
        assert_eq!((page.status, page.location()), (400, None), "{query}: {page:?}");
    }
    // A hint that cannot be verified is no proof, and no dead end either.
    for hint in ["x", "eyJhbGciOiJub25lIn0.e30."] {
        browser.open(&format!("/logout?id_token_hint={hint}")).await.must_say("Sign out?");
    }
    browser.open("/account").await.must_say("Your account");
}

#[tokio::test]
async fn a_form_that_an_application_posts_signs_out_by_the_redirect_after_it() {
    let server = Server::start().await;
    let app =
        server.app_with("notes", &["--post-logout-redirect-uri", "https://notes.example/bye"]);
    let browser = server.browser();
    let tokens = server.tokens_for(&app, "ada", &browser, &Request::of(&app)).await;
    let hint = tokens.json["id_token"].as_str().expect("an ID token");
    let form = [("id_token_hint", hint), ("post_logout_redirect_uri", "https://notes.example/bye")];
    let posted = server.request(client().post(server.url("/logout")).form(&form)).await;
    assert!(posted.headers.get("set-cookie").is_none(), "the browser keeps its cookies");
    let page = browser.get(&posted.location().expect("a redirect")).await;
    assert_eq!(page.location().as_deref(), Some("https://notes.example/bye"));
    assert_eq!(browser.cookie("grantor_session"), None);
}
