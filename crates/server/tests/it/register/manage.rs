//! `GET`, `PUT` and `DELETE /register/{client_id}`: RFC 7592 §2.

use reqwest::Method;
use serde_json::{Value, json};

use super::{URI, app, open, registered};
use crate::support::{App, Page, Server, assert_error, client};

/// A request to the client's own URL with its own token.
async fn manage(server: &Server, method: Method, made: &Value, body: Option<&Value>) -> Page {
    let uri = made["registration_client_uri"].as_str().expect("a URI");
    let token = made["registration_access_token"].as_str().expect("a token");
    let request = client().request(method, uri).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    server.request(request).await
}

async fn notes(server: &Server) -> Value {
    let metadata = json!({
        "redirect_uris": [URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": "Notes",
        "contacts": ["ada@example.com"],
    });
    registered(server, &metadata).await
}

/// What a client sends back: all it was told, but for what only the server says.
fn own(made: &Value) -> Value {
    let mut own = made.clone();
    let members = own.as_object_mut().expect("an object");
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        members.remove(name);
    }
    own
}

#[tokio::test]
async fn a_client_reads_its_registration() {
    let server = open().start().await;
    let made = notes(&server).await;
    let uri = made["registration_client_uri"].as_str().expect("a URI");
    assert_eq!(
        uri,
        server.url(&format!("/register/{}", made["client_id"].as_str().expect("an id")))
    );
    assert!(
        made["registration_access_token"].as_str().is_some_and(|own| own.starts_with("grt_ra_"))
    );
    let page = manage(&server, Method::GET, &made, None).await;
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")), "{page:?}");
    let mut expected = made.clone();
    // The secret is known to its holder only.
    expected.as_object_mut().expect("an object").remove("client_secret");
    assert_eq!(page.json(), expected);
}

#[tokio::test]
async fn a_wrong_token_is_told_nothing() {
    let server = open().start().await;
    let (made, other) = (notes(&server).await, notes(&server).await);
    let text =
        "The registration access token is not the one of this client, or there is no such client.";
    let there = made["registration_client_uri"].as_str().expect("a URI").to_owned();
    let operators = server.app("operators");
    let of_operator = server.url(&format!("/register/{}", operators.id));
    let gone = server.url("/register/nobody");
    let tokens = [
        other["registration_access_token"].as_str().expect("a token"),
        made["client_secret"].as_str().expect("a secret"),
        "grt_ra_",
        "x",
    ];
    for url in
        [&there, &gone, &of_operator, &server.url("/register/%ff"), &server.url("/register/a%00b")]
    {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            for token in tokens {
                let request = client().request(method.clone(), url).bearer_auth(token);
                let page = server.request(request.json(&own(&made))).await;
                assert_error(&page, 401, "invalid_token", text);
            }
            let page = server.request(client().request(method, url)).await;
            assert_eq!(page.status, 401, "{page:?}");
            assert_eq!(page.header("www-authenticate"), Some("Bearer realm=\"grantor\""));
        }
    }
    assert_eq!(manage(&server, Method::GET, &made, None).await.status, 200);
}

#[tokio::test]
async fn an_update_replaces_everything() {
    let server = open().start().await;
    let made = notes(&server).await;
    let mut changed = own(&made);
    changed["client_name"] = json!("Better notes");
    changed["redirect_uris"] = json!(["https://better.example/cb"]);
    changed["contacts"] = json!(null);
    changed["scope"] = json!("openid profile email read");
    let page = manage(&server, Method::PUT, &made, Some(&changed)).await;
    assert_eq!(page.status, 200, "{page:?}");
    let answer = page.json();
    assert_eq!(answer["client_name"], "Better notes");
    assert!(answer.get("contacts").is_none(), "{answer}");
    assert_eq!(answer["registration_access_token"], made["registration_access_token"]);
    assert_eq!(answer["registration_client_uri"], made["registration_client_uri"]);
    assert_eq!(answer["client_id_issued_at"], made["client_id_issued_at"]);
    // The secret stays.
    let app = App { redirect_uri: "https://better.example/cb".to_owned(), ..app(&made) };
    let tokens = server.tokens(&app, "ada").await;
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200);

    // What is left out has its default again.
    let bare = json!({ "client_id": made["client_id"], "redirect_uris": [URI] });
    let answer = manage(&server, Method::PUT, &made, Some(&bare)).await.json();
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer["client_name"], made["client_id"]);
}

#[tokio::test]
async fn an_update_that_is_not_allowed_changes_nothing() {
    let server = open().start().await;
    let made = notes(&server).await;
    for (member, value) in [
        ("client_id", json!("other")),
        ("client_id", json!(null)),
        ("client_secret", json!("a secret of its own")),
        ("registration_access_token", made["registration_access_token"].clone()),
        ("registration_client_uri", made["registration_client_uri"].clone()),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", made["client_id_issued_at"].clone()),
        ("grant_types", json!(["urn:ietf:params:oauth:grant-type:token-exchange"])),
        ("resource_server_for", json!([server.issuer])),
        ("redirect_uris", json!(["javascript:alert(1)"])),
    ] {
        let mut changed = own(&made);
        changed[member] = value.clone();
        let page = manage(&server, Method::PUT, &made, Some(&changed)).await;
        assert_eq!(page.status, 400, "{member}: {value}: {page:?}");
    }
    let without = json!({ "redirect_uris": [URI] });
    assert_eq!(manage(&server, Method::PUT, &made, Some(&without)).await.status, 400);
    let now = manage(&server, Method::GET, &made, None).await.json();
    assert_eq!(now["redirect_uris"], made["redirect_uris"]);
}

#[tokio::test]
async fn another_way_to_authenticate_brings_another_secret() {
    let server = open().start().await;
    let made = registered(&server, &json!({ "grant_types": ["client_credentials"] })).await;
    let grant = [("grant_type", "client_credentials")];
    let mut signs = own(&made);
    signs["token_endpoint_auth_method"] = json!("client_secret_jwt");
    let answer = manage(&server, Method::PUT, &made, Some(&signs)).await.json();
    assert_ne!(answer["client_secret"], made["client_secret"]);
    assert_eq!(server.token(&app(&made), &grant).await.status, 401, "the old one is gone");

    let mut sends = own(&answer);
    sends["token_endpoint_auth_method"] = json!("client_secret_post");
    let last = manage(&server, Method::PUT, &made, Some(&sends)).await.json();
    assert_eq!(server.token(&app(&last), &grant).await.status, 200);
    let mut keeps = own(&last);
    keeps["scope"] = json!("read");
    let same = manage(&server, Method::PUT, &made, Some(&keeps)).await.json();
    assert_eq!(same["client_secret"], last["client_secret"]);
    assert_eq!(server.token(&app(&last), &grant).await.status, 200);
}

#[tokio::test]
async fn what_the_operator_gave_survives_an_update() {
    let server = open().start().await;
    let made = notes(&server).await;
    let id = made["client_id"].as_str().expect("an id");
    let exported = server.cli().ok(&["client", "export"]);
    let mut entries: Value = serde_json::from_str(&exported).expect("JSON");
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    entries[0]["grant_types"] = json!(["authorization_code", "refresh_token", exchange]);
    entries[0]["resource_server_for"] = json!([server.issuer]);
    entries[0]["requests_per_minute"] = json!(7);
    server.cli().json_with(&["client", "import", "-", "--replace"], &entries.to_string());
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;

    let now = manage(&server, Method::GET, &made, None).await.json();
    assert_eq!(now["resource_server_for"], json!([server.issuer]));
    let answer = manage(&server, Method::PUT, &made, Some(&own(&now))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let shown = server.cli().json(&["client", "show", id]);
    assert_eq!(shown["requests_per_minute"], 7);
    assert_eq!(shown["grant_types"], json!(["authorization_code", "refresh_token", exchange]));
}

#[tokio::test]
async fn a_client_that_removes_itself_takes_its_tokens_with_it() {
    let server = open().start().await;
    let made = notes(&server).await;
    let app = app(&made);
    let tokens = server.tokens(&app, "ada").await;
    let page = manage(&server, Method::DELETE, &made, None).await;
    assert_eq!((page.status, page.body.as_str()), (204, ""), "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 401);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let page = manage(&server, method, &made, Some(&own(&made))).await;
        assert_eq!(page.status, 401, "{page:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_at_once_do_not_mix() {
    let server = open().start().await;
    let made = notes(&server).await;
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..16 {
        let mut changed = own(&made);
        changed["client_name"] = json!(format!("Notes {at}"));
        changed["redirect_uris"] = json!([format!("https://notes-{at}.example/")]);
        let uri = made["registration_client_uri"].as_str().expect("a URI").to_owned();
        let token = made["registration_access_token"].as_str().expect("a token");
        let request = client().put(&uri).bearer_auth(token).json(&changed);
        let seen = server.seen.clone();
        tasks.spawn(async move {
            Page::read(request.send().await.expect("answered"), &uri, &seen).await
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().any(|page| page.status == 200), "{answers:?}");
    for page in answers.iter().filter(|page| page.status != 200) {
        let text = "The registration was changed by another request at the same time. Read it and try again.";
        assert_error(page, 400, "invalid_request", text);
    }
    let now = manage(&server, Method::GET, &made, None).await.json();
    let name = now["client_name"].as_str().expect("a name");
    let at = name.strip_prefix("Notes ").expect("one of them");
    assert_eq!(now["redirect_uris"], json!([format!("https://notes-{at}.example/")]));
}

#[tokio::test]
async fn management_goes_on_when_registration_is_closed() {
    let mut server = open().start().await;
    let made = notes(&server).await;
    assert_eq!(server.stop(), Some(0));
    let path = server.config();
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("\"open\"", "\"closed\"")).expect("written");
    server.start_again().await;
    assert_eq!(manage(&server, Method::GET, &made, None).await.status, 200);
    let page = manage(&server, Method::PUT, &made, Some(&own(&made))).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!server.tokens(&app(&made), "ada").await.refresh.is_empty());
}
