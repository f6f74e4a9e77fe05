//! `/protected` and `/api-secure-data`: RFC 6750.

use crate::support::{Request, Server, assert_error, client};

const BAD: &str = "The access token is unknown, expired or revoked.";

#[tokio::test]
async fn a_token_with_the_scope_opens_both() {
    let server = Server::start().await;
    let tokens = server.tokens(&server.app("notes"), "ada").await;
    for path in ["/protected", "/api-secure-data"] {
        let page = server.bearer(path, &tokens.access).await;
        assert_eq!(
            (page.status, page.body.as_str()),
            (200, r#"{"data":"This is protected data"}"#)
        );
        let lower = client()
            .get(server.url(path))
            .header("authorization", format!("bearer {}", tokens.access));
        assert_eq!(
            server.request(lower).await.status,
            200,
            "RFC 9110 §11.1: the scheme in any case"
        );
    }
}

#[tokio::test]
async fn without_a_token_the_challenge_has_no_error() {
    let server = Server::start().await;
    for path in ["/protected", "/api-secure-data"] {
        let page = server.get(path).await;
        assert_error(&page, 401, "missing_token", "Authorization token is missing.");
        let metadata = format!("{}/.well-known/oauth-protected-resource", server.issuer);
        let challenge = format!("Bearer realm=\"grantor\", resource_metadata=\"{metadata}\"");
        assert_eq!(page.header("www-authenticate"), Some(challenge.as_str()));
    }
}

#[tokio::test]
async fn other_tokens_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let tokens = server.tokens(&app, "ada").await;
    let id_token = tokens.json["id_token"].as_str().expect("an ID token");
    let last = if tokens.access.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}", &tokens.access[..tokens.access.len() - 1]);
    let long = "a".repeat(9000);
    for token in ["x", "grt_at_", &changed, &tokens.refresh, id_token, &long] {
        let page = server.bearer("/protected", token).await;
        assert_error(&page, 401, "invalid_token", BAD);
        let header = page.header("www-authenticate").unwrap_or_default();
        assert!(header.contains("error=\"invalid_token\""), "{header}");
    }
    for header in ["Basic abc", "Bearer", "Bearer ", "grt_at_x"] {
        let request = client().get(server.url("/protected")).header("authorization", header);
        assert_eq!(server.request(request).await.status, 401, "{header:?}");
    }
    let query = server.get(&format!("/protected?access_token={}", tokens.access)).await;
    assert_eq!(query.status, 401, "RFC 9700 §4.3.2: not in the URL");
}

#[tokio::test]
async fn the_scope_read_is_needed() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app).with("scope", "openid write");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    let page = server.bearer("/protected", &tokens.access).await;
    assert_error(&page, 403, "insufficient_scope", "The access token lacks the scope read.");
}
