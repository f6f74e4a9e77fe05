//! `/revoke`: RFC 7009.

use crate::support::{App, Server, Tokens, assert_error, client};

#[tokio::test]
async fn a_token_takes_its_family_with_it() {
    let server = Server::start().await;
    for format in ["opaque", "jwt"] {
        let notes = server.app_with(&format!("notes-{format}"), &["--access-token-format", format]);
        for what in ["access_token", "refresh_token"] {
            let tokens = server.tokens(&notes, "ada").await;
            let later = Tokens::of(&server.refresh(&notes, &tokens.refresh).await);
            let token = tokens.json[what].as_str().expect("a token");
            let page = server
                .as_client(&notes, "/revoke", &[("token", token), ("token_type_hint", what)])
                .await;
            assert_eq!((page.status, page.body.as_str()), (200, ""), "{format} {what}");
            for access in [&tokens.access, &later.access] {
                assert_eq!(
                    server.bearer("/protected", access).await.status,
                    401,
                    "{format} {what}"
                );
            }
            assert_eq!(server.refresh(&notes, &tokens.refresh).await.status, 400);
            let again = server.as_client(&notes, "/revoke", &[("token", token)]).await;
            assert_eq!(again.status, 200, "a revoked token can be revoked");
        }
    }
}

#[tokio::test]
async fn a_wrong_hint_changes_nothing() {
    let server = Server::start().await;
    let notes = server.app("notes");
    for (what, hint) in [
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("refresh_token", "nonsense"),
    ] {
        let tokens = server.tokens(&notes, "ada").await;
        let token = tokens.json[what].as_str().expect("a token");
        let pairs = [("token", token), ("token_type_hint", hint)];
        let page = server.as_client(&notes, "/revoke", &pairs).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""), "{what} {hint}");
        assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401, "{what} {hint}");
        assert_eq!(server.refresh(&notes, &tokens.refresh).await.status, 400, "{what} {hint}");
    }
}

#[tokio::test]
async fn a_token_of_a_machine_ends_alone() {
    let server = Server::start().await;
    for format in ["opaque", "jwt"] {
        let machine = server.machine(&format!("m-{format}"), &["--access-token-format", format]);
        let grant = [("grant_type", "client_credentials")];
        let first = Tokens::of(&server.token(&machine, &grant).await);
        let second = Tokens::of(&server.token(&machine, &grant).await);
        server.revoke(&machine, &first.access).await;
        assert_eq!(server.bearer("/protected", &first.access).await.status, 401, "{format}");
        assert_eq!(server.bearer("/protected", &second.access).await.status, 200, "{format}");
    }
}

#[tokio::test]
async fn a_foreign_or_unknown_token_is_left_alone() {
    let server = Server::start().await;
    let (notes, other) = (server.app("notes"), server.app("other"));
    let tokens = server.tokens(&notes, "ada").await;
    for token in [tokens.access.as_str(), &tokens.refresh, "x", "grt_at_x", "eyJ.e30.x"] {
        let page = server.as_client(&other, "/revoke", &[("token", token)]).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""), "{token}");
    }
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 200);
    assert_eq!(server.refresh(&notes, &tokens.refresh).await.status, 200);
    let page = server.as_client(&notes, "/revoke", &[]).await;
    assert_error(&page, 400, "invalid_request", "The parameter token is missing.");
    let wrong = App { secret: Some("grt_cs_wrong".to_owned()), ..notes };
    let page = server.as_client(&wrong, "/revoke", &[("token", &tokens.access)]).await;
    assert_error(&page, 401, "invalid_client", "Client authentication failed.");
}

#[tokio::test]
async fn a_public_client_gives_back_its_own() {
    let server = Server::start().await;
    let phone = server.public_app("phone");
    let tokens = server.tokens(&phone, "ada").await;
    server.revoke(&phone, &tokens.refresh).await;
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    let page = server.request(client().get(server.url("/revoke"))).await;
    assert_eq!(page.status, 405);
}
