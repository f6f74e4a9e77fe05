//! A redirect URI in disguise: RFC 9700 §2.1 and §4.1, RFC 8252 §7.3.

use crate::support::{Request, Server};

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_only_looks_registered() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let disguises = [
        "https://evil.example/callback",
        "https://notes.example/callback/",
        "https://notes.example/callback?x=1",
        "https://notes.example/callback#x",
        "https://notes.example/Callback",
        "https://NOTES.example/callback",
        "https://notes.example:443/callback",
        "http://notes.example/callback",
        "https://notes.example/callback%00",
        "https://notes.example/%63allback",
        "https://notes.example/x/../callback",
        "https://notes.example/./callback",
        "https://notes.example//callback",
        "https://notes.example\\@evil.example/callback",
        "https://notes.example@evil.example/callback",
        "https://notes.example.evil.example/callback",
        "https://evil.example/https://notes.example/callback",
        "//notes.example/callback",
        "/callback",
        " https://notes.example/callback",
        "https://notes.example/callback ",
        "https://notes.example/callback\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://n\u{43e}tes.example/callback",
    ];
    for uri in disguises {
        let page = browser.get(&Request::of(&app).with("redirect_uri", uri).url(&server)).await;
        assert_eq!((page.status, page.location()), (400, None), "{uri:?}");
        page.must_say("You cannot be sent back safely");
        page.must_say("The redirect_uri is not one that the application registered.");
        assert!(!page.body.contains("evil.example"), "no link to it either: {uri:?}");
    }
}

#[tokio::test]
async fn it_may_be_left_out_only_when_there_is_no_doubt() {
    let server = Server::start().await;
    let browser = server.browser();
    let two = server.app_with("two", &["--redirect-uri", "https://two.example/b"]);
    let one = server.app("one");
    let text = "The parameter redirect_uri is missing, and the application has not registered exactly one.";
    for (app, scope) in [(&two, "read"), (&one, "openid")] {
        let request = Request::of(app).without("redirect_uri").with("scope", scope);
        let page = browser.get(&request.url(&server)).await;
        assert_eq!((page.status, page.location()), (400, None), "{page:?}");
        page.must_say(text);
    }
}

#[tokio::test]
async fn only_the_port_of_a_loopback_address_may_differ() {
    let server = Server::start().await;
    let uri = "http://127.0.0.1/cb";
    let app = server.app_with("native", &["--public", "--redirect-uri", uri]);
    let browser = server.browser();
    let good = Request::of(&app).with("redirect_uri", "http://127.0.0.1:49152/cb");
    let page = server.answer(&browser, "ada", &good).await;
    assert!(page.location().expect("a redirect").starts_with("http://127.0.0.1:49152/cb?"));

    for bad in [
        "http://localhost:49152/cb",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "https://127.0.0.1:49152/cb",
        "http://[::1]:49152/cb",
    ] {
        let page = browser.get(&Request::of(&app).with("redirect_uri", bad).url(&server)).await;
        assert_eq!((page.status, page.location()), (400, None), "{bad}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_redirect_uri_is_not_registered() {
    let server = Server::setup().prepare();
    for uri in [
        "http://app.example/cb",
        "https://app.example/cb#x",
        "https://*.example/cb",
        "javascript:alert(1)",
        "myapp:/cb",
        "https://user@app.example/",
        "/cb",
    ] {
        let ran = server.cli().run(&["client", "add", "x", "--name", "x", "--redirect-uri", uri]);
        assert_eq!(ran.code, Some(1), "{uri}: {ran:?}");
        assert!(ran.err.contains(uri), "{uri}: {}", ran.err);
        assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
    }
}
