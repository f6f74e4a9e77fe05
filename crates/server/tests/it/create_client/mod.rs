//! `POST /create-client`: a machine client in one step.

use crate::support::{App, Server, Tokens, client};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

async fn machine(server: &Server) -> App {
    let page = server.request(client().post(server.url("/create-client"))).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")), "{page:?}");
    let json = page.json();
    let names: Vec<_> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "client_secret"]);
    let text = |name: &str| json[name].as_str().expect("a text").to_owned();
    App { id: text("client_id"), secret: Some(text("client_secret")), redirect_uri: String::new() }
}

#[tokio::test]
async fn a_machine_client_gets_tokens_and_refreshes_them_five_times() {
    let server = Server::setup().set("registration.policy", "open").start().await;
    let app = machine(&server).await;
    let tokens = Tokens::of(&server.token(&app, &GRANT).await);
    assert_eq!((&tokens.json["scope"], &tokens.json["expires_in"]), (&"read".into(), &3600.into()));
    assert_eq!(server.bearer("/api-secure-data", &tokens.access).await.status, 200);
    let mut last = tokens.access.clone();
    for _ in 0..5 {
        let next = Tokens::of(&server.refresh(&app, &tokens.refresh).await);
        assert_eq!(server.bearer("/api-secure-data", &next.access).await.status, 200);
        assert_eq!(server.bearer("/api-secure-data", &last).await.status, 401, "it was replaced");
        last = next.access;
    }
    let page = server.refresh(&app, &tokens.refresh).await;
    assert_eq!((page.status, &page.json()["error"]), (400, &"invalid_grant".into()));
}

#[tokio::test]
async fn a_new_token_ends_the_ones_before_it() {
    let server = Server::setup().set("registration.policy", "open").start().await;
    let (app, other) = (machine(&server).await, machine(&server).await);
    let kept = Tokens::of(&server.token(&other, &GRANT).await);
    let first = Tokens::of(&server.token(&app, &GRANT).await);
    let second = Tokens::of(&server.token(&app, &GRANT).await);
    assert_eq!(server.bearer("/protected", &first.access).await.status, 401);
    assert_eq!(server.refresh(&app, &first.refresh).await.status, 400);
    assert_eq!(server.bearer("/protected", &second.access).await.status, 200);
    assert_eq!(server.bearer("/protected", &kept.access).await.status, 200);
}

#[tokio::test]
async fn whatever_is_sent_along_is_not_read() {
    let server = Server::setup().set("registration.policy", "open").start().await;
    let url = server.url("/create-client");
    for request in [
        client().post(&url).form(&[("client_id", "mine"), ("scope", "write")]),
        client().post(&url).json(&serde_json::json!({ "client_id": "mine" })),
        client().post(&url).header("content-type", "text/plain").body("{{{"),
    ] {
        let page = server.request(request).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_ne!(page.json()["client_id"], "mine");
    }
}

#[tokio::test]
async fn the_policy_of_registrations_holds_here_too() {
    let server = Server::start().await;
    let page = server.request(client().post(server.url("/create-client"))).await;
    assert_eq!((page.status, &page.json()["error"]), (401, &"missing_token".into()));
    let made = server.cli().json(&["registration-token", "add"]);
    let token = made["token"].as_str().expect("a token");
    let with_token = || client().post(server.url("/create-client")).bearer_auth(token);
    assert_eq!(server.request(with_token()).await.status, 200);
    assert_eq!(server.request(with_token()).await.status, 401, "one use");
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "1");
}
