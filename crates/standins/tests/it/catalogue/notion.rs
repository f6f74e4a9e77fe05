//! Notion.

use serde_json::json;

use crate::caller::{Caller, How};

const AUTHORIZE: &str = "/api.notion.com/v1/oauth/authorize";
const TOKEN: &str = "/api.notion.com/v1/oauth/token";
const OWNER: &[(&str, &str)] = &[("owner", "user")];

#[tokio::test]
async fn the_person_is_in_the_answer_and_tokens_do_not_end() {
    let caller = Caller::at("notion").await;
    let flow = caller.flow(How::BasicJson, AUTHORIZE, OWNER, TOKEN);
    let one = flow.first().await;
    let answer = one.json();
    assert_eq!(answer["owner"]["user"]["person"]["email"], "ada@example.com");
    assert_eq!((answer.get("expires_in"), answer.get("scope")), (None, None));
    caller.pass(10 * 365 * 86_400).await;
    let request =
        caller.ask("GET", "/api.notion.com/v1/users/me").bearer_auth(one.text("access_token"));
    let me = caller.send(request.header("notion-version", "2022-06-28")).await.json();
    assert_eq!(me["bot"]["owner"]["user"]["name"], "Ada Lovelace");
    let me = caller.get("/api.notion.com/v1/users/me", &one.text("access_token")).await;
    assert_eq!((me.status.as_u16(), me.text("code").as_str()), (400, "missing_version"));
}

#[tokio::test]
async fn a_refresh_answers_new_tokens_and_revocation_ends_them() {
    let caller = Caller::at("notion").await;
    let flow = caller.flow(How::BasicJson, AUTHORIZE, OWNER, TOKEN);
    let one = flow.first().await;
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_ne!(one.text("refresh_token"), two.text("refresh_token"));
    let again = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!((again.status.as_u16(), again.text("code").as_str()), (400, "invalid_grant"));
    let token = json!({ "token": two.text("access_token") });
    let revoked = caller.basic_json("/api.notion.com/v1/oauth/revoke", &token).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(flow.refresh(&two.text("refresh_token")).await.text("code"), "invalid_grant");
}

#[tokio::test]
async fn it_takes_basic_and_json_and_an_owner() {
    let caller = Caller::at("notion").await;
    let flow = caller.flow(How::BasicJson, AUTHORIZE, OWNER, TOKEN);
    assert_eq!(flow.with_how(How::Json).await.text("code"), "unauthorized");
    assert_eq!(flow.with_how(How::Basic).await.text("code"), "invalid_json");
    assert_eq!(flow.with_wrong_secret().await.status, 401);
    assert_eq!(caller.authorize(AUTHORIZE, &[]).await.status, 400);
    assert_eq!(caller.authorize(AUTHORIZE, &[("owner", "workspace")]).await.status, 400);
}
