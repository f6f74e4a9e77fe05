//! Zendesk.

use serde_json::json;

use crate::caller::{Caller, How};

const AUTHORIZE: &str = "/acme.zendesk.com/oauth/authorizations/new";
const TOKEN: &str = "/acme.zendesk.com/oauth/tokens";
const SCOPE: &[(&str, &str)] = &[("scope", "read write")];

#[tokio::test]
async fn tokens_end_only_where_that_is_asked_for() {
    let caller = Caller::at("zendesk").await;
    let flow = caller.flow(How::Json, AUTHORIZE, SCOPE, TOKEN);
    let answer = flow.first().await;
    assert_eq!(answer.json().get("expires_in"), None);
    caller.pass(365 * 86_400).await;
    let who =
        caller.get("/acme.zendesk.com/api/v2/users/me.json", &answer.text("access_token")).await;
    assert_eq!(who.json()["user"]["email"], "ada@example.com");
    let asked = [("expires_in", "1800"), ("refresh_token_expires_in", "2592000")];
    let answer = flow.first_with(&asked).await;
    assert_eq!(
        (answer.json()["expires_in"].as_i64(), answer.json()["refresh_token_expires_in"].as_i64()),
        (Some(1800), Some(2_592_000))
    );
    caller.pass(1800).await;
    let late =
        caller.get("/acme.zendesk.com/api/v2/users/me.json", &answer.text("access_token")).await;
    late.refused(401, "invalid_token");
    for bad in [("expires_in", "299"), ("refresh_token_expires_in", "3600"), ("expires_in", "soon")]
    {
        flow.first_with(&[bad]).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_refresh_takes_json_with_numbers_and_ends_both_tokens_before() {
    let caller = Caller::at("zendesk").await;
    let flow = caller.flow(How::Json, AUTHORIZE, SCOPE, TOKEN);
    let one = flow.first().await;
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": one.text("refresh_token"),
        "expires_in": 600,
    });
    let two = caller.post_json(TOKEN, body).await;
    assert_eq!(two.json()["expires_in"], 600);
    let me = caller.get("/acme.zendesk.com/api/v2/users/me", &one.text("access_token")).await;
    assert_eq!(me.status, 401);
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    let current = "/acme.zendesk.com/api/v2/oauth/tokens/current.json";
    let gone = caller.ask("DELETE", current).bearer_auth(two.text("access_token"));
    assert_eq!(caller.send(gone).await.status, 204);
    flow.refresh(&two.text("refresh_token")).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn it_takes_credentials_in_the_body_only() {
    let caller = Caller::at("zendesk").await;
    let flow = caller.flow(How::Json, AUTHORIZE, SCOPE, TOKEN);
    flow.with_how(How::BasicJson).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let callback = caller.authorize(AUTHORIZE, &[("scope", "read,write")]).await.callback();
    assert_eq!(callback["error"], "invalid_scope");
    let elsewhere = caller.authorize("/zendesk.com/oauth/authorizations/new", SCOPE).await;
    assert_eq!(elsewhere.status, 404);
}
