//! Exchanging a code: RFC 6749 §4.1.3, RFC 7636 §4.6.

use std::time::Duration;

use tokio::time::sleep;

use crate::support::{Request, Server, Tokens, assert_error, random};

const UNKNOWN: &str = "The authorization code is unknown, expired or already used.";

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;

    let page = server.redeem(&app, &request, &code).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("pragma"), Some("no-cache"));
    let tokens = Tokens::of(&page);
    assert_eq!(tokens.json["token_type"], "Bearer");
    assert_eq!(tokens.json["expires_in"], 3600);
    assert_eq!(tokens.json["scope"], "openid profile email read", "exactly what was asked for");
    assert!(tokens.access.starts_with("grt_at_") && tokens.access.len() == 7 + 64);
    assert!(tokens.refresh.starts_with("grt_rt_") && tokens.refresh.len() == 7 + 64);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_replayed_code_takes_its_tokens_with_it() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &code).await);

    let again = server.redeem(&app, &request, &code).await;
    let text = "The authorization code was used before. Every token issued with it is revoked.";
    assert_error(&again, 400, "invalid_grant", text);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 400);
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let server = Server::setup().set("lifetimes.code", "1s").start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;
    sleep(Duration::from_millis(2100)).await;
    assert_error(&server.redeem(&app, &request, &code).await, 400, "invalid_grant", UNKNOWN);
}

#[tokio::test]
async fn a_code_of_another_application_is_refused_and_not_spent() {
    let server = Server::start().await;
    let (app, thief) = (server.app("notes"), server.app("thief"));
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;

    let stolen = server.redeem(&thief, &request, &code).await;
    let text = "The authorization code was issued to another client.";
    assert_error(&stolen, 400, "invalid_grant", text);
    assert_eq!(server.redeem(&app, &request, &code).await.status, 200);
}

#[tokio::test]
async fn a_wrong_verifier_spends_the_code() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;

    let mut guess = request.clone();
    guess.verifier = random();
    let text = "The code_verifier does not match the code_challenge. The code is spent.";
    assert_error(&server.redeem(&app, &guess, &code).await, 400, "invalid_grant", text);
    assert_eq!(server.redeem(&app, &request, &code).await.status, 400);
}

#[tokio::test]
async fn a_missing_verifier_and_one_too_many_are_refused() {
    let server = Server::start().await;
    let app = server.app_with("legacy", &["--no-pkce"]);
    let browser = server.browser();

    let with = Request::of(&app);
    let code = server.code(&browser, "ada", &with).await;
    let forgotten = Request { verifier: String::new(), ..with };
    let page = server.redeem(&app, &forgotten, &code).await;
    assert_error(&page, 400, "invalid_grant", "The code_verifier is missing.");

    let without = Request::of(&app).without_pkce();
    let code = server.code(&browser, "ada", &without).await;
    let added = Request { verifier: random(), ..without };
    let text = "A code_verifier was sent for a code that was requested without a code_challenge.";
    assert_error(&server.redeem(&app, &added, &code).await, 400, "invalid_grant", text);
}

#[tokio::test]
async fn the_redirect_uri_must_be_that_of_the_request() {
    let server = Server::start().await;
    let app = server.app_with("notes", &["--redirect-uri", "https://notes.example/other"]);
    let request = Request::of(&app);
    let browser = server.browser();
    let text = "The redirect_uri is not the one that the code was requested with.";

    for other in ["https://notes.example/other", "https://notes.example/callback/", "", "x"] {
        let code = server.code(&browser, "ada", &request).await;
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", other),
            ("code_verifier", request.verifier.as_str()),
        ];
        assert_error(&server.token(&app, &pairs).await, 400, "invalid_grant", text);
    }
}

#[tokio::test]
async fn made_up_codes_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &code).await);

    let changed = format!("{}A{}", &code[..40], &code[41..]);
    let other_type = code.replacen("grt_ac_", "grt_rt_", 1);
    let long = "a".repeat(5000);
    let made_up =
        ["x", "grt_ac_", &changed, &other_type, &tokens.access, &tokens.refresh, "ä\u{1f}€", &long];
    for code in made_up {
        assert_error(&server.redeem(&app, &request, code).await, 400, "invalid_grant", UNKNOWN);
    }
    // Guessing does not revoke anything.
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_client_may_have_lifetimes_of_its_own() {
    let server = Server::start().await;
    let app = server.app_with("short", &["--access-token-lifetime", "2s"]);
    let tokens = server.tokens(&app, "ada").await;
    assert_eq!(tokens.json["expires_in"], 2);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
    sleep(Duration::from_millis(3100)).await;
    let page = server.bearer("/protected", &tokens.access).await;
    assert_error(&page, 401, "invalid_token", "The access token is unknown, expired or revoked.");
}

#[tokio::test]
async fn a_disabled_person_gets_nothing_more() {
    let server = Server::start().await;
    server.person("ada", "correct horse battery");
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let request = Request::of(&app);
    let code = server.code(&server.browser(), "ada", &request).await;

    server.cli().ok(&["user", "disable", "ada"]);
    // A running server sees what the command line changed within a second.
    sleep(Duration::from_millis(1000)).await;
    assert_eq!(server.redeem(&app, &request, &code).await.status, 400);
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 400);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
}
