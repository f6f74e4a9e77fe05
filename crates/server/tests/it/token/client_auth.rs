//! Who is calling: RFC 6749 §2.3.

use crate::support::{Request, Server, assert_error, client};

const FAILED: &str = "Client authentication failed.";

#[tokio::test]
async fn the_secret_may_come_in_the_header_or_in_the_body() {
    let server = Server::start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let secret = app.secret.as_deref().expect("a secret");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh.as_str()),
        ("client_id", "notes"),
        ("client_secret", secret),
    ];
    let post = || client().post(server.url("/token"));
    assert_eq!(server.request(post().form(&fields)).await.status, 200, "client_secret_post");
    let basic = post().basic_auth("notes", Some(secret)).form(&fields[..3]);
    assert_eq!(server.request(basic).await.status, 200, "client_secret_basic");

    let both = post().basic_auth("notes", Some(secret)).form(&fields);
    let text = "The client authenticates in two ways at once. Use one of the Authorization header, client_secret and client_assertion.";
    assert_error(&server.request(both).await, 400, "invalid_request", text);
    let foreign = [fields[0], fields[1], ("client_id", "other")];
    let two = post().basic_auth("notes", Some(secret)).form(&foreign);
    assert_error(&server.request(two).await, 400, "invalid_request", text);
}

#[tokio::test]
async fn wrong_secrets_and_unknown_clients_look_the_same() {
    let server = Server::start().await;
    let app = server.app("notes");
    let secret = app.secret.clone().expect("a secret");
    let last = if secret.ends_with('A') { 'B' } else { 'A' };
    let close = format!("{}{last}", &secret[..secret.len() - 1]);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];

    for (id, secret) in [("notes", close.as_str()), ("notes", "x"), ("nobody", secret.as_str())] {
        let post = client().post(server.url("/token"));
        let page = server.request(post.basic_auth(id, Some(secret)).form(&fields)).await;
        assert_error(&page, 401, "invalid_client", FAILED);
        let header = page.header("www-authenticate").unwrap_or_default();
        assert!(header.starts_with("Basic realm="), "{header}");
    }
    let body = [fields[0], fields[1], ("client_id", "notes"), ("client_secret", close.as_str())];
    let page = server.request(client().post(server.url("/token")).form(&body)).await;
    assert_error(&page, 401, "invalid_client", FAILED);
    // RFC 9110 §15.5.2: every 401 says how to authenticate.
    assert!(page.header("www-authenticate").is_some_and(|own| own.starts_with("Basic ")));
}

#[tokio::test]
async fn a_confidential_client_cannot_pose_as_a_public_one() {
    let server = Server::start().await;
    server.app("notes");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", "notes")];
    let page = server.request(client().post(server.url("/token")).form(&fields)).await;
    assert_error(&page, 401, "invalid_client", FAILED);
}

#[tokio::test]
async fn a_public_client_only_names_itself() {
    let server = Server::start().await;
    let app = server.public_app("phone");
    assert_eq!(app.secret, None);
    let tokens = server.tokens(&app, "ada").await;
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);
    let page = server
        .request(
            client()
                .post(server.url("/token"))
                .basic_auth("phone", Some("anything"))
                .form(&[("grant_type", "refresh_token"), ("refresh_token", &tokens.refresh)]),
        )
        .await;
    assert_error(&page, 401, "invalid_client", FAILED);
}

#[tokio::test]
async fn broken_headers_are_refused() {
    let server = Server::start().await;
    server.app("notes");
    let text = "Client authentication failed: the Authorization header is not Basic with a form-encoded client_id and client_secret.";
    for header in ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Digest username=x"] {
        let post = client().post(server.url("/token")).header("authorization", header);
        let page = server.request(post.form(&[("grant_type", "refresh_token")])).await;
        assert_error(&page, 401, "invalid_client", text);
    }
    let post = client().post(server.url("/token"));
    let page = server.request(post.form(&[("grant_type", "refresh_token")])).await;
    let text = "Client authentication failed: no client_id was sent.";
    assert_error(&page, 401, "invalid_client", text);
}

#[tokio::test]
async fn searching_for_a_secret_is_slowed_down() {
    let server = Server::setup().set("limits.failed_client_auth", 3).start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let fields = [("grant_type", "authorization_code"), ("code", "x")];
    for guess in 0..3 {
        let post = client().post(server.url("/token"));
        let page = server.request(post.basic_auth("notes", Some(guess)).form(&fields)).await;
        assert_eq!(page.status, 401, "{page:?}");
    }
    // The right secret waits too: an answer would tell that it is right.
    let page = server.redeem(&app, &request, "x").await;
    let text = "Rate limit exceeded. Please try again later.";
    assert_error(&page, 429, "too_many_requests", text);
    let wait: u32 = page.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_client_has_its_own_rate() {
    let server = Server::start().await;
    let (slow, other) = (server.app_with("slow", &["--requests-per-minute", "2"]), server.app("b"));
    for _ in 0..2 {
        assert_eq!(server.refresh(&slow, "x").await.status, 400);
    }
    let text = "Rate limit exceeded. Please try again later.";
    assert_error(&server.refresh(&slow, "x").await, 429, "too_many_requests", text);
    assert_eq!(server.refresh(&other, "x").await.status, 400, "another client is not held up");
}
