//! Tokens that go through the browser: RFC 6749 §4.2, OpenID Connect Core 1.0 §3.2 and §3.3.

use serde_json::json;

use crate::support::{App, Request, Server, Tokens, assert_sent_back, decode, half_hash};

const TYPES: [&str; 6] =
    ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token"];

fn app(server: &Server) -> App {
    let mut options =
        vec!["--grant", "authorization_code", "--grant", "refresh_token", "--grant", "implicit"];
    for own in TYPES {
        options.extend(["--response-type", own]);
    }
    server.app_with("spa", &options)
}

#[tokio::test]
async fn every_response_type_answers_in_the_fragment() {
    let server = Server::start().await;
    let app = app(&server);
    let browser = server.browser();
    for asked in TYPES {
        let request = Request::of(&app).with("response_type", asked);
        let page = server.answer(&browser, "ada", &request).await;
        let location = page.location().expect("a redirect").to_owned();
        assert!(location.starts_with(&format!("{}#", app.redirect_uri)), "{location}");
        let answer = page.answer();
        let has = |name: &str| answer.contains_key(name);
        let words: Vec<_> = asked.split(' ').collect();
        assert_eq!(has("code"), words.contains(&"code"), "{asked}");
        assert_eq!(has("access_token"), words.contains(&"token"), "{asked}");
        assert_eq!(has("id_token"), words.contains(&"id_token"), "{asked}");
        assert!(!has("refresh_token"), "RFC 6749 §4.2.2");
        assert_eq!(answer["state"], request.value("state"));
        assert_eq!(answer["iss"], server.issuer);
        if has("access_token") {
            assert_eq!(
                (answer["token_type"].as_str(), answer["expires_in"].as_str()),
                ("Bearer", "3600")
            );
            assert_eq!(server.bearer("/protected", &answer["access_token"]).await.status, 200);
        }
        if has("id_token") {
            let (header, claims) = decode(&answer["id_token"]);
            assert_eq!(header["alg"], "ES256");
            assert_eq!(claims["nonce"], request.value("nonce"));
            let hash = |name: &str| answer.get(name).map(|value| json!(half_hash(value)));
            assert_eq!(claims.get("at_hash").cloned(), hash("access_token"), "{asked}");
            assert_eq!(claims.get("c_hash").cloned(), hash("code"), "{asked}");
            // OpenID Connect Core 1.0 §5.4: without any access token the claims are in the ID token.
            assert_eq!(claims.get("email").is_some(), asked == "id_token", "{asked}");
        }
        if has("code") {
            let tokens = Tokens::of(&server.redeem(&app, &request, &answer["code"]).await);
            assert_eq!(server.bearer("/userinfo", &tokens.access).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_form_may_carry_them_and_a_query_never() {
    let server = Server::start().await;
    let app = app(&server);
    let browser = server.browser();
    let request =
        Request::of(&app).with("response_type", "token id_token").and("response_mode", "form_post");
    let page = server.answer(&browser, "ada", &request).await;
    let form = page.form(&app.redirect_uri);
    let begins = |name: &str, with| form.value(name).is_some_and(|own| own.starts_with(with));
    assert!(begins("access_token", "grt_at_") && begins("id_token", "ey"));
    let request = Request::of(&app).with("response_type", "token").and("response_mode", "query");
    let page = browser.get(&request.url(&server)).await;
    let text = "Tokens may not travel in a query. Use response_mode fragment or form_post.";
    assert_sent_back(&page, &app, "invalid_request", text);
    assert!(page.location().is_some_and(|own| own.contains('#')), "the error neither");
}

#[tokio::test]
async fn the_rules_of_the_nonce_and_of_openid_hold() {
    let server = Server::start().await;
    let app = app(&server);
    let browser = server.browser();
    for asked in ["id_token", "id_token token", "code id_token", "code id_token token"] {
        let request = Request::of(&app).with("response_type", asked);
        let page = browser.get(&request.clone().without("nonce").url(&server)).await;
        let text = "The parameter nonce is missing. A response_type with id_token needs it.";
        assert_sent_back(&page, &app, "invalid_request", text);
        let page = browser.get(&request.with("scope", "read").url(&server)).await;
        let text = "An ID token is only for requests with the scope openid.";
        assert_sent_back(&page, &app, "invalid_scope", text);
    }
    let request =
        Request::of(&app).with("response_type", "token").without("nonce").with("scope", "read");
    let page = server.answer(&browser, "ada", &request).await;
    assert!(page.answer().contains_key("access_token"), "plain OAuth needs none");
}

#[tokio::test]
async fn it_is_only_for_clients_that_registered_it() {
    let server = Server::start().await;
    let notes = server.app("notes");
    for asked in TYPES {
        let request = Request::of(&notes).with("response_type", asked);
        let page = server.browser().get(&request.url(&server)).await;
        let text = format!("This application is not registered for response_type={asked}.");
        assert_sent_back(&page, &notes, "unauthorized_client", &text);
    }
    let app = app(&server);
    let request = Request::of(&app).with("response_type", "code");
    let page = server.browser().get(&request.url(&server)).await;
    let text = "This application is not registered for response_type=code.";
    assert_sent_back(&page, &app, "unauthorized_client", text);
}

#[tokio::test]
async fn a_token_of_the_browser_ends_with_the_consent() {
    let server = Server::start().await;
    let app = app(&server);
    let browser = server.browser();
    let request = Request::of(&app).with("response_type", "token");
    let page = server.answer(&browser, "ada", &request).await;
    let access = page.answer()["access_token"].clone();
    let page = browser.open("/account/consents/withdraw?client_id=spa").await;
    browser.send_form(&page.form("/account/consents/withdraw")).await;
    assert_eq!(server.bearer("/protected", &access).await.status, 401);
}
