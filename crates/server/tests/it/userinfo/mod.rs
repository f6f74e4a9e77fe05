//! `/userinfo`: OpenID Connect Core 1.0 §5.3.

use serde_json::{Value, json};

use crate::support::{Request, Server, assert_error, client};

async fn ask(server: &Server, scope: &str) -> Value {
    let app = server.app(&format!("app{}", scope.len()));
    let request = Request::of(&app).with("scope", scope);
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    server.bearer("/userinfo", &tokens.access).await.json()
}

#[tokio::test]
async fn each_scope_has_its_claims() {
    let server = Server::start().await;
    server.person("ada", "correct horse battery");
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> =
            value.as_object().expect("an object").keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&ask(&server, "openid").await), ["sub"]);
    assert_eq!(names(&ask(&server, "openid email").await), ["email", "email_verified", "sub"]);
    let profile = ask(&server, "openid profile").await;
    assert_eq!(names(&profile), ["preferred_username", "sub", "updated_at"]);
    assert_eq!(profile["preferred_username"], json!("ada"));
    assert!(profile["updated_at"].is_i64(), "{profile}");
}

#[tokio::test]
async fn it_answers_get_and_post_and_a_token_in_the_body() {
    let server = Server::start().await;
    let tokens = server.tokens(&server.app("notes"), "ada").await;
    let url = server.url("/userinfo");
    let get = server.bearer("/userinfo", &tokens.access).await;
    let post = server.request(client().post(&url).bearer_auth(&tokens.access)).await;
    let body = client().post(&url).form(&[("access_token", &tokens.access)]);
    let body = server.request(body).await;
    for page in [&get, &post, &body] {
        assert_eq!((page.status, &page.json()), (200, &get.json()), "{page:?}");
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    let both =
        client().post(&url).bearer_auth(&tokens.access).form(&[("access_token", &tokens.access)]);
    let both = server.request(both).await;
    assert_error(&both, 400, "invalid_request", "Send the access token in one way only.");
}

#[tokio::test]
async fn without_openid_there_is_nothing_to_tell() {
    let server = Server::start().await;
    let app = server.app("notes");
    let request = Request::of(&app).with("scope", "read email");
    let tokens = server.tokens_for(&app, "ada", &server.browser(), &request).await;
    let page = server.bearer("/userinfo", &tokens.access).await;
    assert_error(&page, 403, "insufficient_scope", "The access token lacks the scope openid.");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let server = Server::start().await;
    let page = server.get("/userinfo").await;
    assert_error(&page, 401, "missing_token", "Authorization token is missing.");
    let page = server.bearer("/userinfo", "nonsense").await;
    assert_error(&page, 401, "invalid_token", "The access token is unknown, expired or revoked.");
    for body in ["access_token=%ff", "access_token=a&access_token=b"] {
        let request = client().post(server.url("/userinfo")).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let page = server.request(request).await;
        assert_eq!(
            (page.status, page.json()["error"].as_str()),
            (400, Some("invalid_request")),
            "{body}"
        );
    }
}
