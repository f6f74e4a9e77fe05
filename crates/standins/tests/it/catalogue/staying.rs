//! The providers whose refresh tokens stay, and the one that has none.

use serde_json::json;

use crate::caller::{BACK, Caller, How, ID, SECRET};

#[tokio::test]
async fn dropbox_refreshes_in_few_words_and_refuses_forms() {
    let caller = Caller::at("dropbox").await;
    let (authorize, token) =
        ("/www.dropbox.com/oauth2/authorize", "/api.dropboxapi.com/oauth2/token");
    let asked = [("scope", "account_info.read"), ("token_access_type", "offline")];
    let flow = caller.flow(How::Basic, authorize, &asked, token);
    let one = flow.first().await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.text("uid").as_str()),
        (Some(14_400), "1815")
    );
    let two = flow.refresh(&one.text("refresh_token")).await.json();
    for absent in ["refresh_token", "scope", "account_id"] {
        assert_eq!(two.get(absent), None, "{absent}");
    }
    let account = "/api.dropboxapi.com/2/users/get_current_account";
    let access = two["access_token"].as_str().expect("a token");
    let who = caller.send(caller.ask("POST", account).bearer_auth(access)).await;
    assert_eq!(who.json()["name"]["display_name"], "Ada Lovelace");
    let form =
        caller.send(caller.ask("POST", account).bearer_auth(access).form(&[("a", "b")])).await;
    assert_eq!(form.status, 400);
    caller.pass(14_400).await;
    let late = caller.send(caller.ask("POST", account).bearer_auth(access)).await;
    assert_eq!(late.json()["error"][".tag"], "expired_access_token");
    flow.with_wrong_secret()
        .await
        .refused(400, "invalid_client: Invalid client_id or client_secret");
    let fresh = flow.refresh(&one.text("refresh_token")).await.text("access_token");
    let revoke = caller.ask("POST", "/api.dropboxapi.com/2/auth/token/revoke").bearer_auth(&fresh);
    assert_eq!(caller.send(revoke).await.body, "null");
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    let online = caller.flow(How::Post, authorize, &asked[..1], token);
    assert_eq!(online.first().await.json().get("refresh_token"), None);
    let wrong = [("token_access_type", "forever")];
    assert_eq!(caller.authorize(authorize, &wrong).await.status, 400);
}

#[tokio::test]
async fn hubspot_has_three_generations_that_repeat_the_refresh_token() {
    let caller = Caller::at("hubspot").await;
    let authorize = "/app.hubspot.com/oauth/authorize";
    let asked = [("scope", "oauth crm.objects.contacts.read"), ("optional_scope", "tickets")];
    for version in ["v1", "v3", "2026-03"] {
        let token = format!("/api.hubapi.com/oauth/{version}/token");
        let flow = caller.flow(How::Post, authorize, &asked, &token);
        let one = flow.first().await;
        assert_eq!(
            (one.json()["expires_in"].as_i64(), one.json()["scopes"][2].as_str()),
            (Some(1800), Some("tickets"))
        );
        let two = flow.refresh(&one.text("refresh_token")).await;
        assert_eq!(two.text("refresh_token"), one.text("refresh_token"));
        let about = format!("/api.hubapi.com/oauth/v1/access-tokens/{}", two.text("access_token"));
        assert_eq!(caller.get(&about, "").await.text("user"), "ada@example.com");
        let introspect = format!("{token}/introspect");
        let known = caller.post(&introspect, &[("token", &two.text("access_token"))]).await;
        assert_eq!(
            (known.json()["active"].as_bool(), known.json()["user_id"].as_i64()),
            (Some(true), Some(1815))
        );
        let body = one.text("refresh_token");
        assert_eq!(caller.post(&format!("{token}/revoke"), &[("token", &body)]).await.status, 204);
        let dead = flow.refresh(&body).await;
        dead.refused(400, "invalid_grant");
        assert_eq!(dead.text("status"), "BAD_REFRESH_TOKEN");
        assert_eq!(flow.with_wrong_secret().await.text("status"), "BAD_CLIENT_SECRET");
        flow.with_how(How::Basic).await.refused(400, "invalid_client");
    }
    assert_eq!(caller.authorize(authorize, &[]).await.status, 400);
}

#[tokio::test]
async fn asana_names_the_person_beside_the_tokens() {
    let caller = Caller::at("asana").await;
    let (authorize, token) = ("/app.asana.com/-/oauth_authorize", "/app.asana.com/-/oauth_token");
    let flow = caller.flow(How::Post, authorize, &[("scope", "users:read")], token);
    let one = flow.first().await;
    assert_eq!(one.json()["data"]["email"], "ada@example.com");
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(two.json().get("refresh_token"), None);
    let me = "/app.asana.com/api/1.0/users/me";
    assert_eq!(caller.get(me, &two.text("access_token")).await.json()["data"]["gid"], "1815");
    flow.with_how(How::Basic).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let body = one.text("refresh_token");
    let revoke = "/app.asana.com/-/oauth_revoke";
    let access = two.text("access_token");
    caller.post(revoke, &[("token", &access)]).await.refused(400, "invalid_request");
    for _ in 0..2 {
        assert_eq!(caller.post(revoke, &[("token", &body)]).await.status, 200);
    }
    flow.refresh(&body).await.refused(400, "invalid_grant");
    let gone = caller.get(me, &two.text("access_token")).await;
    assert_eq!(gone.json()["errors"][0]["message"], "Not Authorized");
}

#[tokio::test]
async fn spotify_takes_basic_only_and_keeps_the_refresh_token() {
    let caller = Caller::at("spotify").await;
    let (authorize, token) = ("/accounts.spotify.com/authorize", "/accounts.spotify.com/api/token");
    let flow = caller.flow(How::Basic, authorize, &[("scope", "user-read-email")], token);
    let one = flow.first().await;
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(
        (two.json().get("refresh_token"), two.text("scope").as_str()),
        (None, "user-read-email")
    );
    let me = "/api.spotify.com/v1/me";
    assert_eq!(caller.get(me, &two.text("access_token")).await.text("email"), "ada@example.com");
    flow.with_how(How::Post).await.refused(400, "invalid_client");
    flow.with_wrong_secret().await.refused(400, "invalid_client");
    caller.pass(3600).await;
    let late = caller.get(me, &two.text("access_token")).await;
    assert_eq!(late.json()["error"]["message"], "The access token expired");
    caller.control("revoke", serde_json::json!({ "account": "ada" })).await;
    let dead = flow.refresh(&one.text("refresh_token")).await;
    dead.refused(400, "invalid_grant");
    assert_eq!(dead.text("error_description"), "Refresh token revoked");
    let alone = flow.ask(&[("grant_type", "client_credentials")]).await;
    assert_eq!((alone.status.as_u16(), alone.json().get("refresh_token")), (200, None));
}

#[tokio::test]
async fn linkedin_counts_a_year_from_the_sign_in() {
    let caller = Caller::at("linkedin").await;
    let authorize = "/www.linkedin.com/oauth/v2/authorization";
    let token = "/www.linkedin.com/oauth/v2/accessToken";
    let flow = caller.flow(How::Post, authorize, &[("scope", "openid profile email")], token);
    let one = flow.first().await;
    assert_eq!(one.text("scope"), "openid,profile,email");
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.json()["refresh_token_expires_in"].as_i64()),
        (Some(5_184_000), Some(31_536_000))
    );
    caller.pass(59 * 86_400).await;
    let two = flow.refresh(&one.text("refresh_token")).await;
    assert_eq!(two.text("refresh_token"), one.text("refresh_token"));
    let left = two.json()["refresh_token_expires_in"].as_i64().expect("a number");
    assert!((306 * 86_400 - 60..=306 * 86_400).contains(&left), "{left}");
    let info = "/api.linkedin.com/v2/userinfo";
    assert_eq!(caller.get(info, &two.text("access_token")).await.text("given_name"), "Ada");
    flow.with_how(How::Basic).await.refused(401, "invalid_client");
    flow.with_wrong_secret().await.refused(401, "invalid_client");
    let body = two.text("access_token");
    assert_eq!(
        caller.post("/www.linkedin.com/oauth/v2/revoke", &[("token", &body)]).await.status,
        200
    );
    flow.refresh(&one.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.get(info, &body).await.text("code"), "REVOKED_ACCESS_TOKEN");
    let refused = caller.authorize(authorize, &[("scope", "openid"), ("answer", "deny")]).await;
    assert_eq!(refused.callback()["error"], "user_cancelled_authorize");
}

#[tokio::test]
async fn facebook_exchanges_a_short_token_for_a_long_one() {
    let caller = Caller::at("facebook").await;
    let (authorize, token) =
        ("/www.facebook.com/v23.0/dialog/oauth", "/graph.facebook.com/v23.0/oauth/access_token");
    let code = caller.code(authorize, &[("scope", "public_profile,email")]).await;
    let query =
        [("client_id", ID), ("client_secret", SECRET), ("redirect_uri", BACK), ("code", &code)];
    let short = caller.send(caller.ask("GET", token).query(&query)).await;
    assert_eq!(
        (short.json()["expires_in"].as_i64(), short.json().get("refresh_token")),
        (Some(5400), None)
    );
    let again = caller.send(caller.ask("GET", token).query(&query)).await.json();
    assert_eq!(
        (again["error"]["code"].as_i64(), again["error"]["error_subcode"].as_i64()),
        (Some(100), Some(36_009))
    );
    let access = short.text("access_token");
    let longer = [("grant_type", "fb_exchange_token"), ("fb_exchange_token", access.as_str())];
    let long = caller.post(token, &longer).await;
    assert_eq!(long.json()["expires_in"], 5_183_944);
    caller.pass(5400).await;
    let late = caller.get("/graph.facebook.com/v23.0/me", &access).await.json();
    assert_eq!(
        (late["error"]["code"].as_i64(), late["error"]["error_subcode"].as_i64()),
        (Some(190), Some(463))
    );
    let access = long.text("access_token");
    let me = caller.get("/graph.facebook.com/v23.0/me?fields=id,name,email", &access).await;
    assert_eq!(me.text("email"), "ada@example.com");
    let wrong = caller.post(token, &[("client_secret", "wrong"), ("code", "x")]).await.json();
    assert_eq!(wrong["error"]["message"], "Error validating client secret.");
    let gone =
        caller.ask("DELETE", "/graph.facebook.com/v23.0/me/permissions").bearer_auth(&access);
    assert_eq!(caller.send(gone).await.json()["success"], true);
    let dead = caller
        .post(token, &[("grant_type", "fb_exchange_token"), ("fb_exchange_token", &access)])
        .await;
    assert_eq!(dead.json()["error"]["error_subcode"], 458);
}

#[tokio::test]
async fn clients_that_ask_for_themselves_are_told_other_times() {
    for (name, path, how, life) in [
        ("facebook", "/graph.facebook.com/v23.0/oauth/access_token", How::Post, None),
        ("linkedin", "/www.linkedin.com/oauth/v2/accessToken", How::Post, Some(json!("1800"))),
        ("linear", "/api.linear.app/oauth/token", How::Basic, Some(json!(2_591_999))),
    ] {
        let caller = Caller::at(name).await;
        let flow = caller.flow(how, "", &[], path);
        let alone = flow.ask(&[("grant_type", "client_credentials"), ("scope", "read")]).await;
        assert_eq!(alone.json().get("expires_in"), life.as_ref(), "{name}: {alone:?}");
        assert_eq!(alone.json().get("refresh_token"), None, "{name}");
    }
}
