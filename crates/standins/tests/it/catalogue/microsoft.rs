//! Microsoft.

use crate::caller::{CHALLENGE, Caller, How};

const AUTHORIZE: &str = "/login.microsoftonline.com/common/oauth2/v2.0/authorize";
const TOKEN: &str = "/login.microsoftonline.com/common/oauth2/v2.0/token";
const ASKED: &[(&str, &str)] = &[
    ("scope", "offline_access User.Read https://graph.microsoft.com/Mail.Read"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

#[tokio::test]
async fn refresh_tokens_are_new_each_time_and_the_old_ones_stay_good() {
    let caller = Caller::at("microsoft").await;
    let flow = caller.flow(How::Post, AUTHORIZE, ASKED, TOKEN);
    let one = flow.first().await;
    assert_eq!(one.text("scope"), "User.Read https://graph.microsoft.com/Mail.Read");
    assert_eq!(one.json()["ext_expires_in"], 3599);
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_ne!(one.text("refresh_token"), two.text("refresh_token"));
    assert_eq!(flow.refresh(&one.text("refresh_token")).await.status, 200);
    let me = caller.get("/graph.microsoft.com/v1.0/me", &two.text("access_token")).await.json();
    assert_eq!(
        (me["mail"].as_str(), me["surname"].as_str()),
        (Some("ada@example.com"), Some("Lovelace"))
    );
    caller.pass(3600).await;
    let late = caller.get("/v1.0/me", &two.text("access_token")).await;
    assert_eq!(late.json()["error"]["code"], "InvalidAuthenticationToken");
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let caller = Caller::at("microsoft").await;
    let flow = caller.flow(How::Basic, AUTHORIZE, &[("scope", "openid Mail.Read")], TOKEN);
    let answer = flow.first().await;
    assert_eq!(answer.json().get("refresh_token"), None);
    assert_eq!(caller.get("/v1.0/me", &answer.text("access_token")).await.status, 403);
    let who = caller.get("/graph.microsoft.com/oidc/userinfo", &answer.text("access_token")).await;
    assert_eq!(who.json()["email"], "ada@example.com");
}

#[tokio::test]
async fn errors_have_numbers() {
    let caller = Caller::at("microsoft").await;
    let flow = caller.flow(How::Post, AUTHORIZE, ASKED, TOKEN);
    let one = flow.first().await;
    let wrong = flow.with_wrong_secret().await;
    wrong.refused(401, "invalid_client");
    assert_eq!(wrong.json()["error_codes"][0], 7_000_215);
    let token = one.text("refresh_token");
    assert_eq!(
        caller
            .send(
                caller
                    .ask("POST", "/v1.0/me/revokeSignInSessions")
                    .bearer_auth(one.text("access_token"))
            )
            .await
            .status,
        200
    );
    let dead = flow.refresh(&token).await;
    dead.refused(400, "invalid_grant");
    assert!(dead.text("error_description").starts_with("AADSTS50173"), "{dead:?}");
    let other = flow.first().await.text("refresh_token");
    caller.pass(90 * 86_400).await;
    assert_eq!(flow.refresh(&other).await.json()["error_codes"][0], 700_082);
    let missing = caller.authorize(AUTHORIZE, &[]).await.callback();
    assert_eq!(missing["error"], "invalid_request");
}
