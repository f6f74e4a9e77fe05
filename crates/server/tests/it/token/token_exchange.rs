//! Token exchange: RFC 8693.

use serde_json::json;

use crate::support::{App, Page, Server, Tokens, assert_error};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const API: &str = "https://api.example";
const STOCK: &str = "https://stock.example";

async fn server() -> Server {
    let mut resources = toml::Table::new();
    resources.insert(API.to_owned(), toml::Table::new().into());
    resources.insert(STOCK.to_owned(), toml::Table::new().into());
    Server::setup().set("resources", resources).start().await
}

/// A resource server that calls another one.
fn api(server: &Server) -> App {
    server.machine("api", &["--grant", GRANT, "--resource-server-for", API])
}

/// A token with which `notes` calls the API.
async fn called_with(server: &Server, notes: &App) -> Tokens {
    let request = crate::support::Request::of(notes).and("resource", API);
    let request = request.with("scope", "read write");
    server.tokens_for(notes, "ada", &server.browser(), &request).await
}

async fn exchange(server: &Server, app: &App, token: &str, more: &[(&str, &str)]) -> Page {
    let mut pairs =
        vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ACCESS_TOKEN)];
    pairs.extend(more);
    server.token(app, &pairs).await
}

#[tokio::test]
async fn a_resource_server_gets_a_token_for_the_next_one() {
    let server = server().await;
    let (notes, api) = (server.app("notes"), api(&server));
    let stock = server.machine("stock", &["--resource-server-for", STOCK]);
    let first = called_with(&server, &notes).await;
    let before = server.introspect(&api, &first.access).await;
    let page =
        exchange(&server, &api, &first.access, &[("audience", STOCK), ("scope", "read")]).await;
    let second = Tokens::of(&page);
    assert_eq!(second.json["issued_token_type"], ACCESS_TOKEN);
    assert_eq!((&second.json["scope"], second.refresh.as_str()), (&json!("read"), ""));
    let after = server.introspect(&stock, &second.access).await;
    assert_eq!((&after["sub"], &after["client_id"]), (&before["sub"], &json!("api")));
    assert_eq!(after["aud"], json!([STOCK]));
    assert!(after["exp"].as_i64() <= before["exp"].as_i64(), "never for longer");
    assert_eq!(server.introspect(&notes, &second.access).await, json!({ "active": false }));
    // What ends the first ends the second.
    server.revoke(&notes, &first.access).await;
    assert_eq!(server.introspect(&stock, &second.access).await, json!({ "active": false }));
}

#[tokio::test]
async fn an_actor_is_named_and_so_are_those_before_it() {
    let server = server().await;
    let (notes, api) = (server.app("notes"), api(&server));
    let first = called_with(&server, &notes).await;
    let own = Tokens::of(&server.token(&api, &[("grant_type", "client_credentials")]).await);
    let actor = [("actor_token", own.access.as_str()), ("actor_token_type", ACCESS_TOKEN)];
    let once = Tokens::of(&exchange(&server, &api, &first.access, &actor).await);
    let act = server.introspect(&api, &once.access).await["act"].clone();
    assert_eq!(act, json!({ "sub": "api", "client_id": "api" }));
    let twice = Tokens::of(&exchange(&server, &api, &once.access, &actor).await);
    let act = server.introspect(&api, &twice.access).await["act"].clone();
    assert_eq!(act["act"], json!({ "sub": "api", "client_id": "api" }));
    // Revoking an exchanged token leaves the first alone.
    server.revoke(&api, &twice.access).await;
    assert_eq!(server.introspect(&api, &twice.access).await["active"], false);
    assert_eq!(server.introspect(&notes, &first.access).await["active"], true);
}

#[tokio::test]
async fn it_never_gives_more_than_there_was() {
    let server = server().await;
    let (notes, api) = (server.app("notes"), api(&server));
    let other = server.machine("other", &["--grant", GRANT]);
    let request = crate::support::Request::of(&notes).and("resource", API).with("scope", "read");
    let first = server.tokens_for(&notes, "ada", &server.browser(), &request).await;
    let text = "The scope asks for more than the subject_token or this client has.";
    let page = exchange(&server, &api, &first.access, &[("scope", "read write")]).await;
    assert_error(&page, 400, "invalid_scope", text);
    let text =
        "The subject_token was neither issued to this client nor for a resource that it serves.";
    assert_error(
        &exchange(&server, &other, &first.access, &[]).await,
        400,
        "invalid_request",
        text,
    );
    let text = "The subject_token is unknown, expired or revoked.";
    for token in ["x", &first.refresh, "eyJ.eyJ.x"] {
        assert_error(&exchange(&server, &api, token, &[]).await, 400, "invalid_request", text);
    }
    let text = "The resource is not one that this server issues tokens for.";
    let page = exchange(&server, &api, &first.access, &[("audience", "https://x.example")]).await;
    assert_error(&page, 400, "invalid_target", text);
    let text = "This token type cannot be exchanged or issued. Use urn:ietf:params:oauth:token-type:access_token.";
    let refresh_token = "urn:ietf:params:oauth:token-type:refresh_token";
    let page =
        exchange(&server, &api, &first.access, &[("requested_token_type", refresh_token)]).await;
    assert_error(&page, 400, "invalid_request", text);
    let pairs = [("grant_type", GRANT), ("subject_token", "x")];
    let text = "The parameter subject_token_type is missing.";
    assert_error(&server.token(&api, &pairs).await, 400, "invalid_request", text);
    let page = exchange(&server, &api, &first.access, &[("actor_token_type", ACCESS_TOKEN)]).await;
    assert_error(&page, 400, "invalid_request", "The parameter actor_token is missing.");
    let text = format!("This client is not registered for the grant type {GRANT}.");
    assert_error(
        &exchange(&server, &notes, &first.access, &[]).await,
        400,
        "unauthorized_client",
        &text,
    );
}

#[tokio::test]
async fn a_token_of_a_machine_can_be_exchanged_too() {
    let server = server().await;
    let api = api(&server);
    for more in [
        &[][..],
        &["--grant", "refresh_token", "--refresh", "reuse:5", "--on-new-token", "revoke_previous"]
            [..],
    ] {
        let machine = server.machine(&format!("machine{}", more.len()), more);
        let pairs = [("grant_type", "client_credentials"), ("resource", API)];
        let mut own = Tokens::of(&server.token(&machine, &pairs).await);
        if !own.refresh.is_empty() {
            own = Tokens::of(&server.refresh(&machine, &own.refresh).await);
        }
        let next = Tokens::of(&exchange(&server, &api, &own.access, &[("resource", STOCK)]).await);
        let known = server.introspect(&api, &next.access).await;
        assert_eq!((&known["active"], &known["sub"]), (&json!(true), &json!(machine.id)));
    }
}

#[tokio::test]
async fn what_was_exchanged_for_a_token_ends_with_it() {
    let server = server().await;
    for format in ["opaque", "jwt"] {
        let id = format!("api-{format}");
        let options =
            ["--grant", GRANT, "--resource-server-for", API, "--access-token-format", format];
        let api = server.machine(&id, &options);
        let machine =
            server.machine(&format!("machine-{format}"), &["--access-token-format", format]);
        let pairs = [("grant_type", "client_credentials"), ("resource", API)];
        let first = Tokens::of(&server.token(&machine, &pairs).await);
        let second = Tokens::of(&exchange(&server, &api, &first.access, &[]).await);
        let third = Tokens::of(&exchange(&server, &api, &second.access, &[]).await);
        let active = |token: &Tokens| {
            let (server, api, access) = (&server, &api, token.access.clone());
            async move { server.introspect(api, &access).await["active"].clone() }
        };
        assert_eq!((active(&second).await, active(&third).await), (json!(true), json!(true)));
        server.revoke(&api, &second.access).await;
        assert_eq!((active(&first).await, active(&third).await), (json!(true), json!(false)));
        let again = Tokens::of(&exchange(&server, &api, &first.access, &[]).await);
        server.revoke(&machine, &first.access).await;
        assert_eq!(active(&again).await, json!(false), "{format}");
    }
}

#[tokio::test]
async fn a_token_can_be_passed_on_eight_times() {
    let server = server().await;
    let api = api(&server);
    let own = Tokens::of(&server.token(&api, &[("grant_type", "client_credentials")]).await);
    let actor = [("actor_token", own.access.as_str()), ("actor_token_type", ACCESS_TOKEN)];
    let mut last = own.clone();
    for _ in 0..8 {
        last = Tokens::of(&exchange(&server, &api, &last.access, &actor).await);
    }
    assert_eq!(server.introspect(&api, &last.access).await["active"], true);
    let text = "The subject_token was exchanged too often already.";
    let page = exchange(&server, &api, &last.access, &actor).await;
    assert_error(&page, 400, "invalid_request", text);
}

#[tokio::test]
async fn a_token_for_an_api_does_not_become_one_for_the_server() {
    let server = server().await;
    let notes = server.app("notes");
    let scope = ["--scope", crate::support::SCOPE];
    let api = server
        .machine("api", &["--grant", GRANT, "--resource-server-for", API, scope[0], scope[1]]);
    let request = crate::support::Request::of(&notes).and("resource", API);
    let first = server.tokens_for(&notes, "ada", &server.browser(), &request).await;
    // Without a target the audience stays what it was.
    let same = Tokens::of(&exchange(&server, &api, &first.access, &[]).await);
    assert_eq!(server.introspect(&api, &same.access).await["aud"], json!([API]));
    assert_eq!(server.bearer("/userinfo", &same.access).await.status, 401);
    let text = "The resource was not granted. Name it in the authorization request.";
    let own = [("audience", server.issuer.as_str())];
    let page = exchange(&server, &api, &first.access, &own).await;
    assert_error(&page, 400, "invalid_target", text);
}

#[tokio::test]
async fn it_is_for_clients_that_authenticate_and_says_what_it_issued() {
    let server = server().await;
    const SIGNED: &str = "urn:ietf:params:oauth:token-type:jwt";
    let phone =
        server.app_with("phone", &["--public", "--grant", "authorization_code", "--grant", GRANT]);
    let tokens = server.tokens(&phone, "ada").await;
    let text = "The grant token-exchange is only for clients that authenticate.";
    let page = exchange(&server, &phone, &tokens.access, &[]).await;
    assert_error(&page, 400, "unauthorized_client", text);

    let wanted = [("requested_token_type", SIGNED)];
    for (format, status) in [("opaque", 400), ("jwt", 200)] {
        let options = ["--grant", GRANT, "--access-token-format", format];
        let own = server.machine(&format!("own-{format}"), &options);
        let first = Tokens::of(&server.token(&own, &[("grant_type", "client_credentials")]).await);
        let page = exchange(&server, &own, &first.access, &wanted).await;
        assert_eq!(page.status, status, "{page:?}");
        if status == 200 {
            assert_eq!(page.json()["issued_token_type"], SIGNED);
        } else {
            assert_eq!(page.json()["error"], "invalid_request");
        }
    }
}
