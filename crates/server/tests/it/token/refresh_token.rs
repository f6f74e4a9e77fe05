//! Refreshing: RFC 6749 §6, RFC 9700 §4.14.

use std::time::Duration;

use tokio::time::sleep;

use crate::support::{Server, Tokens, assert_error};

const UNKNOWN: &str = "The refresh token is unknown, expired, revoked or used up.";
const REUSED: &str =
    "The refresh token is not the one that was given last. Every token of this sign-in is revoked.";

#[tokio::test]
async fn a_public_client_gets_a_new_refresh_token_each_time() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let first = server.tokens(&app, "ada").await;
    let second = Tokens::of(&server.refresh(&app, &first.refresh).await);
    let third = Tokens::of(&server.refresh(&app, &second.refresh).await);

    assert!(first.refresh != second.refresh && second.refresh != third.refresh);
    assert!(first.access != second.access && second.access != third.access);
    assert_eq!(third.json["scope"], "openid profile email read");
    assert_eq!(server.bearer("/protected", &third.access).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_is_given_again() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let first = server.tokens(&app, "ada").await;
    let second = Tokens::of(&server.refresh(&app, &first.refresh).await);
    let again = Tokens::of(&server.refresh(&app, &first.refresh).await);
    assert_eq!(second.refresh, again.refresh, "the same successor");
    assert_eq!(server.refresh(&app, &again.refresh).await.status, 200);
}

#[tokio::test]
async fn reuse_after_the_successor_was_used_ends_the_sign_in() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    let first = server.tokens(&app, "ada").await;
    let second = Tokens::of(&server.refresh(&app, &first.refresh).await);
    let third = Tokens::of(&server.refresh(&app, &second.refresh).await);

    let stolen = server.refresh(&app, &first.refresh).await;
    assert_error(&stolen, 400, "invalid_grant", REUSED);
    assert_error(&server.refresh(&app, &third.refresh).await, 400, "invalid_grant", UNKNOWN);
    assert_eq!(server.bearer("/protected", &third.access).await.status, 401);
}

#[tokio::test]
async fn reuse_after_the_grace_ends_the_sign_in() {
    let server = Server::setup().set("lifetimes.refresh_grace", "1s").start().await;
    let app = server.public_app("phone");
    let first = server.tokens(&app, "ada").await;
    let second = Tokens::of(&server.refresh(&app, &first.refresh).await);
    sleep(Duration::from_millis(2100)).await;
    let late = server.refresh(&app, &first.refresh).await;
    assert_error(&late, 400, "invalid_grant", REUSED);
    assert_eq!(server.bearer("/protected", &second.access).await.status, 401);
}

#[tokio::test]
async fn a_confidential_client_keeps_its_refresh_token() {
    let server = Server::start().await;
    let app = server.app("notes");
    let first = server.tokens(&app, "ada").await;
    for _ in 0..3 {
        let next = Tokens::of(&server.refresh(&app, &first.refresh).await);
        assert_eq!(next.refresh, first.refresh);
        assert_ne!(next.access, first.access);
    }
}

#[tokio::test]
async fn uses_may_be_counted() {
    let server = Server::start().await;
    let app = server.app_with("five", &["--refresh", "reuse:5"]);
    let tokens = server.tokens(&app, "ada").await;
    for _ in 0..5 {
        assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);
    }
    let sixth = server.refresh(&app, &tokens.refresh).await;
    assert_error(&sixth, 400, "invalid_grant", UNKNOWN);
}

#[tokio::test]
async fn scope_can_be_narrowed_and_not_widened() {
    let server = Server::start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let with = |scope| {
        [("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh), ("scope", scope)]
    };

    let narrow = Tokens::of(&server.token(&app, &with("openid")).await);
    assert_eq!(narrow.json["scope"], "openid");
    let denied = server.bearer("/protected", &narrow.access).await;
    let text = "The access token lacks the scope read.";
    assert_error(&denied, 403, "insufficient_scope", text);
    let header = denied.header("www-authenticate").unwrap_or_default();
    assert!(header.contains("error=\"insufficient_scope\"") && header.contains("scope=\"read\""));

    let wide = server.token(&app, &with("openid write")).await;
    assert_error(&wide, 400, "invalid_scope", "The scope asks for more than was granted.");
    // What was granted is still there.
    assert_eq!(server.token(&app, &with("read")).await.status, 200);
}

#[tokio::test]
async fn a_new_refresh_token_keeps_the_whole_scope() {
    let server = Server::start().await;
    let phone = server.public_app("phone");
    let tokens = server.tokens(&phone, "ada").await;
    let pairs = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("scope", "openid"),
    ];
    let narrow = Tokens::of(&server.token(&phone, &pairs).await);
    assert_eq!(narrow.json["scope"], "openid");
    assert_ne!(narrow.refresh, tokens.refresh);
    let whole = Tokens::of(&server.refresh(&phone, &narrow.refresh).await);
    assert_eq!(whole.json["scope"], tokens.json["scope"]);
}

#[tokio::test]
async fn a_foreign_or_broken_refresh_token_is_refused() {
    let server = Server::start().await;
    let (app, thief) = (server.app("notes"), server.app("thief"));
    let tokens = server.tokens(&app, "ada").await;

    let stolen = server.refresh(&thief, &tokens.refresh).await;
    let text = "The refresh token was issued to another client.";
    assert_error(&stolen, 400, "invalid_grant", text);
    let changed = format!("{}A", &tokens.refresh[..tokens.refresh.len() - 1]);
    let other = format!("{}B", &tokens.refresh[..tokens.refresh.len() - 1]);
    let wrong = if changed == tokens.refresh { other } else { changed };
    for token in ["x", "grt_rt_", &tokens.access, "\u{7f}ü"] {
        assert_error(&server.refresh(&app, token).await, 400, "invalid_grant", UNKNOWN);
    }
    assert_eq!(server.refresh(&app, &wrong).await.status, 400);
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200, "no harm was done");
}

#[tokio::test]
async fn idle_and_absolute_lifetimes_end_a_refresh_token() {
    let server = Server::setup()
        .set("lifetimes.refresh_idle", "3s")
        .set("lifetimes.refresh_absolute", "7s")
        .start()
        .await;
    let app = server.app("notes");
    let idle = server.tokens(&app, "ada").await;
    let used = server.tokens(&app, "bob").await;
    for _ in 0..3 {
        sleep(Duration::from_millis(1000)).await;
        assert_eq!(server.refresh(&app, &used.refresh).await.status, 200, "use keeps it alive");
    }
    assert_error(&server.refresh(&app, &idle.refresh).await, 400, "invalid_grant", UNKNOWN);
    sleep(Duration::from_millis(3000)).await;
    assert_error(&server.refresh(&app, &used.refresh).await, 400, "invalid_grant", UNKNOWN);
}

#[tokio::test]
async fn a_client_without_the_grant_gets_no_refresh_token_and_may_not_refresh() {
    let server = Server::start().await;
    let once = server.app_with("once", &["--grant", "authorization_code"]);
    let tokens = server.tokens(&once, "ada").await;
    assert!(tokens.json.get("refresh_token").is_none(), "{}", tokens.json);

    let page = server.refresh(&once, "grt_rt_x").await;
    let text = "This client is not registered for the grant type refresh_token.";
    assert_error(&page, 400, "unauthorized_client", text);
}
