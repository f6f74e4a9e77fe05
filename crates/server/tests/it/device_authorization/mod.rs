//! `/device_authorization`: RFC 8628 §3.1 and §3.2.

use std::collections::BTreeSet;

use crate::support::device::DEVICE_GRANT;
use crate::support::{Server, assert_error, client};

#[tokio::test]
async fn a_device_gets_its_code_and_a_person_theirs() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let page = server.authorize_device(&app, &[("scope", "openid read")]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
    let told = page.json();
    assert!(told["device_code"].as_str().expect("a text").starts_with("grt_dc_"));
    let code = told["user_code"].as_str().expect("a text");
    let letters: String = code.chars().filter(|c| *c != '-').collect();
    assert_eq!((code.len(), &code[4..5], letters.len()), (9, "-", 8), "{code}");
    assert!(letters.chars().all(|c| "BCDFGHJKLMNPQRSTVWXZ".contains(c)), "{code}");
    let uri = server.url("/device");
    assert_eq!(told["verification_uri"], uri);
    assert_eq!(told["verification_uri_complete"], format!("{uri}?user_code={code}"));
    assert_eq!((&told["expires_in"], &told["interval"]), (&600.into(), &5.into()));
}

#[tokio::test]
async fn every_device_has_codes_of_its_own() {
    let (server, app) = Server::setup().start_with_device(&["--public"]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..20 {
        let device = server.device(&app).await;
        assert!(seen.insert(device.user_code) && seen.insert(device.device_code));
    }
}

#[tokio::test]
async fn a_device_authenticates_as_at_the_token_endpoint() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let post = |pairs: &[(&str, &str)]| {
        server.request(client().post(server.url("/device_authorization")).form(pairs))
    };
    let secret = app.secret.as_deref().expect("a secret");
    let page = post(&[("client_id", &app.id), ("client_secret", secret)]).await;
    assert_eq!(page.status, 200, "{page:?}");
    for pairs in [&[("client_id", "tv")][..], &[("client_id", "tv"), ("client_secret", "wrong")]] {
        let page = post(pairs).await;
        assert_error(&page, 401, "invalid_client", "Client authentication failed.");
        assert!(page.header("www-authenticate").is_some_and(|own| own.starts_with("Basic")));
    }
    let page = post(&[("scope", "read")]).await;
    let text = "Client authentication failed: no client_id was sent.";
    assert_error(&page, 401, "invalid_client", text);
}

#[tokio::test]
async fn a_client_without_the_grant_is_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let page = server.authorize_device(&app, &[]).await;
    let text = format!("This client is not registered for the grant type {DEVICE_GRANT}.");
    assert_error(&page, 400, "unauthorized_client", &text);
}

#[tokio::test]
async fn scope_and_resource_are_checked_at_the_start() {
    let (server, app) = Server::setup().start_with_device(&["--scope", "openid read"]).await;
    let page = server.authorize_device(&app, &[("scope", "openid write")]).await;
    let text = "The scope write is unknown or not registered for this application.";
    assert_error(&page, 400, "invalid_scope", text);
    let page = server.authorize_device(&app, &[("resource", "https://api.example/")]).await;
    let text = "The resource is not one that this server issues tokens for.";
    assert_error(&page, 400, "invalid_target", text);
    let page = server.authorize_device(&app, &[("scope", "read"), ("scope", "openid")]).await;
    let text = "The parameter scope appears more than once. Send it once.";
    assert_error(&page, 400, "invalid_request", text);
    assert_eq!(server.sql("SELECT count(*) FROM device_authorization"), "0");
}

#[tokio::test]
async fn noise_is_answered_with_a_reason() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let url = server.url("/device_authorization");
    assert_eq!(server.get("/device_authorization").await.status, 405);
    let page = server.request(client().post(&url).body("{}")).await;
    assert_eq!((page.status, &page.json()["error"]), (400, &"invalid_request".into()));
    for body in ["client_id=%ff", "client_id=%zz", "=&=&", "client_id=a&client_id=b"] {
        let form = client().post(&url).body(body);
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let page = server.request(form).await;
        assert!((400..500).contains(&page.status), "{body}: {page:?}");
    }
    assert_eq!(server.authorize_device(&app, &[("unknown", "x")]).await.status, 200);
}

#[tokio::test]
async fn the_clients_rate_counts_here_too() {
    let options = ["--requests-per-minute", "2"];
    let (server, app) = Server::setup().start_with_device(&options).await;
    for _ in 0..2 {
        assert_eq!(server.authorize_device(&app, &[]).await.status, 200);
    }
    let page = server.authorize_device(&app, &[]).await;
    assert_eq!((page.status, &page.json()["error"]), (429, &"too_many_requests".into()));
    assert!(page.header("retry-after").is_some());
}
