//! The providers whose refresh tokens are good for one use.

use serde_json::json;

use crate::caller::{CHALLENGE, Caller, How};

/// Within their grace: the same tokens or new ones. After it, the refresh token is dead.
async fn dies_after(caller: &Caller, flow: crate::caller::Flow<'_>, grace: u32, same: bool) {
    let one = flow.first().await;
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_ne!(one.text("refresh_token"), two.text("refresh_token"));
    caller.pass(grace - 30).await;
    let again = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(again.text("refresh_token") == two.text("refresh_token"), same);
    caller.pass(30).await;
    assert!(flow.refresh(&one.text("refresh_token")).await.status.is_client_error());
}

#[tokio::test]
async fn gitlab_ends_both_tokens_at_a_refresh() {
    let caller = Caller::at("gitlab").await;
    let (authorize, token) =
        ("/gitlab.example.org/oauth/authorize", "/gitlab.example.org/oauth/token");
    let flow = caller.flow(How::Basic, authorize, &[("scope", "read_user openid")], token);
    let one = flow.first().await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.json()["created_at"].is_i64()),
        (Some(7200), true)
    );
    let path = "/gitlab.example.org/api/v4/user";
    assert_eq!(caller.get(path, &one.text("access_token")).await.text("username"), "ada");
    let two = flow.refresh(&one.text("refresh_token")).await;
    let revoked = caller.get(path, &one.text("access_token")).await;
    assert_eq!(revoked.text("error_description"), "Token was revoked.");
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    caller.pass(7200).await;
    let late = caller.get(path, &two.text("access_token")).await;
    assert_eq!(late.text("error_description"), "Token is expired.");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let body = [("token", two.text("refresh_token"))];
    let body: Vec<_> = body.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(caller.basic("/oauth/revoke", &body).await.status, 200);
    flow.refresh(&two.text("refresh_token")).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn zoom_takes_basic_only_and_gives_a_reason() {
    let caller = Caller::at("zoom").await;
    let flow = caller.flow(How::Basic, "/zoom.us/oauth/authorize", &[], "/zoom.us/oauth/token");
    let one = flow.first().await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.text("token_type").as_str()),
        (Some(3599), "bearer")
    );
    let me = "/api.zoom.us/v2/users/me";
    assert_eq!(caller.get(me, &one.text("access_token")).await.text("email"), "ada@example.com");
    let two = flow.refresh(&one.text("refresh_token")).await;
    let dead = flow.refresh(&one.text("refresh_token")).await;
    dead.refused(400, "invalid_grant");
    assert_eq!(dead.text("reason"), "Invalid Token!");
    flow.with_how(How::Post).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let revoke = format!("/zoom.us/oauth/revoke?token={}", two.text("access_token"));
    assert_eq!(caller.basic(&revoke, &[]).await.text("status"), "success");
    flow.refresh(&two.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.get(me, &two.text("access_token")).await.json()["code"], 124);
    let late = flow.first().await;
    caller.pass(90 * 86_400).await;
    flow.refresh(&late.text("refresh_token")).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn atlassian_wants_an_audience_and_takes_a_used_token_for_ten_minutes() {
    let caller = Caller::at("atlassian").await;
    let authorize = "/auth.atlassian.com/authorize";
    let asked = [
        ("audience", "api.atlassian.com"),
        ("prompt", "consent"),
        ("scope", "offline_access read:me read:jira-work"),
    ];
    let flow = caller.flow(How::Json, authorize, &asked, "/auth.atlassian.com/oauth/token");
    let one = flow.first().await;
    let me = caller.get("/api.atlassian.com/me", &one.text("access_token")).await;
    assert_eq!(me.text("email"), "ada@example.com");
    let sites = "/api.atlassian.com/oauth/token/accessible-resources";
    assert_eq!(caller.get(sites, &one.text("access_token")).await.json()[0]["name"], "stand-in");
    let two = flow.refresh(&one.text("refresh_token")).await;
    let me = "/api.atlassian.com/me";
    assert_eq!(caller.get(me, &one.text("access_token")).await.status, 200);
    caller.pass(600).await;
    assert_eq!(caller.get(me, &one.text("access_token")).await.status, 401);
    assert_eq!(caller.get(me, &two.text("access_token")).await.status, 200);
    dies_after(&caller, flow, 600, false).await;
    let dead = flow.refresh("nonsense").await;
    dead.refused(403, "invalid_grant");
    assert_eq!(dead.text("error_description"), "Unknown or invalid refresh token.");
    flow.with_wrong_secret().await.refused(401, "access_denied");
    flow.with_how(How::Post).await.refused(400, "invalid_request");
    for missing in ["audience", "prompt", "scope"] {
        let asked: Vec<_> = asked.into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(caller.authorize(authorize, &asked).await.status, 400, "{missing}");
    }
    let online = [asked[0], asked[1], ("scope", "read:me")];
    let online = caller.flow(How::Json, authorize, &online, "/oauth/token");
    assert_eq!(online.first().await.json().get("refresh_token"), None);
}

#[tokio::test]
async fn box_has_codes_for_thirty_seconds_and_no_scopes() {
    let caller = Caller::at("box").await;
    let (authorize, token) = ("/account.box.com/api/oauth2/authorize", "/api.box.com/oauth2/token");
    let flow = caller.flow(How::Post, authorize, &[], token);
    let one = flow.first().await;
    assert_eq!((one.json()["restricted_to"].clone(), one.json().get("scope")), (json!([]), None));
    let me = caller.get("/api.box.com/2.0/users/me", &one.text("access_token")).await;
    assert_eq!(me.text("login"), "ada@example.com");
    assert_eq!(caller.get("/api.box.com/2.0/users/me", "nonsense").await.body, "");
    let two = flow.refresh(&one.text("refresh_token")).await;
    let dead = flow.refresh(&one.text("refresh_token")).await;
    dead.refused(400, "invalid_grant");
    assert_eq!(dead.text("error_description"), "Refresh token has expired");
    flow.with_how(How::Basic).await.refused(400, "invalid_client");
    flow.with_wrong_secret().await.refused(400, "invalid_client");
    let body = two.text("refresh_token");
    assert_eq!(caller.post("/api.box.com/oauth2/revoke", &[("token", &body)]).await.status, 200);
    flow.refresh(&body).await.refused(400, "invalid_grant");
    let code = caller.code(authorize, &[]).await;
    caller.pass(30).await;
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str())];
    caller.post(token, &fields).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn linear_answers_the_same_tokens_for_half_an_hour() {
    let caller = Caller::at("linear").await;
    let (authorize, token) = ("/linear.app/oauth/authorize", "/api.linear.app/oauth/token");
    let flow = caller.flow(How::Post, authorize, &[("scope", "read,write")], token);
    let one = flow.first().await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.text("scope").as_str()),
        (Some(86_399), "read write")
    );
    let ask = |token: String| {
        let query = json!({ "query": "query { viewer { id name email } }" });
        caller.send(caller.ask("POST", "/api.linear.app/graphql").bearer_auth(token).json(&query))
    };
    let viewer = ask(one.text("access_token")).await.json();
    assert_eq!(viewer["data"]["viewer"]["email"], "ada@example.com");
    dies_after(&caller, flow, 1800, true).await;
    flow.refresh("nonsense").await.refused(400, "invalid_grant");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let last = flow.first().await;
    let token = last.text("access_token");
    let gone = caller.ask("POST", "/api.linear.app/oauth/revoke").bearer_auth(&token);
    assert_eq!(caller.send(gone).await.status, 200);
    let refresh = last.text("refresh_token");
    for (name, status) in [("refresh_token", 400), ("token", 401)] {
        let again = caller.ask("POST", "/api.linear.app/oauth/revoke").form(&[(name, &refresh)]);
        assert_eq!(caller.send(again).await.status, status, "{name}");
    }
    let none = ask(token).await;
    assert_eq!(none.json()["errors"][0]["extensions"]["code"], "AUTHENTICATION_ERROR");
    for wrong in [("scope", "read write"), ("actor", "somebody")] {
        let asked = [("scope", "read"), wrong];
        assert!(caller.authorize(authorize, &asked).await.callback().contains_key("error"));
    }
}

#[tokio::test]
async fn discord_ends_the_authorization_with_any_of_its_tokens() {
    let caller = Caller::at("discord").await;
    let (authorize, token) = ("/discord.com/oauth2/authorize", "/discord.com/api/oauth2/token");
    let flow = caller.flow(How::Basic, authorize, &[("scope", "identify email")], token);
    let one = flow.first().await;
    assert_eq!(one.json()["expires_in"], 604_800);
    let me = "/discord.com/api/users/@me";
    assert_eq!(caller.get(me, &one.text("access_token")).await.text("email"), "ada@example.com");
    let two = flow.refresh(&one.text("refresh_token")).await;
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    flow.with_how(How::Json).await.refused(400, "invalid_request");
    let body = two.text("access_token");
    let revoke = "/discord.com/api/oauth2/token/revoke";
    assert_eq!(caller.basic(revoke, &[("token", &body)]).await.status, 200);
    flow.refresh(&two.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.get(me, &body).await.text("message"), "401: Unauthorized");
}

#[tokio::test]
async fn x_wants_pkce_and_calls_a_dead_token_an_invalid_request() {
    let caller = Caller::at("x").await;
    let asked = [
        ("scope", "tweet.read users.read offline.access"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let authorize = "/x.com/i/oauth2/authorize";
    let flow = caller.flow(How::Basic, authorize, &asked, "/api.x.com/2/oauth2/token");
    let one = flow.first().await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.text("token_type").as_str()),
        (Some(7200), "bearer")
    );
    let me = caller.get("/api.x.com/2/users/me", &one.text("access_token")).await;
    assert_eq!(me.json()["data"]["username"], "ada");
    let two = flow.refresh(&one.text("refresh_token")).await;
    let dead = flow.refresh(&one.text("refresh_token")).await;
    dead.refused(400, "invalid_request");
    assert_eq!(dead.text("error_description"), "Value passed for the token was invalid.");
    flow.with_how(How::Post).await.refused(401, "unauthorized_client");
    flow.with_wrong_secret().await.refused(401, "unauthorized_client");
    let body = two.text("refresh_token");
    let revoked = caller.basic("/api.x.com/2/oauth2/revoke", &[("token", &body)]).await;
    assert_eq!(revoked.json()["revoked"], true);
    flow.refresh(&body).await.refused(400, "invalid_request");
    for missing in ["code_challenge", "code_challenge_method", "scope", "state"] {
        let asked: Vec<_> = asked.into_iter().filter(|(name, _)| *name != missing).collect();
        let asked = [&asked[..], if missing == "state" { &[("state", "")] } else { &[] }].concat();
        assert_eq!(caller.authorize(authorize, &asked).await.status, 400, "{missing}");
    }
}

#[tokio::test]
async fn quickbooks_names_the_company_and_keeps_a_used_token_for_a_day() {
    let caller = Caller::at("quickbooks").await;
    let authorize = "/appcenter.intuit.com/connect/oauth2";
    let token = "/oauth.platform.intuit.com/oauth2/v1/tokens/bearer";
    let asked = [("scope", "com.intuit.quickbooks.accounting openid")];
    let flow = caller.flow(How::Basic, authorize, &asked, token);
    assert!(caller.authorize(authorize, &asked).await.callback().contains_key("realmId"));
    let one = flow.first().await;
    assert_eq!(
        (one.json()["x_refresh_token_expires_in"].as_i64(), one.json().get("scope")),
        (Some(8_726_400), None)
    );
    let who = "/accounts.platform.intuit.com/v1/openid_connect/userinfo";
    assert_eq!(caller.get(who, &one.text("access_token")).await.text("givenName"), "Ada");
    let company = |realm: &str| {
        format!("/quickbooks.api.intuit.com/v3/company/{realm}/companyinfo/4620816365000000001")
    };
    let own = caller.get(&company("4620816365000000001"), &one.text("access_token")).await;
    assert_eq!(own.json()["CompanyInfo"]["CompanyName"], "Stand-in");
    assert_eq!(caller.get(&company("1"), &one.text("access_token")).await.status, 403);
    dies_after(&caller, flow, 86_400, false).await;
    flow.refresh("nonsense").await.refused(400, "invalid_grant");
    flow.with_how(How::Post).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let last = flow.first().await.text("refresh_token");
    let revoke = "/developer.api.intuit.com/v2/oauth2/tokens/revoke";
    assert_eq!(caller.basic_json(revoke, &json!({ "token": last })).await.status, 200);
    flow.refresh(&last).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn xero_takes_a_used_token_for_half_an_hour() {
    let caller = Caller::at("xero").await;
    let authorize = "/login.xero.com/identity/connect/authorize";
    let asked = [("scope", "openid profile email accounting.contacts offline_access")];
    let flow = caller.flow(How::Basic, authorize, &asked, "/identity.xero.com/connect/token");
    let one = flow.first().await;
    assert_eq!(one.json()["expires_in"], 1800);
    let tenants = caller.get("/api.xero.com/connections", &one.text("access_token")).await.json();
    assert_eq!(tenants[0]["tenantType"], "ORGANISATION");
    dies_after(&caller, flow, 1800, false).await;
    let dead = flow.refresh("nonsense").await;
    assert_eq!((dead.status.as_u16(), dead.json()), (400, json!({ "error": "invalid_grant" })));
    flow.with_how(How::Post).await.refused(400, "invalid_client");
    flow.with_wrong_secret().await.refused(400, "invalid_client");
    let last = flow.first().await.text("refresh_token");
    let revoke = "/identity.xero.com/connect/revocation";
    assert_eq!(caller.basic(revoke, &[("token", &last)]).await.status, 200);
    flow.refresh(&last).await.refused(400, "invalid_grant");
    let other = flow.first().await.text("refresh_token");
    caller.pass(60 * 86_400).await;
    flow.refresh(&other).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn airtable_wants_pkce_and_ends_both_tokens_at_a_refresh() {
    let caller = Caller::at("airtable").await;
    let authorize = "/airtable.com/oauth2/v1/authorize";
    let asked = [
        ("scope", "data.records:read user.email:read"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let flow = caller.flow(How::Basic, authorize, &asked, "/airtable.com/oauth2/v1/token");
    let one = flow.first().await;
    assert_eq!(one.json()["refresh_expires_in"], 5_184_000);
    let whoami = "/api.airtable.com/v0/meta/whoami";
    assert_eq!(
        caller.get(whoami, &one.text("access_token")).await.text("email"),
        "ada@example.com"
    );
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(caller.get(whoami, &one.text("access_token")).await.status, 401);
    assert_eq!(caller.get(whoami, &two.text("access_token")).await.status, 200);
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    flow.with_how(How::Post).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    for wrong in [("code_challenge_method", "plain"), ("code_challenge", ""), ("scope", "")] {
        let asked = [&asked[..], &[wrong]].concat();
        assert!(
            caller.authorize(authorize, &asked).await.callback().contains_key("error"),
            "{wrong:?}"
        );
    }
}
