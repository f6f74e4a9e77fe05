//! Web pages that call the server from a browser.

use reqwest::Method;

use crate::support::{Server, client};

const ORIGIN: &str = "https://app.example";
const ALLOWED: &str = "access-control-allow-origin";

async fn server() -> Server {
    Server::setup().set("cors.origins", vec![ORIGIN]).start().await
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_ask_for_tokens_metadata_and_keys() {
    let server = server().await;
    for path in [
        "/token",
        "/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let preflight = client()
            .request(Method::OPTIONS, server.url(path))
            .header("origin", ORIGIN)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization");
        let page = server.request(preflight).await;
        assert_eq!((page.status, page.header(ALLOWED)), (200, Some(ORIGIN)), "{path}");
        let headers = page.header("access-control-allow-headers").unwrap_or_default();
        assert!(headers.contains("authorization"), "{path}: {headers}");
        assert_eq!(page.header("access-control-allow-credentials"), None, "no cookies");
        let method = if path == "/token" { Method::POST } else { Method::GET };
        let page = server
            .request(client().request(method, server.url(path)).header("origin", ORIGIN))
            .await;
        assert_eq!(page.header(ALLOWED), Some(ORIGIN), "{path}");
    }
}

#[tokio::test]
async fn other_origins_and_other_endpoints_are_not_opened() {
    let server = server().await;
    for (path, origin) in [
        ("/token", "https://evil.example"),
        ("/token", "null"),
        ("/introspect", ORIGIN),
        ("/revoke", ORIGIN),
        ("/register", ORIGIN),
        ("/userinfo", ORIGIN),
        ("/authorize", ORIGIN),
        ("/account", ORIGIN),
    ] {
        for method in [Method::OPTIONS, Method::POST] {
            let request = client()
                .request(method, server.url(path))
                .header("origin", origin)
                .header("access-control-request-method", "POST");
            let page = server.request(request).await;
            assert_ne!(page.header(ALLOWED), Some(origin), "{path} {origin}");
            assert_ne!(page.header(ALLOWED), Some("*"), "{path} {origin}");
        }
    }
    let page = server.request(client().get(server.url("/token"))).await;
    assert_eq!(page.status, 405, "the wrong method is told as ever");
}
