//! Salesforce.

use crate::caller::{Caller, How};

const AUTHORIZE: &str = "/login.salesforce.com/services/oauth2/authorize";
const TOKEN: &str = "/acme.my.salesforce.com/services/oauth2/token";

#[tokio::test]
async fn no_lifetime_but_a_time_of_issue_and_an_address() {
    let caller = Caller::at("salesforce").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("scope", "api refresh_token")], TOKEN);
    let one = flow.first().await;
    let answer = one.json();
    assert_eq!(
        (answer.get("expires_in"), answer["instance_url"].as_str()),
        (None, Some(format!("{}/stand-in.my.salesforce.com", caller.base).as_str()))
    );
    assert_eq!(one.text("issued_at").len(), 13);
    let id = one.text("id").replace(&caller.base, "");
    assert_eq!(caller.get(&id, &one.text("access_token")).await.text("email"), "ada@example.com");
    let own = "/stand-in.my.salesforce.com/services/oauth2/userinfo";
    let who = caller.get(own, &one.text("access_token")).await;
    assert_eq!(who.text("organization_id"), "00D000000000001AAA");
    caller.pass(7200).await;
    let late = caller.get("/services/oauth2/userinfo", &one.text("access_token")).await;
    assert_eq!((late.status.as_u16(), late.body.as_str()), (403, "Bad_OAuth_Token"));
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!((two.json().get("refresh_token"), two.text("issued_at").len()), (None, 13));
    assert_eq!(flow.refresh(&one.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_is_a_scope_and_ends_everything() {
    let caller = Caller::at("salesforce").await;
    let flow = caller.flow(How::Basic, AUTHORIZE, &[("scope", "api")], TOKEN);
    assert_eq!(flow.first().await.json().get("refresh_token"), None);
    let flow = caller.flow(How::Basic, AUTHORIZE, &[("scope", "api offline_access")], TOKEN);
    let one = flow.first().await;
    let token = one.text("refresh_token");
    let gone =
        caller.send(caller.ask("POST", "/services/oauth2/revoke").form(&[("token", &token)])).await;
    assert_eq!(gone.status, 200);
    let dead = flow.refresh(&token).await;
    dead.refused(400, "invalid_grant");
    assert_eq!(dead.text("error_description"), "expired access/refresh token");
    let again =
        caller.send(caller.ask("POST", "/services/oauth2/revoke").form(&[("token", &token)])).await;
    assert_eq!(again.status, 400);
}

#[tokio::test]
async fn wrong_clients_are_a_bad_request() {
    let caller = Caller::at("salesforce").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("scope", "api")], TOKEN);
    flow.with_wrong_secret().await.refused(400, "invalid_client");
    flow.ask(&[("client_id", "x")]).await.refused(400, "invalid_client_id");
    let refused = caller.authorize(AUTHORIZE, &[("answer", "deny")]).await.callback();
    assert_eq!(refused["error_description"], "end-user denied authorization");
}
