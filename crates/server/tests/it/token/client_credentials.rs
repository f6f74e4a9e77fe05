//! The client credentials grant: RFC 6749 §4.4; and counted refresh tokens.

use crate::support::{App, Server, Tokens, assert_error, decode};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// A client as `/create-client` makes them.
fn counted(server: &Server, id: &str) -> App {
    server.machine(
        id,
        &["--grant", "refresh_token", "--refresh", "reuse:5", "--on-new-token", "revoke_previous"],
    )
}

#[tokio::test]
async fn a_client_gets_a_token_about_itself() {
    let server = Server::start().await;
    let machine = server.machine("machine", &[]);
    let page = server.token(&machine, &GRANT).await;
    let json = page.json();
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    let names: Vec<_> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "token_type", "expires_in", "scope"]);
    assert_eq!(
        (json["token_type"].as_str(), json["expires_in"].as_u64()),
        (Some("Bearer"), Some(3600))
    );
    // What is about a person is left out of the registered scope.
    assert_eq!(json["scope"], "read write");
    let access = Tokens::of(&page).access;
    assert_eq!(server.bearer("/protected", &access).await.status, 200);
    assert_error(
        &server.bearer("/userinfo", &access).await,
        403,
        "insufficient_scope",
        "The access token lacks the scope openid.",
    );
    let known = server.introspect(&machine, &access).await;
    assert_eq!((&known["sub"], &known["client_id"]), (&"machine".into(), &"machine".into()));
}

#[tokio::test]
async fn it_is_not_for_everybody_and_not_for_every_scope() {
    let server = Server::start().await;
    let machine = server.machine("machine", &[]);
    for (scope, text) in [
        ("openid", "The scope openid is about a person, and this grant has none."),
        ("admin", "The scope admin is unknown or not registered for this application."),
    ] {
        let pairs = [GRANT[0], ("scope", scope)];
        assert_error(&server.token(&machine, &pairs).await, 400, "invalid_scope", text);
    }
    let narrowed = server.token(&machine, &[GRANT[0], ("scope", "write")]).await;
    assert_eq!(narrowed.json()["scope"], "write");
    let access = Tokens::of(&narrowed).access;
    assert_eq!(server.bearer("/protected", &access).await.status, 403);
    let notes = server.app("notes");
    let text = "This client is not registered for the grant type client_credentials.";
    assert_error(&server.token(&notes, &GRANT).await, 400, "unauthorized_client", text);
    let wrong = App { secret: Some("grt_cs_wrong".to_owned()), ..machine };
    let page = server.token(&wrong, &GRANT).await;
    assert_error(&page, 401, "invalid_client", "Client authentication failed.");
}

#[tokio::test]
async fn a_counted_refresh_token_works_five_times() {
    let server = Server::start().await;
    let machine = counted(&server, "machine");
    let first = Tokens::of(&server.token(&machine, &GRANT).await);
    let mut before = first.access.clone();
    for _ in 0..5 {
        let page = server.refresh(&machine, &first.refresh).await;
        let next = Tokens::of(&page);
        assert_eq!(next.refresh, first.refresh, "it stays the same");
        // Each new access token ends the one before it.
        assert_eq!(server.bearer("/protected", &before).await.status, 401);
        assert_eq!(server.bearer("/protected", &next.access).await.status, 200);
        before = next.access;
    }
    let text = "The refresh token is unknown, expired, revoked or used up.";
    assert_error(&server.refresh(&machine, &first.refresh).await, 400, "invalid_grant", text);
    assert_eq!(server.bearer("/protected", &before).await.status, 200, "the last one lives on");
    assert_eq!(server.introspect(&machine, &first.refresh).await["active"], false);
}

#[tokio::test]
async fn a_new_token_can_end_those_before_it() {
    let server = Server::start().await;
    let (strict, easy) =
        (counted(&server, "strict"), server.machine("easy", &["--grant", "refresh_token"]));
    for (machine, old_works) in [(&strict, false), (&easy, true)] {
        let old = Tokens::of(&server.token(machine, &GRANT).await);
        let new = Tokens::of(&server.token(machine, &GRANT).await);
        let status = |token: &Tokens| {
            let access = token.access.clone();
            let server = &server;
            async move { server.bearer("/protected", &access).await.status }
        };
        assert_eq!(status(&old).await, if old_works { 200 } else { 401 }, "{}", machine.id);
        assert_eq!(status(&new).await, 200);
        let refreshed = server.refresh(machine, &old.refresh).await.status;
        assert_eq!(refreshed, if old_works { 200 } else { 400 }, "{}", machine.id);
    }
}

#[tokio::test]
async fn a_removed_client_takes_its_tokens_with_it() {
    let server = Server::start().await;
    let machine = server.machine("machine", &[]);
    let signed = server.machine("signed", &["--access-token-format", "jwt"]);
    let mut tokens = Vec::new();
    for client in [&machine, &signed] {
        tokens.push(Tokens::of(&server.token(client, &GRANT).await).access);
        server.cli().ok(&["client", "remove", &client.id]);
    }
    for token in &tokens {
        assert_eq!(server.bearer_soon("/protected", token, 401).await, 401);
    }
    // A client that takes the name later gets nothing of it. Times are whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    server.machine("machine", &[]);
    assert_eq!(server.bearer("/protected", &tokens[0]).await.status, 401);
}

#[tokio::test]
async fn a_machine_asks_ten_times_a_minute() {
    let server = Server::setup().unset("limits.machine_client").start().await;
    let machine = server.app_with("machine", &["--grant", "client_credentials", "--scope", "read"]);
    for used in 1..=10 {
        let page = server.token(&machine, &GRANT).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("ratelimit-policy"), Some("\"client\";q=10;w=60"));
        let left = format!("\"client\";r={};t={}", 10 - used, used * 6);
        assert_eq!(page.header("ratelimit"), Some(left.as_str()));
    }
    let page = server.token(&machine, &GRANT).await;
    let text = "Rate limit exceeded. Please try again later.";
    assert_error(&page, 429, "too_many_requests", text);
    assert_eq!(page.header("retry-after"), Some("6"));
    assert_eq!(page.header("ratelimit"), Some("\"client\";r=0;t=6"));
    let other = server.app_with("other", &["--grant", "client_credentials", "--scope", "read"]);
    assert_eq!(server.token(&other, &GRANT).await.status, 200, "each client for itself");
}

#[tokio::test]
async fn a_signed_token_says_everything_itself() {
    let server = Server::start().await;
    for alg in ["ES256", "EdDSA", "RS256"] {
        let machine = server.machine(
            &format!("machine-{alg}"),
            &["--access-token-format", "jwt", "--access-token-alg", alg],
        );
        let access = Tokens::of(&server.token(&machine, &GRANT).await).access;
        let (header, claims) = decode(&access);
        assert_eq!((&header["alg"], &header["typ"]), (&alg.into(), &"at+jwt".into()));
        let names: Vec<_> =
            claims.as_object().expect("claims").keys().map(String::as_str).collect();
        assert_eq!(names, ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"]);
        assert_eq!(claims["aud"], server.issuer.as_str());
        assert_eq!(
            (&claims["sub"], &claims["scope"]),
            (&machine.id.as_str().into(), &"read write".into())
        );
        assert_eq!(server.bearer("/protected", &access).await.status, 200);
        let known = server.introspect(&machine, &access).await;
        assert_eq!((&known["active"], &known["exp"]), (&true.into(), &claims["exp"]));
    }
}
