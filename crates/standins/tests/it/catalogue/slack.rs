//! Slack, with and without token rotation.

use crate::caller::{Caller, How};

const AUTHORIZE: &str = "/slack.com/oauth/v2/authorize";
const TOKEN: &str = "/slack.com/api/oauth.v2.access";

#[tokio::test]
async fn bot_and_person_have_tokens_of_their_own() {
    let caller = Caller::at("slack").await;
    let asked =
        [("scope", "chat:write,users:read"), ("user_scope", "identity.basic,identity.email")];
    let flow = caller.flow(How::Post, AUTHORIZE, &asked, TOKEN);
    let answer = flow.first().await.json();
    assert_eq!((answer["ok"].as_bool(), answer["token_type"].as_str()), (Some(true), Some("bot")));
    assert_eq!(
        (answer["scope"].as_str(), answer["expires_in"].as_i64()),
        (Some("chat:write,users:read"), Some(43_200))
    );
    let person = &answer["authed_user"];
    assert_eq!(
        (person["id"].as_str(), person["token_type"].as_str()),
        (Some("U0ADA"), Some("user"))
    );
    let bot = answer["access_token"].as_str().expect("a token");
    let own = person["access_token"].as_str().expect("a token");
    assert!(bot.starts_with("xoxe.xoxb-1-") && own.starts_with("xoxe.xoxp-1-"), "{answer}");
    let who = caller.get("/slack.com/api/auth.test", bot).await.json();
    assert_eq!((who["user_id"].as_str(), who["bot_id"].as_str()), (Some("U0BOT"), Some("B0BOT")));
    let who = caller.get("/slack.com/api/users.identity", own).await.json();
    assert_eq!(who["user"]["email"], "ada@example.com");
    let who = caller.get("/slack.com/api/users.identity", bot).await;
    who.refused(200, "missing_scope");
}

#[tokio::test]
async fn each_is_refreshed_once_with_its_own_token() {
    let caller = Caller::at("slack").await;
    let asked = [("scope", "chat:write"), ("user_scope", "search:read")];
    let flow = caller.flow(How::Basic, AUTHORIZE, &asked, TOKEN);
    let answer = flow.first().await.json();
    let own = answer["authed_user"]["refresh_token"].as_str().expect("a token");
    let refreshed = flow.refresh(own).await.json();
    assert_eq!(
        (refreshed["token_type"].as_str(), refreshed["scope"].as_str()),
        (Some("user"), Some("search:read"))
    );
    flow.refresh(own).await.refused(200, "invalid_refresh_token");
    let bot = answer["refresh_token"].as_str().expect("a token");
    assert_eq!(flow.refresh(bot).await.json()["bot_user_id"], "U0BOT");
    caller.pass(43_200).await;
    let access = refreshed["access_token"].as_str().expect("a token");
    caller.get("/slack.com/api/auth.test", access).await.refused(200, "token_expired");
}

#[tokio::test]
async fn without_rotation_tokens_stay_until_they_are_revoked() {
    let caller = Caller::at("slack-classic").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("user_scope", "search:read")], TOKEN);
    let answer = flow.first().await.json();
    assert_eq!((answer.get("access_token"), answer["authed_user"].get("expires_in")), (None, None));
    let own = answer["authed_user"]["access_token"].as_str().expect("a token");
    assert_eq!(caller.get("/slack.com/api/auth.revoke", own).await.json()["revoked"], true);
    caller.get("/slack.com/api/auth.test", own).await.refused(200, "token_revoked");
    flow.refresh("whatever").await.refused(200, "invalid_grant_type");
}

#[tokio::test]
async fn slack_has_words_of_its_own_for_what_is_wrong() {
    let caller = Caller::at("slack").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("scope", "chat:write")], TOKEN);
    flow.with_wrong_secret().await.refused(200, "bad_client_secret");
    let code = caller.code(AUTHORIZE, &[("scope", "chat:write")]).await;
    let fields = [("code", code.as_str()), ("redirect_uri", "http://localhost:1/")];
    flow.ask(&fields).await.refused(200, "bad_redirect_uri");
    flow.ask(&[("code", "nonsense")]).await.refused(200, "invalid_code");
    for bad in ["chat:write users:read", "chat:write,offline_access", ""] {
        assert_eq!(caller.authorize(AUTHORIZE, &[("scope", bad)]).await.status, 400, "{bad}");
    }
}
