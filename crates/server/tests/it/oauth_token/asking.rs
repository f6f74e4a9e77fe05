//! Who may have which token, and what is refused.

use grantor_core::model::Scope;
use serde_json::{Value, json};

use crate::support::vault::{CALENDAR, DRIVE, Vault, assert_refused, shown};
use crate::support::{Page, client};

/// The link in an answer leads to a page that connects.
async fn leads_to_connecting(vault: &Vault, page: &Page) {
    let json = page.json();
    let link = json["connect_url"].as_str().unwrap_or_else(|| panic!("no link: {json}"));
    let path = link.strip_prefix(&vault.server.issuer).expect("here");
    assert!(path.starts_with("/connect/grt_cl_"), "{link}");
    let opened = vault.server.browser().get(path).await;
    assert!(opened.status < 400, "{opened:?}");
}

#[tokio::test]
async fn a_connection_is_named_in_several_ways() {
    let vault = Vault::google(|setup| setup).await;
    let (ada, grace) =
        (vault.connect("user-1").await, vault.connect_as("user-2", "grace", |_| ()).await);
    let uuid = ada.to_string();
    for (body, wanted) in [
        (json!({"connection_id": shown(ada)}), ada),
        (json!({"connection_id": uuid}), ada),
        (json!({"subject": "user-2"}), grace),
        (json!({"provider": "google", "subject": "user-1"}), ada),
        (json!({"integration": "google", "subject": "user-1", "scopes": null}), ada),
        (json!({"account": "sub-grace"}), grace),
        (json!({"account": "SUB-grace@example.com", "subject": "user-2"}), grace),
        (json!({"subject": "user-1", "scopes": [CALENDAR, DRIVE, "email"]}), ada),
        (json!({"subject": "user-1", "scopes": format!("openid {DRIVE}")}), ada),
    ] {
        let page = vault.token(body.clone()).await;
        assert_eq!(page.status, 200, "{body}: {page:?}");
        assert_eq!(page.json()["connection_id"], shown(wanted), "{body}");
    }
    let url = vault.server.url("/oauth/token");
    let form = [("subject", "user-2"), ("scopes", CALENDAR), ("min_ttl", "5")];
    let page = vault.server.request(client().post(url).bearer_auth(&vault.key).form(&form)).await;
    vault.note(&page);
    assert_eq!(page.json()["connection_id"], shown(grace), "{page:?}");
}

#[tokio::test]
async fn more_than_one_that_fits_is_a_choice() {
    let vault = Vault::google(|setup| setup).await;
    let (ada, grace) =
        (vault.connect("user-1").await, vault.connect_as("user-1", "grace", |_| ()).await);
    for body in [Value::Null, json!({"subject": "user-1"}), json!({"provider": "google"})] {
        let page = vault.token(body).await;
        assert_refused(&page, 409, "ambiguous_connection");
        let accounts = page.json()["accounts"].clone();
        let mut ids: Vec<_> = accounts
            .as_array()
            .expect("a list")
            .iter()
            .map(|own| own["connection_id"].clone())
            .collect();
        ids.sort_by_key(ToString::to_string);
        let mut wanted = [json!(shown(ada)), json!(shown(grace))];
        wanted.sort_by_key(ToString::to_string);
        assert_eq!(ids, wanted);
        assert_eq!(accounts[0]["account"]["sub"].as_str().map(|own| &own[..4]), Some("sub-"));
    }
    // A key for one connection needs to say nothing.
    let key = vault.key_with(&["--any-integration", "--connection", &shown(grace)]);
    let page = vault.ask(&vault.server.probe(), "/oauth/token", &key, Value::Null).await;
    assert_eq!(page.json()["connection_id"], shown(grace), "{page:?}");
}

#[tokio::test]
async fn nobody_has_connected_an_account_yet() {
    let vault = Vault::google(|setup| setup).await;
    let page = vault.token(json!({"provider": "google", "subject": "user-9"})).await;
    assert_refused(&page, 404, "connection_not_found");
    leads_to_connecting(&vault, &page).await;
    assert!(page.body.contains("Send the person to connect_url."), "{page:?}");
    let again = vault.token(json!({"provider": "google", "subject": "user-9"})).await;
    assert_eq!(again.json()["connect_url"], page.json()["connect_url"], "one session is enough");
    // Without a subject nobody can be sent anywhere.
    let page = vault.token(Value::Null).await;
    assert_refused(&page, 404, "connection_not_found");
    assert_eq!(page.json().get("connect_url"), None);
    assert!(page.body.contains("Name integration and subject"), "{page:?}");
    // A key that may not connect makes no links, and is not told of one that is not there.
    let key = vault.key_with(&["--integration", "google", "--action", "token"]);
    let body = json!({"provider": "google", "subject": "user-9"});
    let page = vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await;
    assert_refused(&page, 404, "connection_not_found");
    assert_eq!(page.json().get("connect_url"), None);
    assert!(!page.body.contains("connect_url"), "{page:?}");
    assert!(page.body.contains("key has the action connect"), "{page:?}");
    // Nor when there is one that has to be repaired.
    vault.connect("user-1").await;
    let ask = async |body| vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await;
    let page = ask(json!({"subject": "user-1", "scopes": ["more"]})).await;
    assert_refused(&page, 403, "insufficient_scope");
    assert!(!page.body.contains("connect_url"), "{page:?}");
    vault.fault(json!({"error": {"status": 400, "error": "invalid_grant"}})).await;
    let page = ask(json!({"subject": "user-1"})).await;
    assert_eq!(page.status, 200, "{page:?}");
    let force = "/oauth/refresh";
    let page = vault.ask(&vault.server.probe(), force, &key, json!({"subject": "user-1"})).await;
    assert_refused(&page, 409, "reauth_required");
    assert!(!page.body.contains("connect_url"), "{page:?}");
}

#[tokio::test]
async fn missing_scopes_are_named_with_a_link_that_asks_for_them() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-1").await;
    let gmail = "https://www.googleapis.com/auth/gmail.readonly";
    let page = vault.token(json!({"subject": "user-1", "scopes": [gmail, CALENDAR]})).await;
    assert_refused(&page, 403, "insufficient_scope");
    assert_eq!(page.json()["missing_scopes"], json!([gmail]));
    leads_to_connecting(&vault, &page).await;
    let asked = vault.server.sql("SELECT scope FROM connect_session");
    assert!([gmail, CALENDAR, DRIVE].iter().all(|scope| asked.contains(scope)), "{asked}");
}

#[tokio::test]
async fn a_key_gets_no_token_with_scopes_beyond_its_own() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-1").await;
    let ask = async |scopes: &[&str], body| {
        let options: Vec<_> = ["--integration", "google"]
            .into_iter()
            .chain(scopes.iter().flat_map(|own| ["--scope", own]))
            .collect();
        let key = vault.key_with(&options);
        vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await
    };
    // The token has the scope for drive, and no less of it can be given.
    let page = ask(&["openid", "email", CALENDAR], Value::Null).await;
    assert_refused(&page, 403, "access_denied");
    assert!(page.body.contains(DRIVE), "{page:?}");
    let page = ask(&["openid", "email", CALENDAR, DRIVE], Value::Null).await;
    assert_eq!(page.status, 200, "{page:?}");
    let page = ask(&["openid", "email", CALENDAR, DRIVE], json!({"scopes": ["openid", "x"]})).await;
    assert_refused(&page, 403, "access_denied");
}

#[tokio::test]
async fn a_key_with_a_limit_gets_links_for_what_it_may_have() {
    let vault = Vault::google(|setup| {
        setup.set("integrations.google.scopes", vec!["openid", "email", CALENDAR, DRIVE])
    })
    .await;
    let id = vault.connect("user-1").await;
    let session = || {
        let last = "SELECT scope FROM connect_session ORDER BY id DESC LIMIT 1";
        vault.server.sql(last)
    };
    // The connection has `email` by its long name, the limit by its short one.
    let wide = ["openid", "email", CALENDAR, DRIVE].map(|own| ["--scope", own]).concat();
    let wide = vault.key_with(&[&["--integration", "google"], &wide[..]].concat());
    vault.age(id, -5);
    vault.fault(json!({"error": {"status": 400, "error": "invalid_grant"}})).await;
    let page = vault.ask(&vault.server.probe(), "/oauth/token", &wide, Value::Null).await;
    assert_refused(&page, 409, "reauth_required");
    leads_to_connecting(&vault, &page).await;
    assert!(session().contains(DRIVE), "{}", session());
    // Nobody is asked for what the key may not have.
    let narrow = ["openid", CALENDAR].map(|own| ["--scope", own]).concat();
    let narrow = vault.key_with(&[&["--integration", "google"], &narrow[..]].concat());
    for scopes in [Value::Null, json!([CALENDAR])] {
        let body = json!({"provider": "google", "subject": "user-9", "scopes": scopes});
        let page = vault.ask(&vault.server.probe(), "/oauth/token", &narrow, body).await;
        assert_refused(&page, 404, "connection_not_found");
        leads_to_connecting(&vault, &page).await;
        let asked = session();
        assert!(asked.contains("openid") && asked.contains(CALENDAR), "{asked}");
        assert!(!asked.contains(DRIVE) && !asked.contains("email"), "{asked}");
    }
    // What the person was asked for once, and what the key may have, are two things.
    vault
        .connect_as("user-2", "grace", |held| {
            held.connection.scope = Scope::parse(&format!("openid {CALENDAR}")).expect("scopes");
        })
        .await;
    let tasks = "https://www.googleapis.com/auth/tasks.readonly";
    let scopes = ["openid", CALENDAR, tasks].map(|own| ["--scope", own]).concat();
    let key = vault.key_with(&[&["--integration", "google"], &scopes[..]].concat());
    let body = json!({"subject": "user-2", "scopes": [tasks]});
    let page = vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await;
    assert_refused(&page, 403, "insufficient_scope");
    leads_to_connecting(&vault, &page).await;
    let asked = session();
    assert!(asked.contains(tasks) && asked.contains(CALENDAR) && !asked.contains(DRIVE), "{asked}");
}

#[tokio::test]
async fn a_refresh_that_brings_other_scopes_opens_nothing_more() {
    let vault = Vault::google(|setup| setup).await;
    let id = vault.connect("user-1").await;
    let limit = ["--integration", "google", "--scope", "openid", "--scope", "email"];
    let key = vault.key_with(&[&limit[..], &["--scope", CALENDAR, "--scope", DRIVE]].concat());
    let ask = async |body| vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await;
    let gmail = "https://www.googleapis.com/auth/gmail.readonly";
    vault.age(id, -5);
    vault.fault(json!({"change": {"scope": format!("openid {CALENDAR} {gmail}")}})).await;
    let page = ask(Value::Null).await;
    assert_refused(&page, 403, "access_denied");
    assert!(page.body.contains(gmail) && !page.body.contains("ya29."), "{page:?}");
    // Nor is a scope promised that is gone.
    vault.age(id, -5);
    vault.fault(json!({"change": {"scope": format!("openid {CALENDAR}")}})).await;
    let wanted = json!({"scopes": [CALENDAR]});
    assert_eq!(ask(wanted).await.status, 403, "what is stored has too many");
    assert_eq!(vault.token(json!({"min_ttl": 60})).await.json()["refreshed"], true);
    assert_eq!(ask(json!({"scopes": [CALENDAR]})).await.status, 200);
    assert_refused(&vault.token(json!({"scopes": [DRIVE]})).await, 403, "insufficient_scope");
}

#[tokio::test]
async fn what_a_key_does_not_reach_it_does_not_get() {
    let vault = Vault::google(|setup| {
        setup
            .set("integrations.other.provider", "google")
            .set("integrations.other.client_id", "x")
            .set("integrations.other.client_secret", "another-secret")
    })
    .await;
    let id = vault.connect("user-1").await;
    let other = shown(vault.connect("user-2").await);
    let ask = async |options: &[&str], body: Value| {
        let key = vault.key_with(options);
        vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await
    };
    for (options, body) in [
        (&["--integration", "other"][..], json!({"integration": "google"})),
        (&["--integration", "other"][..], json!({"integration": "no-such"})),
        (&["--integration", "google", "--subject", "user-2"][..], json!({"subject": "user-1"})),
        (&["--integration", "google", "--action", "connect"][..], json!({"subject": "user-1"})),
    ] {
        assert_refused(&ask(options, body).await, 403, "access_denied");
    }
    for options in [
        &["--integration", "other"][..],
        &["--integration", "google", "--subject", "user-2"][..],
        &["--any-integration", "--connection", &other][..],
    ] {
        // It looks as if it was not there.
        let page = ask(options, json!({"connection_id": shown(id)})).await;
        assert_refused(&page, 404, "connection_not_found");
    }
    let page = ask(&["--any-integration"], json!({"integration": "no-such"})).await;
    assert_refused(&page, 400, "invalid_request");
}

#[tokio::test]
async fn keys_that_do_not_work_are_refused_and_slowed_down() {
    let vault = Vault::google(|setup| setup.set("limits.failed_client_auth", 6)).await;
    vault.connect("user-1").await;
    let ask =
        async |key: &str| vault.ask(&vault.server.probe(), "/oauth/token", key, Value::Null).await;
    let url = vault.server.url("/oauth/token");
    let none = vault.server.request(client().post(&url)).await;
    assert_refused(&none, 401, "missing_token");
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"grantor\""));
    let revoked = vault.key_with(&["--integration", "google"]);
    vault.server.cli().ok(&["apikey", "revoke", &revoked[4..12]]);
    let expired = vault.key_with(&["--integration", "google", "--expires", "1s"]);
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let unknown = format!("grk_aaaaaaaa{}", &vault.key[12..]);
    let (malformed, cut) = ("nonsense", &vault.key[..40]);
    for key in [unknown.as_str(), malformed, cut, &revoked, &expired, "grk_x"] {
        let page = ask(key).await;
        assert_refused(&page, 401, "invalid_token");
        let challenge = page.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        vault.server.seen.add(key);
    }
    // Whoever goes on guessing waits, and is not told whether the key was ever one.
    for key in [unknown.as_str(), malformed, &revoked, &expired] {
        let page = ask(key).await;
        assert_refused(&page, 429, "too_many_requests");
        assert!(page.header("retry-after").is_some());
    }
    // The other services of the same address do not.
    let page = ask(&vault.key).await;
    assert_eq!(page.status, 200, "a key that works is let through: {page:?}");
    let page = ask(unknown.as_str()).await;
    assert_refused(&page, 429, "too_many_requests");
}

#[tokio::test]
async fn whoever_can_be_connected_can_be_asked_for() {
    let vault = Vault::google(|setup| setup).await;
    // 200 characters, and 800 bytes.
    let longest = "\u{1f43b}".repeat(200);
    let id = vault.connect(&longest).await;
    let session = async |subject: &str| {
        let url = vault.server.url("/connect/sessions");
        let body = json!({"integration": "google", "subject": subject});
        vault.server.request(client().post(url).bearer_auth(&vault.key).json(&body)).await
    };
    assert_eq!(session(&longest).await.status, 201);
    let key = vault.key_with(&["--integration", "google", "--subject", &longest]);
    let body = json!({"subject": longest});
    let page = vault.ask(&vault.server.probe(), "/oauth/token", &key, body).await;
    assert_eq!(page.json()["connection_id"], shown(id), "{page:?}");
    for subject in [&format!("{longest}x"), " a", "a ", "a\u{202e}b"] {
        let text = "send 1 to 200 printable characters, no space at either end";
        for page in [session(subject).await, vault.token(json!({"subject": subject})).await] {
            assert_refused(&page, 400, "invalid_request");
            assert!(page.body.contains(text), "{page:?}");
        }
        let create = ["apikey", "create", "--service", "x", "--integration", "google"];
        let ran = vault.server.cli().run(&[&create[..], &["--subject", subject]].concat());
        assert!(ran.code != Some(0) && ran.err.contains(text), "{ran:?}");
    }
}

#[tokio::test]
async fn a_selector_that_got_lost_brings_nobody_elses_token() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-42").await;
    let page = vault.token(Value::Null).await;
    assert_eq!(page.status, 200, "the key reaches one connection alone: {page:?}");
    for path in ["/oauth/token", "/oauth/refresh"] {
        let url = vault.server.url(path);
        let post = |url: &str| client().post(url).bearer_auth(&vault.key);
        let form = |text: &'static str| {
            post(&url).header("content-type", "application/x-www-form-urlencoded").body(text)
        };
        for (request, says) in [
            (post(&url).json(&json!({"subject": null})), "The parameter subject"),
            (post(&url).json(&json!({"subject": ""})), "The parameter subject"),
            (post(&url).json(&json!({"account": null})), "The parameter account"),
            (post(&url).json(&json!({"connection_id": null})), "The parameter connection_id"),
            (post(&url).json(&json!({"subject": "user-42", "subjct": null})), "subjct"),
            (form("provider=google&subject="), "The parameter subject"),
            (form("provider=google&subject"), "The parameter subject"),
            (form("subject=user-42&subjct="), "subjct"),
            (post(&format!("{url}?subject=somebody-else")), "Parameters in the URL"),
            (post(&format!("{url}?x")).json(&json!({"subject": "user-42"})), "Parameters in"),
        ] {
            let page = vault.server.request(request).await;
            vault.note(&page);
            assert_refused(&page, 400, "invalid_request");
            assert!(page.body.contains(says), "{page:?}");
        }
    }
    assert_eq!(vault.refreshes().await, 0, "nothing was asked at the provider");
}

#[tokio::test]
async fn bodies_that_mean_nothing_are_refused() {
    let vault = Vault::google(|setup| setup).await;
    vault.connect("user-1").await;
    let url = vault.server.url("/oauth/token");
    let post = || client().post(&url).bearer_auth(&vault.key);
    let json_type =
        |body: &str| post().header("content-type", "application/json").body(body.to_owned());
    let form_type = |body: &str| {
        post().header("content-type", "application/x-www-form-urlencoded").body(body.to_owned())
    };
    for request in [
        json_type("{"),
        json_type("[]"),
        json_type("{\"subject\":\"a\",\"subject\":\"b\"}"),
        json_type("{\"subjekt\":\"user-1\"}"),
        json_type("{\"subject\":7}"),
        json_type("{\"scopes\":[\"a b\"]}"),
        json_type("{\"min_ttl\":-1}"),
        json_type("{\"connection_id\":\"con_1\"}"),
        json_type("{\"rejected_token_sha256\":\"00\"}"),
        form_type("subject=a&subject=b"),
        form_type("subject=%ff"),
        post().header("content-type", "text/plain").body("subject=user-1"),
        post().body("{}"),
    ] {
        let page = vault.server.request(request).await;
        assert_refused(&page, 400, "invalid_request");
    }
    let long = format!("{{\"subject\":\"{}\"}}", "x".repeat(2_000_000));
    assert_eq!(vault.server.request(json_type(&long)).await.status, 413);
    // Nothing at all is a request, whatever its type says.
    for request in [json_type(""), form_type(""), json_type("{}"), post()] {
        let page = vault.server.request(request).await;
        vault.note(&page);
        assert_eq!(page.status, 200, "{page:?}");
    }
    let wrong = vault.server.get("/oauth/token").await;
    assert_refused(&wrong, 405, "method_not_allowed");
    assert!(wrong.body.contains("Allow") && wrong.header("allow") == Some("POST"), "{wrong:?}");
}
