//! From the authorization endpoint to tokens: what is asked, shown and granted.

use serde_json::{Value, json};

use super::support::{
    ADA, BACK, CALENDAR, Choice, DRIVE, EMAIL, Google, ID, SECRET, opened, query, read, scopes,
};

#[tokio::test]
async fn the_callback_carries_what_googles_does() {
    let google = Google::start().await;
    let back = google.walk(&[], Choice::default()).await;
    assert_eq!(back["from"], "google", "the redirect URI keeps its own query");
    assert_eq!((back["state"].as_str(), &back["iss"]), ("the state", &google.base));
    // Under both names.
    assert_eq!(back["scope"], format!("email {EMAIL} openid"));
    assert_eq!((back["authuser"].as_str(), back["hd"].as_str()), ("0", "example.com"));
    assert_eq!(back["prompt"], "consent");
    assert!(back["code"].starts_with("4/0A") && back["code"].len() <= 256);
}

#[tokio::test]
async fn tokens_come_with_renamed_scopes_and_an_id_token() {
    let google = Google::start().await;
    let tokens = google.connect(&[("nonce", "n1")]).await;
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(3599), &json!("Bearer")));
    assert_eq!(tokens["scope"], format!("{EMAIL} openid"));
    assert!(tokens["refresh_token"].as_str().is_some_and(|token| token.starts_with("1//0")));
    assert!(tokens["access_token"].as_str().is_some_and(|token| token.starts_with("ya29.")));
    assert_eq!(tokens["refresh_token_expires_in"], Value::Null);

    let (head, claims) = opened(&tokens["id_token"]);
    assert_eq!(head["alg"], "RS256");
    let keys = read(google.get("/oauth2/v3/certs")).await.json();
    let ids: Vec<&Value> =
        keys["keys"].as_array().expect("keys").iter().map(|k| &k["kid"]).collect();
    assert!(ids.len() == 2 && ids.contains(&&head["kid"]), "{keys}");
    assert_eq!(claims["iss"], google.base);
    assert_eq!((&claims["aud"], &claims["azp"]), (&json!(ID), &json!(ID)));
    assert_eq!((&claims["email"], &claims["hd"]), (&json!(ADA), &json!("example.com")));
    assert_eq!((&claims["nonce"], &claims["name"]), (&json!("n1"), &Value::Null));
    assert!(claims["at_hash"].is_string());

    let me = google.call("/v1/userinfo", &tokens["access_token"]).await.json();
    assert_eq!((&me["sub"], &me["email"]), (&claims["sub"], &json!(ADA)));
}

#[tokio::test]
async fn who_asks_for_the_address_gets_openid_too() {
    let google = Google::start().await;
    let tokens = google.connect(&[("scope", EMAIL)]).await;
    assert_eq!(scopes(&tokens), [EMAIL, "openid"]);
    assert!(tokens["id_token"].is_string());
}

#[tokio::test]
async fn a_refresh_token_needs_offline_access_and_a_shown_consent() {
    let google = Google::start().await;
    let online = google.connect(&[("access_type", "")]).await;
    assert_eq!(online["refresh_token"], Value::Null, "online");
    // Allowed before, so nothing is shown.
    let back = google.walk(&[], Choice::default()).await;
    assert_eq!(back["prompt"], "none");
    let again = google.redeem(&back["code"]).await.json();
    assert_eq!(again["refresh_token"], Value::Null, "no consent shown");
    let forced = google.connect(&[("prompt", "consent")]).await;
    assert!(forced["refresh_token"].is_string(), "consent shown");
    let first = google.connect(&[("scope", CALENDAR)]).await;
    assert!(first["refresh_token"].is_string(), "a new scope, so consent was shown");
}

#[tokio::test]
async fn unticked_scopes_are_not_granted() {
    let google = Google::start().await;
    let scope = format!("openid {CALENDAR} {DRIVE}");
    let choice = Choice { without: &[DRIVE], ..Choice::default() };
    let back = google.walk(&[("scope", &scope)], choice).await;
    let tokens = google.redeem(&back["code"]).await.json();
    assert_eq!(scopes(&tokens), [CALENDAR, "openid"]);
    assert_eq!(google.call("/drive/v3/about", &tokens["access_token"]).await.status, 403);
    let list = google.call("/calendar/v3/users/me/calendarList", &tokens["access_token"]).await;
    assert_eq!((list.status.as_u16(), &list.json()["items"][0]["id"]), (200, &json!(ADA)));
}

#[tokio::test]
async fn cancelling_or_ticking_nothing_is_access_denied() {
    let google = Google::start().await;
    for choice in [
        Choice { decision: "deny", ..Choice::default() },
        Choice { without: &[CALENDAR], ..Choice::default() },
    ] {
        let back = google.walk(&[("scope", CALENDAR)], choice).await;
        assert_eq!((back["error"].as_str(), &back["iss"]), ("access_denied", &google.base));
        assert_eq!(back["state"], "the state");
        assert!(!back.contains_key("code"));
    }
}

#[tokio::test]
async fn granted_scopes_are_included_when_asked_for() {
    let google = Google::start().await;
    google.connect(&[("scope", CALENDAR)]).await;
    let alone = google.connect(&[("scope", DRIVE)]).await;
    assert_eq!(scopes(&alone), [DRIVE]);
    // A superset, also when nothing new is shown.
    for prompt in ["consent", ""] {
        let more = [("scope", DRIVE), ("include_granted_scopes", "true"), ("prompt", prompt)];
        assert_eq!(scopes(&google.connect(&more).await), [CALENDAR, DRIVE], "{prompt}");
    }
}

#[tokio::test]
async fn prompt_none_shows_nothing() {
    let google = Google::start().await;
    let error = async |more: &[(&str, &str)]| {
        let mut asked = more.to_vec();
        asked.push(("prompt", "none"));
        let to = google.ask(&asked).await.location();
        query(&to).remove("error").unwrap_or_default()
    };
    assert_eq!(error(&[]).await, "login_required");
    google.connect(&[]).await;
    assert_eq!(error(&[]).await, "", "a code");
    assert_eq!(error(&[("scope", CALENDAR)]).await, "consent_required");
    assert_eq!(error(&[("login_hint", "grace@example.org")]).await, "login_required");
    // A second account in the same browser.
    let grace = Choice { account: "grace@example.org", ..Choice::default() };
    let back = google.walk(&[("prompt", "select_account")], grace).await;
    assert_eq!(back["authuser"], "1");
    assert!(!back.contains_key("hd"), "Grace is of no organisation");
    assert_eq!(error(&[]).await, "interaction_required");
    assert_eq!(error(&[("login_hint", ADA)]).await, "");
}

#[tokio::test]
async fn the_account_is_asked_for_when_it_is_not_clear() {
    let google = Google::start().await;
    google.connect(&[]).await;
    let to = google.ask(&[]).await.location();
    assert!(to.starts_with(BACK), "signed in and allowed: straight back, {to}");
    for more in
        [("prompt", "select_account"), ("login_hint", "alan@example.com"), ("hd", "else.example")]
    {
        let to = google.ask(&[more]).await.location();
        assert!(to.starts_with("/v3/signin/accountchooser?"), "{more:?}: {to}");
    }
    // Whoever is hinted at, another account may be chosen.
    let grace = Choice { account: "grace@example.org", ..Choice::default() };
    let back = google.walk(&[("login_hint", "alan@example.com")], grace).await;
    let tokens = google.redeem(&back["code"]).await.json();
    assert_eq!(opened(&tokens["id_token"]).1["email"], "grace@example.org");
}

#[tokio::test]
async fn the_list_of_accounts_knows_hint_and_organisation() {
    let google = Google::start().await;
    let list = async |more: &[(&str, &str)]| {
        let to = google.ask(more).await.location();
        google.browse(google.get(&to)).await.text
    };
    let at = |page: &str, email: &str| page.find(email);
    let page = list(&[("login_hint", "grace@example.org")]).await;
    assert!(at(&page, "grace@example.org") < at(&page, ADA), "the hinted one is first");
    for hd in ["example.com", "*"] {
        let page = list(&[("hd", hd)]).await;
        assert!(page.contains(ADA) && !page.contains("grace@example.org"), "{hd}");
    }
}

#[tokio::test]
async fn clients_authenticate_in_the_body_or_by_basic() {
    let google = Google::start().await;
    let tokens = google.issue(&[CALENDAR]).await;
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    // RFC 6749 §2.3.1: encoded before Basic encodes it again.
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = read(google.post("/token").basic_auth(ID, Some(encoded)).form(&form)).await;
    assert_eq!(basic.status, 200, "{basic:?}");
    assert_eq!(google.token(&form).await.status, 200, "in the body");
}

#[tokio::test]
async fn a_desktop_application_listens_on_any_port() {
    let mut client = standins::google::Client::new(ID, SECRET, BACK);
    client.desktop = true;
    let google = Google::with(vec![client]).await;
    for good in
        ["http://localhost:4711/", "http://127.0.0.1:1/x?y", "http://[::1]:9", "http://localhost"]
    {
        assert_eq!(google.ask(&[("redirect_uri", good)]).await.status, 303, "{good}");
    }
    for bad in ["http://localhost.example/", "https://localhost:1/", "http://localhost:1.example"] {
        assert_eq!(google.ask(&[("redirect_uri", bad)]).await.status, 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_is_redeemed_once_however_many_try() {
    let google = std::sync::Arc::new(Google::start().await);
    let code = google.walk(&[], Choice::default()).await.remove("code").expect("a code");
    let tries = (0..32).map(|_| {
        let (google, code) = (google.clone(), code.clone());
        tokio::spawn(async move { google.redeem(&code).await.status.as_u16() })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.expect("no panic") {
            200 => won += 1,
            status => assert_eq!(status, 400),
        }
    }
    assert_eq!(won, 1);
}
