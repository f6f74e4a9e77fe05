//! Tokens for one API: RFC 8707, RFC 9068.

use crate::support::{App, Request, Server, Tokens, assert_error, assert_sent_back, decode};

const NOTES: &str = "https://notes.example/api";
const MAPS: &str = "urn:example:maps";

async fn server() -> Server {
    let notes: toml::Table = toml::toml! {
        scopes = ["read"]
        access_token_format = "jwt"
        signing_alg = "EdDSA"
    };
    let mut resources = toml::Table::new();
    resources.insert(NOTES.to_owned(), notes.into());
    resources.insert(MAPS.to_owned(), toml::Table::new().into());
    Server::setup().set("resources", resources).start().await
}

async fn granted(server: &Server, app: &App, resources: &[&str]) -> (Request, String) {
    let request =
        resources.iter().fold(Request::of(app), |request, own| request.and("resource", own));
    let request = request.with("scope", "openid read write");
    let code = server.code(&server.browser(), "ada", &request).await;
    (request, code)
}

#[tokio::test]
async fn a_token_is_for_the_resource_that_was_named() {
    let server = server().await;
    let app = server.app("app");
    let (request, code) = granted(&server, &app, &[NOTES]).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &code).await);
    // The resource has its own format, algorithm and scopes.
    let (header, claims) = decode(&tokens.access);
    assert_eq!((&header["alg"], &header["typ"]), (&"EdDSA".into(), &"at+jwt".into()));
    assert_eq!((&claims["aud"], &claims["scope"]), (&NOTES.into(), &"read".into()));
    assert_eq!(tokens.json["scope"], "read");
    assert_eq!(claims["amr"].as_array().map(Vec::len), Some(1));
    assert_eq!(claims["sub"], tokens.id_token().1["sub"]);
    let text = "The access token was issued for another resource.";
    for path in ["/protected", "/userinfo"] {
        assert_error(&server.bearer(path, &tokens.access).await, 401, "invalid_token", text);
    }
    let refreshed = Tokens::of(&server.refresh(&app, &tokens.refresh).await);
    assert_eq!(decode(&refreshed.access).1["aud"], NOTES);
}

#[tokio::test]
async fn one_of_several_resources_can_be_chosen_at_the_token_endpoint() {
    let server = server().await;
    let app = server.app("app");
    let (request, code) = granted(&server, &app, &[MAPS, &server.issuer.clone()]).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &app.redirect_uri),
        ("code_verifier", &request.verifier),
        ("resource", MAPS),
    ];
    let tokens = Tokens::of(&server.token(&app, &pairs).await);
    assert_eq!(server.introspect(&app, &tokens.access).await["aud"], serde_json::json!([MAPS]));
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    let refresh = |resource: &'static str| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh.as_str()),
            ("resource", resource),
        ];
        let (server, app) = (&server, &app);
        async move { server.token(app, &pairs).await }
    };
    assert_eq!(refresh(MAPS).await.status, 200);
    let text = "The resource was not granted. Name it in the authorization request.";
    assert_error(&refresh(NOTES).await, 400, "invalid_target", text);
}

#[tokio::test]
async fn unknown_resources_are_an_invalid_target() {
    let server = server().await;
    let app = server.app("app");
    let text = "The resource is not one that this server issues tokens for.";
    let notes_slash = format!("{NOTES}/");
    for resource in ["https://other.example", "no uri", &notes_slash, "HTTPS://notes.example/api"] {
        let request = Request::of(&app).and("resource", resource);
        let page = server.browser().get(&request.url(&server)).await;
        assert_sent_back(&page, &app, "invalid_target", text);
        let machine = server.machine(&format!("m{}", resource.len()), &[]);
        let pairs = [("grant_type", "client_credentials"), ("resource", resource)];
        assert_error(&server.token(&machine, &pairs).await, 400, "invalid_target", text);
    }
    let machine = server.machine("machine", &[]);
    let pairs = [("grant_type", "client_credentials"), ("resource", NOTES), ("resource", MAPS)];
    let text = "These resources want different kinds of tokens. Ask for one at a time.";
    assert_error(&server.token(&machine, &pairs).await, 400, "invalid_target", text);
    let pairs = [("grant_type", "client_credentials"), ("resource", NOTES), ("scope", "write")];
    let text = "None of the scopes means anything to the resource.";
    assert_error(&server.token(&machine, &pairs).await, 400, "invalid_scope", text);
    let signed =
        server.machine("signed", &["--access-token-format", "jwt", "--access-token-alg", "EdDSA"]);
    let pairs = [("grant_type", "client_credentials"), ("resource", NOTES), ("resource", MAPS)];
    let text = "A JWT access token is for one resource. Ask for one at a time.";
    assert_error(&server.token(&signed, &pairs).await, 400, "invalid_target", text);
}

#[tokio::test]
async fn scopes_that_mean_nothing_to_the_resource_are_refused_before_a_person_is_asked() {
    let server = server().await;
    let app = server.app("app");
    let request = Request::of(&app).and("resource", NOTES).with("scope", "write");
    let page = server.browser().get(&request.url(&server)).await;
    let text = "None of the scopes means anything to the resource.";
    assert_sent_back(&page, &app, "invalid_scope", text);
}

#[tokio::test]
async fn the_sample_api_describes_itself() {
    let server = server().await;
    let json = server.get("/.well-known/oauth-protected-resource").await.json();
    assert_eq!(json["resource"], server.issuer.as_str());
    assert_eq!(json["authorization_servers"], serde_json::json!([server.issuer]));
    assert_eq!(json["scopes_supported"], serde_json::json!(["read"]));
    let metadata = server.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["protected_resources"], serde_json::json!([server.issuer, NOTES, MAPS]));
}

#[tokio::test]
async fn a_server_without_es256_signs_with_what_it_has() {
    let mut resources = toml::Table::new();
    resources.insert(NOTES.to_owned(), toml::toml! { access_token_format = "jwt" }.into());
    let server = Server::setup()
        .set("keys.algorithms", vec!["RS256"])
        .set("resources", resources)
        .start()
        .await;
    let machine = server.machine("machine", &[]);
    let pairs = [("grant_type", "client_credentials"), ("resource", NOTES)];
    let tokens = Tokens::of(&server.token(&machine, &pairs).await);
    assert_eq!(decode(&tokens.access).0["alg"], "RS256");
}
