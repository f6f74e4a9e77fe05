//! `POST /connect/sessions`: what may be asked for, and by whom.

use serde_json::{Value, json};

use crate::support::connect::{CALENDAR, RETURN_URL, Vault};
use crate::support::server::Setup;
use crate::support::{assert_error, client};

#[tokio::test]
async fn bad_input_is_told_apart() {
    let vault = Vault::start().await;
    let base = json!({"integration": "google", "subject": "user-42"});
    for (name, value, error, says) in [
        ("integration", json!("github"), "invalid_request", "No integration here has this name"),
        ("integration", Value::Null, "invalid_request", "The parameter integration is missing."),
        ("subject", Value::Null, "invalid_request", "The parameter subject is missing."),
        ("subject", json!(""), "invalid_request", "1 to 200 printable characters"),
        ("subject", json!(" a"), "invalid_request", "no space at either end"),
        ("subject", json!("a\u{202e}b"), "invalid_request", "printable"),
        ("subject", json!("x".repeat(201)), "invalid_request", "1 to 200"),
        (
            "subject",
            json!(42),
            "invalid_request",
            "The parameter subject is not valid: send a text",
        ),
        ("mode", json!("magic"), "invalid_request", "bound, self_service or link"),
        ("mode", json!("link"), "invalid_request", "integrations.NAME.link"),
        ("return_url", json!("https://evil.example/"), "invalid_request", "vault.return_urls"),
        ("return_url", json!(format!("{RETURN_URL}#x")), "invalid_request", "vault.return_urls"),
        ("return_url", json!(format!("{RETURN_URL}/x")), "invalid_request", "vault.return_urls"),
        ("account_hint", json!(""), "invalid_request", "printable"),
        ("scopes", json!([7]), "invalid_request", "send an array of scopes"),
        ("connection_id", json!("con_x"), "invalid_request", "con_ and a UUID"),
        ("colour", json!("blue"), "invalid_request", "The member colour is not known here"),
    ] {
        let mut body = base.clone();
        body[name] = value.clone();
        let page = vault.ask(&body).await;
        let json = page.json();
        assert!((400..500).contains(&page.status), "{name}={value}: {page:?}");
        assert_eq!(json["error"], error, "{name}={value}: {page:?}");
        let text = json["error_description"].as_str().expect("text");
        assert!(text.contains(says), "{name}={value}: {text}");
    }
    let url = vault.server.url("/connect/sessions");
    for body in ["", "[]", "{", "null", "{\"subject\":\"a\",\"subject\":\"b\"}"] {
        let request = client().post(&url).bearer_auth(&vault.key).body(body);
        let page = vault.server.request(request).await;
        assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
    }
    for (path, kind, body, says) in [
        ("sessions", "x-www-form-urlencoded", "integration=google", "This URL reads JSON"),
        ("complete", "x-www-form-urlencoded", "connect_code=x", "This URL reads JSON"),
        ("sessions", "json", "{\"subject\":\"a\",\"subject\":\"b\"}", "subject appears twice"),
        ("sessions", "json", "{\"subject\":\"a\",}", "trailing comma at line 1"),
        ("complete", "json", "{\"connect_code\":5}", "connect_code is not valid: send a text"),
        ("complete", "json", "{\"subject\":\"user-42\"}", "connect_code is missing"),
    ] {
        let url = vault.server.url(&format!("/connect/{path}"));
        let request = client().post(url).bearer_auth(&vault.key).body(body);
        let request = request.header("content-type", format!("application/{kind}"));
        let page = vault.server.request(request).await;
        assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
        assert!(page.body.contains(says), "{body}: {page:?}");
    }
    assert_eq!(vault.server.sql("SELECT count(*) FROM connect_session"), "0");
}

#[tokio::test]
async fn a_key_makes_links_within_its_reach() {
    let other = |setup: Setup| {
        setup
            .set("integrations.other.provider", "google")
            .set("integrations.other.client_id", "another")
            .set("integrations.other.client_secret", "another-secret")
    };
    let vault = Vault::with(other).await;
    let connected = vault.connect("user-44", "ada@example.com").await;
    let connected = connected["connection_id"].as_str().expect("an id");
    let body = json!({"integration": "google", "subject": "user-42"});
    let url = vault.server.url("/connect/sessions");
    let page = vault.server.request(client().post(&url).json(&body)).await;
    assert_error(&page, 401, "missing_token", &page.json()["message"].to_string().replace('"', ""));
    assert!(page.header("www-authenticate").is_some_and(|own| own.starts_with("Bearer")));
    let wrong = "grk_abcdefgh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let page = vault.ask_with(wrong, &body).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (401, Some("invalid_token")));
    for (options, says) in [
        (&["--action", "token"][..], "connect accounts"),
        (&["--action", "connect", "--integration", "other"], "use this integration"),
        (&["--action", "connect", "--subject", "user-43"], "act for this subject"),
        (
            &["--action", "connect", "--connection", connected],
            "connect other accounts than its own",
        ),
    ] {
        let key = vault.key_with(options);
        let page = vault.ask_with(&key, &body).await;
        assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
        assert!(page.body.contains(says), "{options:?}: {page:?}");
    }
    let narrow = vault.key_with(&["--action", "connect", "--scope", "openid"]);
    let wide =
        json!({"integration": "google", "subject": "user-42", "scopes": ["openid", "email"]});
    let page = vault.ask_with(&narrow, &wide).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
    assert!(page.body.contains("the scope https://www.googleapis.com/auth/userinfo.email"));
    // Left out, it is what the operator has set, as far as the key may have it.
    let page = vault.ask_with(&narrow, &body).await;
    assert_eq!(page.status, 201, "{page:?}");
    assert_eq!(vault.server.sql("SELECT scope FROM connect_session WHERE step = 'open'"), "openid");
    let long = "https://www.googleapis.com/auth/userinfo.email";
    let same = ["--action", "connect", "--scope", "openid", "--scope", long];
    assert_eq!(vault.ask_with(&vault.key_with(&same), &wide).await.status, 201, "the same scope");
    let none = vault.key_with(&["--action", "connect", "--scope", "profile"]);
    let page = vault.ask_with(&none, &body).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
}

#[tokio::test]
async fn what_is_required_has_to_be_within_the_reach_of_a_key() {
    let vault =
        Vault::with(|setup| setup.set("integrations.google.required_scopes", vec![CALENDAR])).await;
    let key = vault.key_with(&["--action", "connect", "--scope", "openid"]);
    for scopes in [Value::Null, json!(["openid"])] {
        let body = json!({"integration": "google", "subject": "user-42", "scopes": scopes});
        let page = vault.ask_with(&key, &body).await;
        assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
        assert!(page.body.contains(CALENDAR), "which one is beyond is said: {page:?}");
    }
}

#[tokio::test]
async fn a_session_is_told_of_to_who_may_make_such() {
    let vault = Vault::start().await;
    let (_, id) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let told = vault.session(&id).await;
    assert_eq!((&told["mode"], &told["subject"]), (&json!("bound"), &json!("user-42")));
    assert!(told.get("connect_url").is_none() && told.get("link").is_none(), "{told}");
    let other = vault.key_with(&["--action", "connect", "--subject", "user-43"]);
    for (key, id) in [
        (&other, id.as_str()),
        (&vault.key, "0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d"),
        (&vault.key, "x"),
        (&vault.key, "%ff"),
    ] {
        let url = vault.server.url(&format!("/connect/sessions/{id}"));
        let page = vault.server.request(client().get(url).bearer_auth(key)).await;
        let error = "connect_session_not_found";
        assert_eq!((page.status, page.json()["error"].as_str()), (404, Some(error)), "{page:?}");
    }
}

#[tokio::test]
async fn the_mode_follows_from_what_is_allowed() {
    let vault = Vault::with(|setup| {
        setup.set("vault.return_urls", Vec::<String>::new()).set("integrations.google.link", true)
    })
    .await;
    let page = vault.ask(&json!({"integration": "google", "subject": "user-42"})).await;
    assert_eq!(page.json()["mode"], "link", "there is nowhere to return to");
    let bound = json!({"integration": "google", "subject": "user-42", "mode": "bound"});
    let page = vault.ask(&bound).await;
    let text = "The parameter return_url is missing.";
    assert_error(&page, 400, "invalid_request", text);
    // Which of two applications should it return to?
    let two = vec![RETURN_URL, "https://other.example/connected"];
    let vault = Vault::with(|setup| setup.set("vault.return_urls", two)).await;
    let page = vault.ask(&json!({"integration": "google", "subject": "user-42"})).await;
    assert_error(&page, 400, "invalid_request", text);
}
