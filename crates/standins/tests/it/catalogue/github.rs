//! GitHub: OAuth apps and GitHub Apps.

use reqwest::header::{AUTHORIZATION, USER_AGENT};
use serde_json::json;

use crate::caller::{BACK, Caller, Got, How, ID, SECRET};

const AUTHORIZE: &str = "/github.com/login/oauth/authorize";
const TOKEN: &str = "/github.com/login/oauth/access_token";

async fn user(caller: &Caller, path: &str, token: &str) -> Got {
    let request = caller.ask("GET", path).header(USER_AGENT, "tests");
    caller.send(request.header(AUTHORIZATION, format!("Bearer {token}"))).await
}

async fn delete(caller: &Caller, what: &str, token: &str) -> u16 {
    let request = caller.ask("DELETE", &format!("/api.github.com/applications/{ID}/{what}"));
    let request = request.basic_auth(ID, Some(SECRET)).json(&json!({ "access_token": token }));
    caller.send(request).await.status.as_u16()
}

#[tokio::test]
async fn an_oauth_app_gets_a_token_for_ever() {
    let caller = Caller::at("github").await;
    let asked = [("scope", "user:email offline_access"), ("response_type", "")];
    let flow = caller.flow(How::Post, AUTHORIZE, &asked, TOKEN);
    let answer = flow.first().await.json();
    assert_eq!(answer["scope"], "user:email");
    assert_eq!((answer.get("expires_in"), answer.get("refresh_token")), (None, None));
    let token = answer["access_token"].as_str().expect("a token");
    assert!(token.starts_with("gho_"));
    caller.pass(10 * 365 * 86_400).await;
    let person = user(&caller, "/api.github.com/user", token).await.json();
    assert_eq!((person["login"].as_str(), person["email"].is_null()), (Some("ada"), true));
    let emails = user(&caller, "/api.github.com/user/emails", token).await.json();
    assert_eq!(emails[0]["email"], "ada@example.com");
    let anonymous = caller.get("/api.github.com/user", token).await;
    assert_eq!(anonymous.status, 403, "without a User-Agent");
}

#[tokio::test]
async fn answers_are_forms_unless_json_is_asked_for() {
    let caller = Caller::at("github").await;
    let code = caller.code(AUTHORIZE, &[("scope", "repo gist")]).await;
    let fields = [("client_id", ID), ("client_secret", SECRET), ("code", &code)];
    let answer = caller.send(caller.ask("POST", TOKEN).form(&fields)).await;
    assert!(answer.content_type.starts_with("application/x-www-form-urlencoded"), "{answer:?}");
    assert_eq!(answer.form()["scope"], "repo,gist");
    let again = caller.send(caller.ask("POST", TOKEN).form(&fields)).await;
    assert_eq!(
        (again.status.as_u16(), again.form()["error"].as_str()),
        (200, "bad_verification_code")
    );
}

#[tokio::test]
async fn errors_have_the_status_200() {
    let caller = Caller::at("github").await;
    let fields = [("code", "nonsense"), ("redirect_uri", BACK)];
    caller.post(TOKEN, &fields).await.refused(200, "bad_verification_code");
    let fields = [("code", "nonsense"), ("client_secret", "wrong")];
    caller.post(TOKEN, &fields).await.refused(200, "incorrect_client_credentials");
    let basic = caller.basic(TOKEN, &[("code", "nonsense")]).await;
    assert_eq!(basic.form()["error"], "incorrect_client_credentials");
}

#[tokio::test]
async fn a_grant_or_a_token_is_deleted_by_basic() {
    let caller = Caller::at("github").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("scope", "user")], TOKEN);
    let (one, two, three) = (flow.first().await, flow.first().await, flow.first().await);
    let [one, two, three] = [one, two, three].map(|got| got.text("access_token"));
    assert_eq!(delete(&caller, "token", &one).await, 204);
    assert_eq!(user(&caller, "/user", &one).await.json()["message"], "Bad credentials");
    assert_eq!(user(&caller, "/user", &two).await.status, 200);
    assert_eq!(delete(&caller, "grant", &two).await, 204);
    assert_eq!(user(&caller, "/user", &three).await.status, 401);
    assert_eq!(delete(&caller, "grant", &two).await, 404);
}

#[tokio::test]
async fn the_eleventh_token_ends_the_first() {
    let caller = Caller::at("github").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[], TOKEN);
    let first = flow.first().await.text("access_token");
    for _ in 0..9 {
        flow.first().await;
    }
    assert_eq!(user(&caller, "/user", &first).await.status, 200);
    flow.first().await;
    assert_eq!(user(&caller, "/user", &first).await.status, 401);
}

#[tokio::test]
async fn a_github_app_refreshes_and_both_tokens_before_end() {
    let caller = Caller::at("github-app").await;
    let flow = caller.flow(How::Post, AUTHORIZE, &[("scope", "user")], TOKEN);
    let one = flow.first().await.json();
    assert_eq!((one["expires_in"].as_i64(), one["scope"].as_str()), (Some(28_800), Some("")));
    assert_eq!(one["refresh_token_expires_in"], 15_897_600);
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| one[name].as_str());
    let (access, refresh) = (access.expect("a token"), refresh.expect("a token"));
    assert!(access.starts_with("ghu_") && refresh.starts_with("ghr_"));
    let two = flow.refresh(refresh).await;
    assert_eq!(user(&caller, "/user", access).await.status, 401);
    assert_eq!(user(&caller, "/user", &two.text("access_token")).await.status, 200);
    flow.refresh(refresh).await.refused(200, "bad_refresh_token");
    caller.pass(15_897_600).await;
    flow.refresh(&two.text("refresh_token")).await.refused(200, "bad_refresh_token");
}
