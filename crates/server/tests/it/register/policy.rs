//! Who may register: RFC 7591 §3, and how often.

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use super::{URI, open, register};
use crate::support::{Page, Server, assert_error, client};

/// With the initial access token `token`.
async fn register_with(server: &Server, token: &str, metadata: &Value) -> Page {
    server.request(client().post(server.url("/register")).bearer_auth(token).json(metadata)).await
}

fn new_token(server: &Server, options: &[&str]) -> String {
    let made = server.cli().json(&[&["registration-token", "add"], options].concat());
    made["token"].as_str().expect("a token").to_owned()
}

fn metadata() -> Value {
    json!({ "redirect_uris": [URI] })
}

#[tokio::test]
async fn a_closed_server_registers_nobody_and_says_so() {
    let server = Server::setup().set("registration.policy", "closed").start().await;
    let text = "Clients cannot register themselves here. The operator of this server can register one: grantor client add.";
    assert_error(&register(&server, &metadata()).await, 403, "access_denied", text);
    let machine = server.request(client().post(server.url("/create-client"))).await;
    assert_error(&machine, 403, "access_denied", text);
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(metadata.get("registration_endpoint").is_none(), "{metadata}");
}

#[tokio::test]
async fn by_default_an_initial_access_token_is_needed() {
    let server = Server::start().await;
    let page = register(&server, &metadata()).await;
    let text = "Registering a client here needs an initial access token from the operator of this server. Send it as Authorization: Bearer.";
    assert_error(&page, 401, "missing_token", text);
    assert_eq!(page.header("www-authenticate"), Some("Bearer realm=\"grantor\""));

    let token = new_token(&server, &[]);
    let text = "The initial access token is unknown, expired or used up.";
    let other = new_token(&server, &[]).replace("grt_ia_", "grt_at_");
    let last = if token.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}", &token[..token.len() - 1]);
    for wrong in ["x", "grt_ia_", &other, &changed] {
        let page = register_with(&server, wrong, &metadata()).await;
        assert_error(&page, 401, "invalid_token", text);
        let challenge = page.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    }
    let basic = client().post(server.url("/register")).basic_auth("a", Some(&token));
    assert_eq!(server.request(basic.json(&metadata())).await.status, 401);

    assert_eq!(register_with(&server, &token, &metadata()).await.status, 201);
    let again = register_with(&server, &token, &metadata()).await;
    assert_error(&again, 401, "invalid_token", text);
}

#[tokio::test]
async fn a_registration_that_fails_uses_nothing_up() {
    let server = Server::start().await;
    let token = new_token(&server, &["--uses", "2", "--note", "for the notes team"]);
    let bad = json!({ "redirect_uris": ["javascript:alert(1)"] });
    assert_eq!(register_with(&server, &token, &bad).await.status, 400);
    let chosen = json!({ "redirect_uris": [URI], "client_id": "mine" });
    let page = register_with(&server, &token, &chosen).await;
    let text = "This server makes client_id and client_secret itself. Leave them out.";
    assert_error(&page, 400, "invalid_client_metadata", text);
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "0");
    let listed = server.cli().json(&["registration-token", "list"]);
    assert_eq!(
        (&listed[0]["uses_left"], &listed[0]["note"]),
        (&2.into(), &"for the notes team".into())
    );
    for _ in 0..2 {
        assert_eq!(register_with(&server, &token, &metadata()).await.status, 201);
    }
    assert_eq!(register_with(&server, &token, &metadata()).await.status, 401);
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), "2");
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_when_it_is_removed() {
    let server = Server::start().await;
    let short = new_token(&server, &["--lifetime", "1s", "--unlimited"]);
    let removed = server.cli().json(&["registration-token", "add", "--unlimited"]);
    let removed_token = removed["token"].as_str().expect("a token");
    assert_eq!(register_with(&server, removed_token, &metadata()).await.status, 201);
    let id = removed["id"].as_str().expect("an id");
    server.cli().ok(&["registration-token", "remove", id]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(register_with(&server, removed_token, &metadata()).await.status, 401);
    assert_eq!(register_with(&server, &short, &metadata()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_registrations_at_once_a_token_allows_as_many_as_it_says() {
    let server = Server::start().await;
    for uses in [1, 3] {
        let token = new_token(&server, &["--uses", &uses.to_string()]);
        let before: usize =
            server.sql("SELECT count(*) FROM oauth2_client").parse().expect("a number");
        let mut tasks = JoinSet::new();
        for at in 0..16 {
            let path = if at % 2 == 0 { "/register" } else { "/create-client" };
            let request = client().post(server.url(path)).bearer_auth(&token).json(&metadata());
            let (url, seen) = (server.url(path), server.seen.clone());
            tasks.spawn(async move {
                let response = request.send().await.expect("answered");
                Page::read(response, &url, &seen).await.status
            });
        }
        let answers = tasks.join_all().await;
        let good = answers.iter().filter(|status| [200, 201].contains(*status)).count();
        assert_eq!(good, uses, "{answers:?}");
        assert!(answers.iter().all(|status| [200, 201, 401].contains(status)), "{answers:?}");
        let after: usize =
            server.sql("SELECT count(*) FROM oauth2_client").parse().expect("a number");
        assert_eq!(after - before, uses);
    }
}

#[tokio::test]
async fn a_form_on_another_site_registers_nothing() {
    let server = open().start().await;
    for path in ["/register", "/create-client"] {
        let fields = [("redirect_uri", "https://evil.example/cb")];
        let form = client().post(server.url(path)).form(&fields);
        let page = server.request(form.header("sec-fetch-site", "cross-site")).await;
        let text = "This came from a page of another site. Clients are registered by programs, or from this site.";
        assert_error(&page, 400, "invalid_request", text);
    }
    assert_eq!(server.cli().json(&["client", "list"]), json!([]));
}

#[tokio::test]
async fn registrations_of_one_source_are_limited() {
    let server = open().set("limits.registrations", 3).start().await;
    for path in ["/register", "/create-client", "/register"] {
        let page = server.request(client().post(server.url(path)).json(&metadata())).await;
        assert!([200, 201].contains(&page.status), "{page:?}");
    }
    let page = register(&server, &metadata()).await;
    assert_eq!(page.status, 429, "{page:?}");
    assert_eq!(page.json()["error"], "too_many_requests");
    assert!(page.header("retry-after").is_some_and(|own| own == "20"), "{page:?}");
}

#[tokio::test]
async fn some_grants_are_given_by_the_operator_only() {
    let server = open().start().await;
    for grant in [
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "password",
    ] {
        let page = register(&server, &json!({ "grant_types": [grant] })).await;
        assert_eq!((page.status, &page.json()["error"]), (400, &"invalid_client_metadata".into()));
    }
    let asks = json!({
        "grant_types": ["client_credentials"],
        "resource_server_for": [server.issuer],
    });
    let page = register(&server, &asks).await;
    let text = "resource_server_for cannot be registered: which tokens a client may ask about is for the operator to say.";
    assert_error(&page, 400, "invalid_client_metadata", text);

    // An initial access token changes nothing about that, nor that the grant is on.
    let invited = Server::setup().set("grants.password", true).start().await;
    let token = new_token(&invited, &["--unlimited"]);
    for grant in ["urn:ietf:params:oauth:grant-type:token-exchange", "password"] {
        let page = register_with(&invited, &token, &json!({ "grant_types": [grant] })).await;
        assert_eq!(page.status, 400, "{grant}");
    }
}

#[tokio::test]
async fn scopes_can_be_kept_from_clients_that_register_themselves() {
    let server = open().set("registration.scopes", vec!["openid", "read"]).start().await;
    let machine = json!({ "grant_types": ["client_credentials"] });
    assert_eq!(register(&server, &machine).await.json()["scope"], "read");
    let asks = json!({ "grant_types": ["client_credentials"], "scope": "read write" });
    let text = "scope cannot be registered: write is for the operator of this server to give.";
    assert_error(&register(&server, &asks).await, 400, "invalid_client_metadata", text);
    let made = server.machine("own", &["--scope", "write"]);
    assert!(made.secret.is_some(), "the operator may");
}
