//! `/introspect`: RFC 7662.

use serde_json::json;

use crate::support::{App, Request, Server, Tokens, assert_error, client};

const API: &str = "https://api.example";

async fn server() -> Server {
    let mut resources = toml::Table::new();
    resources.insert(API.to_owned(), toml::Table::new().into());
    Server::setup().set("resources", resources).start().await
}

#[tokio::test]
async fn a_resource_server_learns_what_a_token_is_good_for() {
    let server = server().await;
    let (notes, api) =
        (server.app("notes"), server.machine("api", &["--resource-server-for", API]));
    for format in ["opaque", "jwt"] {
        let notes = match format {
            "jwt" => server.app_with("notes-jwt", &["--access-token-format", "jwt"]),
            _ => notes.clone(),
        };
        let request = Request::of(&notes).and("resource", API);
        let tokens = server.tokens_for(&notes, "ada", &server.browser(), &request).await;
        let known = server.introspect(&api, &tokens.access).await;
        let sub = tokens.id_token().1["sub"].clone();
        assert_eq!(known["active"], true, "{format}");
        assert_eq!((&known["sub"], &known["client_id"]), (&sub, &json!(notes.id)));
        assert_eq!((&known["aud"], &known["iss"]), (&json!([API]), &json!(server.issuer)));
        assert_eq!(
            (&known["token_type"], &known["acr"]),
            (&json!("Bearer"), &json!("admin_token"))
        );
        assert_eq!(known["exp"].as_i64(), known["iat"].as_i64().map(|iat| iat + 3600));
        // Neither is any business of others.
        let other =
            server.machine(&format!("other-{format}"), &["--resource-server-for", &server.issuer]);
        assert_eq!(server.introspect(&other, &tokens.access).await, json!({ "active": false }));
        assert_eq!(server.introspect(&api, &tokens.refresh).await, json!({ "active": false }));
        let own = server.introspect(&notes, &tokens.refresh).await;
        assert_eq!((&own["active"], &own["sub"]), (&json!(true), &sub));
        server.revoke(&notes, &tokens.access).await;
        for token in [&tokens.access, &tokens.refresh] {
            assert_eq!(server.introspect(&notes, token).await, json!({ "active": false }));
        }
    }
}

#[tokio::test]
async fn a_token_without_a_resource_is_for_the_server_itself() {
    let server = server().await;
    let notes = server.app("notes");
    let own = server.machine("own", &["--resource-server-for", &server.issuer]);
    let tokens = server.tokens(&notes, "ada").await;
    assert_eq!(server.introspect(&own, &tokens.access).await["aud"], json!([server.issuer]));
    let api = server.machine("api", &["--resource-server-for", API]);
    assert_eq!(server.introspect(&api, &tokens.access).await, json!({ "active": false }));
}

#[tokio::test]
async fn the_name_is_for_those_who_may_read_the_profile() {
    let server = Server::setup().set("grants.password", true).start().await;
    let legacy = server.app_with("legacy", &["--grant", "password"]);
    server.person("ada", "a long enough phrase");
    for (scope, name) in [("read", json!(null)), ("read profile", json!("ada"))] {
        let pairs = [
            ("grant_type", "password"),
            ("username", "ada"),
            ("password", "a long enough phrase"),
            ("scope", scope),
        ];
        let tokens = Tokens::of(&server.token(&legacy, &pairs).await);
        assert_eq!(server.introspect(&legacy, &tokens.access).await["username"], name, "{scope}");
    }
}

#[tokio::test]
async fn only_who_authenticates_may_ask() {
    let server = server().await;
    let (phone, machine) = (server.public_app("phone"), server.machine("machine", &[]));
    let token = Tokens::of(&server.token(&machine, &[("grant_type", "client_credentials")]).await);
    let ask = |app: App| {
        let request = client().post(server.url("/introspect"));
        let fields = vec![("token", token.access.clone())];
        let server = &server;
        async move {
            match &app.secret {
                Some(secret) => {
                    server.request(request.basic_auth(&app.id, Some(secret)).form(&fields)).await
                }
                None => {
                    let fields = [("token", fields[0].1.clone()), ("client_id", app.id)];
                    server.request(request.form(&fields)).await
                }
            }
        }
    };
    let wrong = App { secret: Some("grt_cs_wrong".to_owned()), ..machine.clone() };
    for app in [phone, wrong] {
        let page = ask(app).await;
        assert_error(&page, 401, "invalid_client", "Client authentication failed.");
        assert!(page.header("www-authenticate").is_some());
    }
    assert_eq!(ask(machine.clone()).await.json()["active"], true);
    let page = server.as_client(&machine, "/introspect", &[]).await;
    assert_error(&page, 400, "invalid_request", "The parameter token is missing.");
    for nonsense in ["x", "grt_at_", "eyJhbGciOiJub25lIn0.e30.", "grt_rt_abc", "a.b.c"] {
        assert_eq!(server.introspect(&machine, nonsense).await, json!({ "active": false }));
    }
    let hinted = [("token", token.access.as_str()), ("token_type_hint", "refresh_token")];
    assert_eq!(server.as_client(&machine, "/introspect", &hinted).await.json()["active"], true);
}

#[tokio::test]
async fn a_changed_signature_is_not_active() {
    let server = server().await;
    let machine = server.machine("machine", &["--access-token-format", "jwt"]);
    let token = Tokens::of(&server.token(&machine, &[("grant_type", "client_credentials")]).await);
    assert_eq!(server.introspect(&machine, &token.access).await["active"], true);
    let (head, signature) = token.access.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{head}.{first}{}", &signature[1..]);
    assert_eq!(server.introspect(&machine, &changed).await, json!({ "active": false }));
    // An ID token is not an access token, however good its signature.
    let notes = server.app("notes");
    let tokens = server.tokens(&notes, "ada").await;
    let id_token = tokens.json["id_token"].as_str().expect("an ID token");
    assert_eq!(server.introspect(&notes, id_token).await, json!({ "active": false }));
}
