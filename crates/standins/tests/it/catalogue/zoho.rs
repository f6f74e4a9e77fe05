//! Zoho.

use crate::caller::{BACK, Caller, How};

const AUTHORIZE: &str = "/accounts.zoho.com/oauth/v2/auth";
const TOKEN: &str = "/accounts.zoho.com/oauth/v2/token";
const ASKED: &[(&str, &str)] =
    &[("scope", "ZohoCRM.modules.ALL,AaaServer.profile.READ"), ("access_type", "offline")];

#[tokio::test]
async fn offline_access_has_a_refresh_token_that_stays() {
    let caller = Caller::at("zoho").await;
    let flow = caller.flow(How::Post, AUTHORIZE, ASKED, TOKEN);
    let one = flow.first().await;
    assert_eq!(
        (one.text("api_domain"), one.json()["expires_in"].as_i64()),
        (caller.base.clone(), Some(3600))
    );
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(two.json().get("refresh_token"), None);
    let request = caller.ask("GET", "/accounts.zoho.com/oauth/user/info");
    let request =
        request.header("authorization", format!("Zoho-oauthtoken {}", two.text("access_token")));
    assert_eq!(caller.send(request).await.text("Email"), "ada@example.com");
    let online = caller.flow(How::Post, AUTHORIZE, &ASKED[..1], TOKEN);
    assert_eq!(online.first().await.json().get("refresh_token"), None);
}

#[tokio::test]
async fn each_data_centre_knows_its_own_people_only() {
    let caller = Caller::at("zoho").await;
    let asked = [ASKED, &[("as", "grace")]].concat();
    let callback = caller.authorize(AUTHORIZE, &asked).await.callback();
    assert_eq!(callback["location"], "eu");
    let server = callback["accounts-server"].replace(&caller.base, "");
    assert_eq!(server, "/accounts.zoho.eu");
    let fields =
        [("grant_type", "authorization_code"), ("code", &callback["code"]), ("redirect_uri", BACK)];
    caller.post(TOKEN, &fields).await.refused(200, "invalid_code");
    let answer = caller.post(&format!("{server}/oauth/v2/token"), &fields).await;
    let token = answer.text("refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    caller.post(TOKEN, &fields).await.refused(200, "invalid_code");
    assert_eq!(
        caller.post(&format!("{server}/oauth/v2/token"), &fields).await.json()["expires_in"],
        3600
    );
    let ada = caller.authorize(AUTHORIZE, ASKED).await.callback();
    assert_eq!(
        (ada["location"].as_str(), ada["accounts-server"].ends_with("/accounts.zoho.com")),
        ("us", true)
    );
}

#[tokio::test]
async fn what_is_wrong_has_the_status_200() {
    let caller = Caller::at("zoho").await;
    let flow = caller.flow(How::Post, AUTHORIZE, ASKED, TOKEN);
    let token = flow.first().await.text("refresh_token");
    flow.with_wrong_secret().await.refused(200, "invalid_client_secret");
    flow.with_how(How::Basic).await.refused(200, "invalid_client");
    let revoke = format!("/accounts.zoho.com/oauth/v2/token/revoke?token={token}");
    assert_eq!(caller.send(caller.ask("POST", &revoke)).await.text("status"), "success");
    caller.send(caller.ask("POST", &revoke)).await.refused(400, "invalid_token");
    flow.refresh(&token).await.refused(200, "invalid_code");
    let spaces = caller.authorize(AUTHORIZE, &[("scope", "a.READ b.READ")]).await;
    assert_eq!(spaces.status, 400);
}
