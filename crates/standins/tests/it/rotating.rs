//! The provider with single-use refresh tokens, and each of its quirks.

use serde_json::json;
use standins::rotating::{Again, Config};

use crate::caller::{BACK, CHALLENGE, Caller, Got, ID, SECRET, VERIFIER};

async fn first(caller: &Caller) -> Got {
    let code = caller.code("/authorize", &[("scope", "read write")]).await;
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    caller.basic("/token", &fields).await
}

async fn refresh(caller: &Caller, token: &str) -> Got {
    caller.basic("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

#[tokio::test]
async fn each_refresh_answers_a_new_token_and_the_old_one_ends_the_family() {
    let caller = Caller::rotating(Config::default()).await;
    let one = first(&caller).await;
    assert_eq!(
        (one.json()["expires_in"].as_i64(), one.text("scope").as_str()),
        (Some(3600), "read write")
    );
    let two = refresh(&caller, &one.text("refresh_token")).await;
    assert_ne!(one.text("refresh_token"), two.text("refresh_token"));
    let person = caller.get("/userinfo", &two.text("access_token")).await;
    assert_eq!(person.json()["email"], "ada@example.com");
    refresh(&caller, &one.text("refresh_token")).await.refused(400, "invalid_grant");
    // The one that was stolen from works no longer either.
    refresh(&caller, &two.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.get("/userinfo", &two.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn reuse_may_be_refused_without_further_ado() {
    let config = Config { reuse_ends_family: false, ends_access: true, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let one = first(&caller).await;
    let two = refresh(&caller, &one.text("refresh_token")).await;
    refresh(&caller, &one.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.get("/userinfo", &one.text("access_token")).await.status, 401);
    assert_eq!(caller.get("/userinfo", &two.text("access_token")).await.status, 200);
    assert_eq!(refresh(&caller, &two.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn within_the_grace_the_same_tokens_come_again() {
    let caller = Caller::rotating(Config { grace: 30, ..Config::default() }).await;
    let one = first(&caller).await;
    let two = refresh(&caller, &one.text("refresh_token")).await;
    caller.pass(20).await;
    let again = refresh(&caller, &one.text("refresh_token")).await;
    assert_eq!(again.text("access_token"), two.text("access_token"));
    assert_eq!(again.text("refresh_token"), two.text("refresh_token"));
    let left = again.json()["expires_in"].as_i64().expect("a number");
    assert!((3570..=3580).contains(&left), "{left}");
    caller.pass(10).await;
    refresh(&caller, &one.text("refresh_token")).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn within_the_grace_there_may_be_new_tokens() {
    let config = Config { grace: 30, again: Again::NewTokens, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let one = first(&caller).await;
    let two = refresh(&caller, &one.text("refresh_token")).await;
    let three = refresh(&caller, &one.text("refresh_token")).await;
    assert_ne!(three.text("refresh_token"), two.text("refresh_token"));
    for good in [two, three] {
        assert_eq!(refresh(&caller, &good.text("refresh_token")).await.status, 200);
    }
}

#[tokio::test]
async fn of_32_refreshes_at_once_one_succeeds() {
    let config = Config { reuse_ends_family: false, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let token = first(&caller).await.text("refresh_token");
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (caller, token) = (caller.clone(), token.clone());
            tokio::spawn(async move { refresh(&caller, &token).await.status })
        })
        .collect();
    let mut good = 0;
    for task in tasks {
        good += usize::from(task.await.expect("ends") == 200);
    }
    assert_eq!(good, 1);
    let counts = caller.send(caller.ask("GET", "/_control/counts")).await.json();
    assert_eq!(counts["grant_types"]["refresh_token"]["calls"], 32);
    assert_eq!(counts["grant_types"]["refresh_token"]["answered"]["400"], 31);
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_has_happened() {
    let config = Config { grace: 30, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let one = first(&caller).await;
    let fault = json!({ "endpoint": "token", "grant_type": "refresh_token", "fault": "reset" });
    caller.control("faults", fault).await;
    let token = one.text("refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &token)];
    let lost = caller.ask("POST", "/token").basic_auth(ID, Some(SECRET)).form(&fields).send().await;
    assert!(lost.is_err());
    caller.pass(31).await;
    refresh(&caller, &token).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn answers_may_have_no_lifetime_and_be_nested() {
    let config = Config { no_expires_in: true, nested: true, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let answer = first(&caller).await.json();
    assert_eq!(answer["data"]["token_type"], "Bearer");
    assert_eq!(answer["data"].get("expires_in"), None);
    let access = answer["data"]["access_token"].as_str().expect("a token");
    assert_eq!(caller.get("/userinfo", access).await.status, 200);
    caller.pass(3600).await;
    assert_eq!(caller.get("/userinfo", access).await.status, 401);
    assert_eq!(refresh(&caller, "nonsense").await.json()["data"]["error"], "invalid_grant");
}

#[tokio::test]
async fn answers_may_be_forms_and_errors_look_like_success() {
    let config = Config { form_encoded: true, errors_are_200: true, ..Config::default() };
    let caller = Caller::rotating(config).await;
    let answer = first(&caller).await;
    assert!(answer.content_type.starts_with("application/x-www-form-urlencoded"), "{answer:?}");
    assert_eq!(answer.form()["expires_in"], "3600");
    let refused = refresh(&caller, "nonsense").await;
    assert_eq!((refused.status.as_u16(), refused.form()["error"].as_str()), (200, "invalid_grant"));
}

#[tokio::test]
async fn credentials_may_be_read_from_the_header_only() {
    let fields = [("grant_type", "client_credentials"), ("scope", "read")];
    let strict = Caller::rotating(Config { basic_only: true, ..Config::default() }).await;
    strict.post("/token", &fields).await.refused(401, "invalid_client");
    assert_eq!(strict.basic("/token", &fields).await.status, 200);
    let other = Caller::rotating(Config::default()).await;
    let answer = other.post("/token", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.json().get("refresh_token")), (200, None));
    other.post("/token", &[("client_secret", "wrong")]).await.refused(401, "invalid_client");
}

#[tokio::test]
async fn codes_verifiers_and_redirect_uris_are_checked() {
    let caller = Caller::rotating(Config::default()).await;
    let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let code = caller.code("/authorize", &pkce).await;
    let plain = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    caller.post("/token", &plain).await.refused(400, "invalid_request");
    let wrong = [&plain[..], &[("code_verifier", "wrong")]].concat();
    caller.post("/token", &wrong).await.refused(400, "invalid_grant");
    let elsewhere = [&plain[..2], &[("redirect_uri", "http://localhost:1/")]].concat();
    caller.post("/token", &elsewhere).await.refused(400, "invalid_grant");
    let right = [&plain[..], &[("code_verifier", VERIFIER)]].concat();
    let answer = caller.post("/token", &right).await;
    assert_eq!(answer.status, 200);
    // The same code again takes back what it gave.
    caller.post("/token", &right).await.refused(400, "invalid_grant");
    assert_eq!(caller.get("/userinfo", &answer.text("access_token")).await.status, 401);
}

#[tokio::test]
async fn a_person_may_refuse_or_allow_less_and_take_everything_back() {
    let caller = Caller::rotating(Config::default()).await;
    let refused = caller.authorize("/authorize", &[("answer", "deny")]).await.callback();
    assert_eq!((refused["error"].as_str(), refused.get("code")), ("access_denied", None));
    let less = [("scope", "read write"), ("grant", "read"), ("as", "grace")];
    let code = caller.code("/authorize", &less).await;
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", BACK)];
    let answer = caller.post("/token", &fields).await;
    assert_eq!(answer.text("scope"), "read");
    let more = answer.text("refresh_token");
    let more = [("grant_type", "refresh_token"), ("refresh_token", &more), ("scope", "write")];
    caller.post("/token", &more).await.refused(400, "invalid_scope");
    assert_eq!(caller.control("revoke", json!({ "account": "grace" })).await["ended"], 1);
    refresh(&caller, &answer.text("refresh_token")).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn whoever_has_a_token_may_revoke_it() {
    let caller = Caller::rotating(Config::default()).await;
    let one = first(&caller).await;
    let token = one.text("access_token");
    assert_eq!(
        caller.post("/revoke", &[("client_secret", "x"), ("token", &token)]).await.status,
        401
    );
    assert_eq!(caller.post("/revoke", &[("token", &token)]).await.status, 200);
    refresh(&caller, &one.text("refresh_token")).await.refused(400, "invalid_grant");
    assert_eq!(caller.post("/revoke", &[("token", &token)]).await.status, 200);
}

#[tokio::test]
async fn the_sign_in_page_has_a_form_with_all_that_was_asked() {
    let caller = Caller::rotating(Config::default()).await;
    let page = caller.authorize("/authorize", &[("as", ""), ("scope", "a\"><b>")]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(r#"name="client_id" value="standin-client""#), "{}", page.body);
    assert!(page.body.contains("Grace Hopper") && !page.body.contains("<b>"), "{}", page.body);
    let lost = caller.authorize("/authorize", &[("redirect_uri", "")]).await;
    assert_eq!((lost.status.as_u16(), lost.location), (400, None));
}

#[tokio::test]
async fn tokens_are_issued_and_ended_by_hand() {
    let caller = Caller::rotating(Config::default()).await;
    let wanted = json!({ "account": "grace@example.com", "scopes": ["read"] });
    let issued = caller.control("issue", wanted).await;
    let [access, token] = ["access_token", "refresh_token"].map(|name| issued[name].as_str());
    let (access, token) = (access.expect("a token"), token.expect("a token"));
    assert_eq!(caller.get("/userinfo", access).await.text("email"), "grace@example.com");
    let grants = caller.send(caller.ask("GET", "/_control/grants")).await.json();
    assert_eq!(grants["grants"][0]["account"], "grace");
    assert_eq!(grants["grants"][0]["refresh_tokens"].as_array().map(Vec::len), Some(1));
    caller.control("access_tokens/end", json!({ "account": "ada" })).await;
    assert_eq!(caller.get("/userinfo", access).await.status, 200);
    caller.control("access_tokens/end", json!({})).await;
    assert_eq!(caller.get("/userinfo", access).await.status, 401);
    assert_eq!(refresh(&caller, token).await.status, 200);
    caller.change_client(json!({ "id": "another" })).await;
    refresh(&caller, token).await.refused(401, "invalid_client");
    caller.control("reset", json!({})).await;
    refresh(&caller, token).await.refused(400, "invalid_grant");
}
