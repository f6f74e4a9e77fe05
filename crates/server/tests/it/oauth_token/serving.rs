//! A token as it is stored, or another one.

use serde_json::{Value, json};

use crate::support::client;
use crate::support::vault::{CALENDAR, DRIVE, EMAIL, Vault, assert_refused, hash, now, shown};

#[tokio::test]
async fn a_valid_token_is_answered_as_it_is_and_written_down() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    let page = vault.token(Value::Null).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("content-type"), Some("application/json"));
    let answer = page.json();
    let members: Vec<&str> =
        answer.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "access_token",
            "token_type",
            "expires_in",
            "expires_at",
            "scope",
            "connection_id",
            "provider",
            "account",
            "refreshed"
        ]
    );
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["connection_id"], shown(id));
    assert_eq!(answer["provider"], "google");
    assert_eq!(answer["account"], json!({"sub": "sub-ada", "email": "sub-ada@example.com"}));
    assert_eq!(answer["refreshed"], false);
    let left = answer["expires_in"].as_i64().expect("seconds");
    assert!((3_580..=3_600).contains(&left), "{left}");
    assert!(answer["scope"].as_str().expect("text").contains(CALENDAR));
    assert_eq!(vault.refreshes().await, 0);

    // The token opens the provider's API.
    let api = format!("{}/calendar/v3/users/me/calendarList", vault.base);
    let token = answer["access_token"].as_str().expect("a token");
    let opened = client().get(api).bearer_auth(token).send().await.expect("answered");
    assert_eq!(opened.status(), 200);

    let entry = vault
        .server
        .sql("SELECT actor, target, details FROM audit_event WHERE action = 'token.read'");
    let [actor, target, details] = entry.split('|').collect::<Vec<_>>()[..] else {
        panic!("not one entry: {entry}");
    };
    assert_eq!((actor.split(':').next(), target), (Some("api_key"), shown(id).as_str()));
    let details: Value = serde_json::from_str(details).expect("JSON");
    assert_eq!(details["token"], hash(&answer["access_token"])[..8]);
    assert_eq!((&details["refreshed"], &details["address"]), (&json!(false), &json!("127.0.0.1")));
    assert!(details["scope"].as_str().expect("text").contains(CALENDAR));
    assert!(details["request_id"].is_string());
    let results =
        vault.metric("vault_token_requests_total{integration=\"google\",result=\"stored\"}");
    assert_eq!(results.await, 1);
}

#[tokio::test]
async fn every_request_for_a_token_is_counted() {
    let vault = Vault::google(|setup| setup.set("limits.failed_client_auth", 1)).await;
    let count = async |integration: &str, result: &str| {
        let labels = format!("{{integration=\"{integration}\",result=\"{result}\"}}");
        vault.metric(&format!("vault_token_requests_total{labels}")).await
    };
    // The key has one integration, so that it is known which one is meant.
    vault.token(Value::Null).await;
    assert_eq!(count("google", "connection_not_found").await, 1);
    vault.token(json!({"subject": null})).await;
    assert_eq!(count("google", "invalid_request").await, 1);
    // A key that does not work has none.
    for result in ["invalid_token", "too_many_requests"] {
        vault.ask(&vault.server.probe(), "/oauth/token", "grk_x", Value::Null).await;
        assert_eq!(count("other", result).await, 1, "{result}");
    }
    vault.server.request(client().post(vault.server.url("/oauth/token"))).await;
    assert_eq!(count("other", "missing_token").await, 1);
    vault.connect("user-42").await;
    assert_eq!(vault.refresh(Value::Null).await.json()["refreshed"], true);
    assert_eq!(count("google", "refreshed").await, 1);
    assert_eq!(vault.metric("refresh_seconds_count").await, 1, "and how long it took");
}

#[tokio::test]
async fn an_old_token_is_answered_at_once_and_replaced_beside() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    vault.age(id, 250);
    vault.fault(json!("hold")).await;
    let old = vault.token(json!({"subject": "user-42"})).await.json();
    assert_eq!((old["refreshed"].clone(), old.get("warning")), (json!(false), None), "{old}");
    vault.control("POST", "wait", json!({"held": 1})).await;
    assert_eq!(vault.token(Value::Null).await.json()["access_token"], old["access_token"]);
    vault.control("POST", "release", json!({})).await;
    vault
        .until("it is not replaced", async || {
            vault.token(Value::Null).await.json()["access_token"] != old["access_token"]
        })
        .await;
    assert_eq!(vault.refreshes().await, 1);
    assert_eq!(vault.column(id, "version, rotates, trouble IS NULL"), "2|0|1");
}

#[tokio::test]
async fn an_expired_token_is_waited_for() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    vault.age(id, -5);
    let answer = vault.token(Value::Null).await.json();
    assert_eq!(answer["refreshed"], true, "{answer}");
    let left = answer["expires_in"].as_i64().expect("seconds");
    assert!((3_570..=3_599).contains(&left), "counted from the start of the request: {left}");
    let again = vault.token(Value::Null).await.json();
    assert_eq!(
        (&again["access_token"], &again["refreshed"]),
        (&answer["access_token"], &json!(false))
    );
    let refreshed = vault.metric("refresh_total{integration=\"google\",outcome=\"renewed\"}").await;
    assert_eq!((refreshed, vault.refreshes().await), (1, 1));
}

#[tokio::test]
async fn a_caller_may_want_a_token_that_lives_long_enough() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    vault.age(id, 1_000);
    assert_eq!(vault.token(json!({"min_ttl": 900})).await.json()["refreshed"], false);
    assert_eq!(vault.token(json!({"min_ttl": 1_100})).await.json()["refreshed"], true);
    // More than any token has: one that has just come is enough.
    let most = vault.token(json!({"min_ttl": 86_400})).await.json();
    assert_eq!((most["refreshed"].clone(), vault.refreshes().await), (json!(false), 1));
}

#[tokio::test]
async fn a_refresh_is_forced_once_for_all_who_were_refused() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-42").await;
    let first = vault.token(Value::Null).await.json();
    let forced = vault.refresh(Value::Null).await.json();
    assert_eq!(forced["refreshed"], true, "{forced}");
    assert_ne!(forced["access_token"], first["access_token"]);
    // Who was refused with the first one gets the second without another call.
    let rejected = json!({"rejected_token_sha256": hash(&first["access_token"])});
    let same = vault.refresh(rejected).await.json();
    assert_eq!(
        (&same["access_token"], &same["refreshed"]),
        (&forced["access_token"], &json!(false))
    );
    assert_eq!(vault.refreshes().await, 1);
    let rejected = json!({"rejected_token_sha256": hash(&forced["access_token"])});
    let third = vault.refresh(rejected).await.json();
    assert_eq!((&third["refreshed"], vault.refreshes().await), (&json!(true), 2));
}

#[tokio::test]
async fn a_refresh_is_not_forced_without_an_end() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    let other = vault.connect_as("user-43", "grace", |_| ()).await;
    let of = |own| json!({"connection_id": shown(own)});
    for calls in 1..=10 {
        let answer = vault.refresh(of(id)).await.json();
        assert_eq!((&answer["refreshed"], vault.refreshes().await), (&json!(true), calls));
    }
    // The token is good, and all who want one get it.
    let enough = vault.refresh(of(id)).await.json();
    assert_eq!(enough["refreshed"], false, "{enough}");
    assert_eq!(enough["warning"], json!({"code": "refresh_delayed", "reason": "forced_often"}));
    let mut rejected = of(id);
    rejected["rejected_token_sha256"] = hash(&enough["access_token"]).into();
    let refused = vault.refresh(rejected).await;
    assert_refused(&refused, 503, "temporarily_unavailable");
    assert_eq!(refused.json()["reason"], "forced_often", "{refused:?}");
    let wait = refused.json()["retry_after"].as_u64().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(vault.refreshes().await, 10);
    // One that is over is no matter of force, and another connection has its own measure.
    vault.age(id, -5);
    assert_eq!(vault.refresh(of(id)).await.json()["refreshed"], true);
    assert_eq!(vault.refresh(of(other)).await.json()["refreshed"], true);
}

#[tokio::test]
async fn a_rejected_token_is_not_answered_again() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-42").await;
    let first = vault.token(Value::Null).await.json();
    vault.fault_for(json!("until_cleared"), json!({"html": 503})).await;
    let rejected = json!({"rejected_token_sha256": hash(&first["access_token"])});
    let away = vault.refresh(rejected).await;
    assert_refused(&away, 503, "temporarily_unavailable");
    // Somebody who only wants another one gets the valid one, and is told.
    let warned = vault.refresh(Value::Null).await.json();
    assert_eq!(warned["access_token"], first["access_token"]);
    assert_eq!(warned["warning"]["code"], "refresh_failing", "{warned}");
}

#[tokio::test]
async fn a_rejected_token_that_cannot_be_refreshed_needs_the_person() {
    let vault = Vault::google(|setup| setup).await;
    let own = |held: &mut grantor_core::store::Held| {
        held.connection.refreshable = false;
        held.connection.expires_at = None;
    };
    let id = vault.connect_as("user-42", "ada", own).await;
    let first = vault.token(Value::Null).await.json();
    let rejected = json!({"rejected_token_sha256": hash(&first["access_token"])});
    let refused = vault.refresh(rejected).await;
    assert_refused(&refused, 409, "reauth_required");
    assert_eq!(refused.json()["reason"], "no_refresh_token");
    assert!(refused.json()["connect_url"].is_string(), "{refused:?}");
    // It is what one caller says, and no more.
    assert_eq!(vault.column(id, "status"), "active");
    let again = vault.token(Value::Null).await.json();
    assert_eq!(again["access_token"], first["access_token"]);
    assert_eq!(vault.refresh(Value::Null).await.json()["access_token"], first["access_token"]);
}

#[tokio::test]
async fn an_answer_updates_what_is_granted() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    vault.age(id, -5);
    // Fewer, reordered, and by their short names.
    let scope = format!("email {CALENDAR} openid");
    vault.fault(json!({"change": {"scope": scope}})).await;
    let answer = vault.token(Value::Null).await.json();
    let granted = answer["scope"].as_str().expect("text");
    assert!(granted.contains(EMAIL) && granted.contains(CALENDAR) && !granted.contains(DRIVE));
    assert_eq!(vault.column(id, "scope"), granted);
    // An answer that says nothing of them changes nothing.
    vault.age(id, -5);
    vault.fault(json!({"change": {"scope": null}})).await;
    assert_eq!(vault.token(Value::Null).await.json()["scope"], granted);
}

#[tokio::test]
async fn expiry_is_read_however_it_is_written() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-42").await;
    for (written, least, most) in [
        (json!("1800"), 1_780, 1_800),
        (json!(900.7), 880, 900),
        // The description says an hour where the provider says nothing of use.
        (Value::Null, 3_580, 3_600),
        (json!("soon"), 3_580, 3_600),
    ] {
        vault.age(id, -5);
        vault.fault(json!({"change": {"expires_in": written}})).await;
        let answer = vault.token(Value::Null).await.json();
        let left = answer["expires_in"].as_i64().expect("seconds");
        assert!((least..=most).contains(&left), "{written}: {left}");
    }
    // A token that is over when it comes is no token to serve, but it is kept.
    for written in [json!(0), json!(-100)] {
        vault.age(id, -5);
        vault.fault(json!({"change": {"expires_in": written}})).await;
        let page = vault.token(Value::Null).await;
        assert!(page.status == 503 || page.json()["refreshed"] == true, "{written}: {page:?}");
        let end: i64 = vault.column(id, "expires_at").parse().expect("a number");
        assert!(end <= now().epoch() + 3_600, "{written}: {end}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_followed() {
    let config = standins::rotating::Config::default();
    let vault = Vault::rotating(config, "", |setup| setup).await;
    let id = vault.connect("user-42").await;
    for version in 2..5 {
        vault.age(id, -5);
        assert_eq!(vault.token(Value::Null).await.json()["refreshed"], true);
        assert_eq!(vault.column(id, "version, rotates, status"), format!("{version}|1|active"));
    }
    assert_eq!(vault.metric("rotated_total").await, 3);
    // The one before is kept sealed for one version.
    let kept = vault.server.sql("SELECT previous_refresh_token IS NOT NULL FROM credential");
    assert_eq!(kept, "1");
}
