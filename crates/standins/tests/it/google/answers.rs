//! What good answers look like, and how they vary.

use serde_json::{Value, json};

use super::support::{CALENDAR, Choice, DRIVE, Google, opened, read, scopes};

#[tokio::test]
async fn a_refreshed_answer_has_no_refresh_token_and_no_nonce() {
    let google = Google::start().await;
    let scope = format!("openid profile {CALENDAR}");
    let first = google.connect(&[("scope", &scope), ("nonce", "n1")]).await;
    let again = google.refresh(&first["refresh_token"]).await.json();
    assert_eq!(again["refresh_token"], Value::Null);
    assert_ne!(again["access_token"], first["access_token"]);
    assert_ne!(again["scope"], first["scope"], "another order");
    assert_eq!(scopes(&again), scopes(&first), "the same scopes");
    let (_, claims) = opened(&again["id_token"]);
    assert_eq!((&claims["nonce"], &claims["name"]), (&Value::Null, &json!("Ada Lovelace")));
    assert_eq!(claims["sub"], opened(&first["id_token"]).1["sub"]);
    // Google does not rotate: the old one goes on, and so does the old access token.
    assert_eq!(google.refresh(&first["refresh_token"]).await.status, 200);
    let list = google.call("/calendar/v3/users/me/calendarList", &first["access_token"]).await;
    assert_eq!(list.status, 200);
}

#[tokio::test]
async fn when_calendars_are_busy_is_read_by_post() {
    let google = Google::start().await;
    let tokens = google.issue(&["openid", CALENDAR]).await;
    let ask = |token: &Value, body: Value| {
        let request = google.post("/calendar/v3/freeBusy").json(&body);
        read(request.bearer_auth(token.as_str().expect("a token")))
    };
    let (from, to) = ("2026-11-21T08:00:00Z", "2026-11-21T18:00:00Z");
    let body = json!({"timeMin": from, "timeMax": to, "items": [{"id": "primary"}]});
    let free = ask(&tokens["access_token"], body.clone()).await;
    assert_eq!(free.status, 200, "{free:?}");
    assert_eq!(free.json()["calendars"], json!({"primary": {"busy": []}}));
    assert_eq!((&free.json()["timeMin"], &free.json()["timeMax"]), (&json!(from), &json!(to)));
    let endless = ask(&tokens["access_token"], json!({"timeMin": from})).await;
    assert_eq!(endless.status, 400, "{endless:?}");
    assert_eq!(endless.json()["error"]["message"], "Missing timeMax parameter.");
    let other = google.issue(&["openid", DRIVE]).await;
    assert_eq!(ask(&other["access_token"], body).await.status, 403);
}

#[tokio::test]
async fn a_refresh_gives_no_scope_that_was_not_granted() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR, "openid"]).await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    let with = async |scope: &str| {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", scope)];
        google.token(&form).await
    };
    let fewer = with(CALENDAR).await.json();
    assert_eq!((scopes(&fewer), &fewer["id_token"]), (vec![CALENDAR.to_owned()], &Value::Null));
    let more = with(&format!("{CALENDAR} {DRIVE}")).await.json();
    assert_eq!(scopes(&more), [CALENDAR], "what was not granted is left out");
    for nothing in [DRIVE, "offline_access"] {
        assert_eq!(with(nothing).await.refusal().1, "invalid_scope");
    }
}

#[tokio::test]
async fn the_issuer_may_come_without_its_scheme() {
    let google = Google::start().await;
    google.behave(json!({"issuer_without_scheme": true})).await;
    let tokens = google.issue(&["openid"]).await;
    let host = google.base.strip_prefix("http://").expect("plain http");
    assert_eq!(opened(&tokens["id_token"]).1["iss"], host);
}

#[tokio::test]
async fn tokens_and_codes_can_be_as_long_as_they_get() {
    let google = Google::start().await;
    google.behave(json!({"largest_tokens": true})).await;
    let back = google.walk(&[], Choice::default()).await;
    let tokens = google.redeem(&back["code"]).await.json();
    let length = |text: &Value| text.as_str().map(str::len);
    assert_eq!(back["code"].len(), 256);
    assert_eq!(length(&tokens["access_token"]), Some(2048));
    assert_eq!(length(&tokens["refresh_token"]), Some(512));
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn the_metadata_names_every_endpoint() {
    let google = Google::start().await;
    let path = "/.well-known/openid-configuration";
    let metadata = read(google.get(path)).await.json();
    assert_eq!(metadata["issuer"], google.base);
    for (name, path) in [
        ("authorization_endpoint", "/o/oauth2/v2/auth"),
        ("token_endpoint", "/token"),
        ("revocation_endpoint", "/revoke"),
        ("userinfo_endpoint", "/v1/userinfo"),
        ("jwks_uri", "/oauth2/v3/certs"),
    ] {
        assert_eq!(metadata[name], format!("{}{path}", google.base));
    }
    let declared = "authorization_response_iss_parameter_supported";
    assert_eq!(metadata[declared], Value::Null);
    google.behave(json!({"declares_iss": true})).await;
    assert_eq!(read(google.get(path)).await.json()[declared], true);
}

#[tokio::test]
async fn a_token_tells_only_what_was_granted() {
    let google = Google::start().await;
    let tokens = google.issue(&["openid"]).await;
    let me = google.call("/v1/userinfo", &tokens["access_token"]).await.json();
    assert_eq!((&me["email"], &me["name"]), (&Value::Null, &Value::Null));
    let tokens = google.issue(&["openid", "profile"]).await;
    let me = google.call("/v1/userinfo", &tokens["access_token"]).await.json();
    assert_eq!((&me["given_name"], &me["family_name"]), (&json!("Ada"), &json!("Lovelace")));
    let tokens = google.issue(&[CALENDAR]).await;
    assert_eq!(tokens["id_token"], Value::Null);
    assert_eq!(google.call("/v1/userinfo", &tokens["access_token"]).await.status, 403);
}
