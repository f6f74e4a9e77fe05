//! `grantor apikey`

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::connections::KeyFile;
use crate::support::{Page, Server, client};

const CREATE: [&str; 5] = ["apikey", "create", "--service", "reports", "--any-integration"];

fn created(server: &Server, options: &[&str]) -> Value {
    server.cli().json(&[&CREATE[..], options].concat())
}

#[test]
fn a_key_is_shown_once_and_stored_as_a_digest() {
    let server = Server::setup().prepare();
    let made = created(&server, &[]);
    let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
    assert!(key.starts_with(&format!("grk_{id}_")) && key.len() == 62, "{key}");
    assert_eq!((&made["state"], &made["actions"]), (&json!("works"), &json!(["token", "connect"])));
    let listed = server.cli().json(&["apikey", "list"]);
    assert_eq!((&listed[0]["id"], listed[0].get("key")), (&made["id"], None));
    let table = server.cli().ok(&["apikey", "list"]);
    assert!(table.contains(id) && table.contains("reports") && !table.contains("grk_"), "{table}");
    let people = server.cli().ok(&CREATE);
    assert!(people.contains("shown only now") && people.contains("/oauth/token"), "{people}");
    server.assert_no_secret_leaked();
}

#[tokio::test]
async fn a_key_may_be_held_to_actions_subjects_connections_and_scopes() {
    let (server, _) = with_a_connection().await;
    let listed = server.cli().json(&["connection", "list"]);
    let connection = listed[0]["connection_id"].as_str().expect("an id");
    let made = created(
        &server,
        &[
            "--action",
            "manage",
            "--action",
            "token",
            "--action",
            "manage",
            "--subject",
            "user-42",
            "--connection",
            connection.trim_start_matches("con_"),
            "--scope",
            "read",
            "--scope",
            "openid",
            "--expires",
            "90d",
        ],
    );
    assert_eq!(made["actions"], json!(["token", "manage"]));
    assert_eq!(made["subjects"], json!(["user-42"]));
    assert_eq!(made["connections"], json!([connection]));
    assert_eq!(made["scope"], "read openid");
    assert!(made["expires_at"].is_string(), "{made}");
    assert_eq!(made.get("integrations"), Some(&Value::Null), "every one, and it is said");
    let table = server.cli().ok(&["apikey", "list"]);
    assert!(table.contains("user-42") && table.contains(connection), "{table}");
    let actions = "SELECT details FROM audit_event WHERE action = 'api_key.created'";
    assert!(server.sql(actions).contains(connection));

    let unknown = "con_0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d";
    let ran = server.cli().run(&[&CREATE[..], &["--connection", unknown]].concat());
    let says = format!("there is no connection {unknown}; see `grantor connection list`");
    assert!(ran.code == Some(1) && ran.err.contains(&says), "{ran:?}");
    let nobody = created(&server, &["--subject", ""]);
    for limit in ["integrations", "connections", "scope"] {
        assert_eq!(nobody.get(limit), Some(&Value::Null), "{nobody}");
    }
    let table = server.cli().ok(&["apikey", "list"]);
    assert!(table.contains(" \"\" "), "{table}");
}

#[test]
fn a_replaced_secret_works_on_for_the_overlap_and_a_revoked_key_not_at_all() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let first = created(&server, &[]);
    let id = first["id"].as_str().expect("an id");
    let second = cli.json(&["apikey", "rotate", id, "--overlap", "1h", "--expires", "30d"]);
    assert_eq!(second["id"], first["id"]);
    assert_ne!(second["key"], first["key"]);
    assert!(second["previous_secret_until"].is_string() && second["expires_at"].is_string());
    // Somebody may paste the whole key.
    let whole = second["key"].as_str().expect("a key");
    let third = cli.json(&["apikey", "rotate", whole, "--overlap", "0s"]);
    assert_eq!((&third["id"], &third["previous_secret_until"]), (&first["id"], &Value::Null));
    assert_eq!(third["expires_at"], second["expires_at"]);
    // No secret outlives the key.
    let short = cli.json(&["apikey", "rotate", id, "--overlap", "400d", "--expires", "10m"]);
    assert_eq!(short["previous_secret_until"], short["expires_at"], "{short}");
    assert_eq!(cli.json(&["apikey", "revoke", id])["state"], "revoked");
    for again in ["rotate", "revoke"] {
        let ran = cli.run(&["apikey", again, id]);
        assert!(ran.code == Some(1) && ran.err.contains("is revoked"), "{ran:?}");
    }
    let entries = cli.ok(&["audit", "tail", "--json"]);
    let entries: Vec<Value> =
        entries.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let actions: Vec<_> = entries.iter().map(|own| own["action"].as_str()).collect();
    let (created, rotated, revoked) = ("api_key.created", "api_key.rotated", "api_key.revoked");
    assert_eq!(actions, [created, rotated, rotated, rotated, revoked].map(Some));
    assert!(entries.iter().all(|own| own["target"] == format!("api_key:{id}")), "{entries:?}");
    server.assert_no_secret_leaked();
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let server = Server::setup().prepare();
    for (arguments, code) in [
        (&["create", "--service", "reports"][..], 2),
        (&["create", "--service", "reports", "--integration", "x", "--any-integration"], 2),
        (&["create", "--service", "reports", "--integration", "no-such"], 1),
        (&["create", "--service", "", "--any-integration"], 1),
        (&["create", "--service", "a\u{202e}b", "--any-integration"], 1),
        (&["create", "--service", "r", "--any-integration", "--expires", "0s"], 1),
        (&["create", "--service", "r", "--any-integration", "--expires", "soon"], 2),
        (&["create", "--service", "r", "--any-integration", "--scope", "a\"b"], 1),
        (&["create", "--service", "r", "--any-integration", "--connection", "x"], 1),
        (&["create", "--service", "r", "--any-integration", "--action", "all"], 2),
        (&["rotate", "abcdefgh"], 1),
        (&["revoke", "'; DROP TABLE api_key; --"], 1),
    ] {
        let ran = server.cli().run(&[&["apikey"][..], arguments].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(code == 2 || ran.err.lines().count() == 1, "{ran:?}");
    }
    assert_eq!(server.cli().json(&["apikey", "list"]), json!([]));
    let none = server.cli().ok(&["apikey", "list"]);
    assert!(none.starts_with("There is no key yet.") && none.lines().count() == 1, "{none}");
}

async fn ask(server: &Server, key: &Value) -> Page {
    let key = key.as_str().expect("a key");
    server.request(client().post(server.url("/oauth/token")).bearer_auth(key)).await
}

/// The answer to a key that a command has changed just now: the server may be a second behind.
async fn within_a_second(server: &Server, key: &Value, status: u16) -> Page {
    let since = Instant::now();
    loop {
        let page = ask(server, &key["key"]).await;
        if page.status == status {
            return page;
        }
        assert!(since.elapsed() < Duration::from_secs(1), "{page:?}, and not {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A server with one connected account, whose token never expires.
async fn with_a_connection() -> (Server, String) {
    let server = Server::setup()
        .set("integrations.google.client_id", "client")
        .set("integrations.google.client_secret", "secret-at-the-provider")
        .start()
        .await;
    let made = server.connections(&KeyFile::of(&server), "google", 1).await;
    let token = made.values().next().expect("one").access_token.to_string();
    (server, token)
}

#[tokio::test]
async fn an_integration_is_all_that_a_key_needs_to_get_tokens() {
    let (mut server, token) = with_a_connection().await;
    let create = ["apikey", "create", "--service", "reports", "--integration", "google"];
    let made = server.cli().json(&create);
    let page = ask(&server, &made["key"]).await;
    assert_eq!((page.status, &page.json()["access_token"]), (200, &json!(token)), "{page:?}");
    // When it was used is written down when the server stops, if not before.
    assert_eq!(server.stop(), Some(0));
    let listed = server.cli().json(&["apikey", "list"]);
    assert!(listed[0]["last_used_at"].is_string(), "{listed}");
    // What was given out is in the log, and nothing that could be used.
    let log = server.cli().ok(&["audit", "tail"]);
    let actor = format!("api_key:{}", made["id"].as_str().expect("an id"));
    assert!(log.contains("token.read") && log.contains(&actor), "{log}");
    assert!(!log.contains(&token[5..]), "{log}");
}

#[tokio::test]
async fn two_secrets_work_while_they_overlap_and_none_after_the_end() {
    let (server, _) = with_a_connection().await;
    let cli = server.cli();
    let first = created(&server, &[]);
    let id = first["id"].as_str().expect("an id");
    let second = cli.json(&["apikey", "rotate", id]);
    let third = cli.json(&["apikey", "rotate", id]);
    for (key, status) in [(&first, 401), (&second, 200), (&third, 200)] {
        within_a_second(&server, key, status).await;
    }
    let fourth = cli.json(&["apikey", "rotate", id, "--overlap", "0s"]);
    for (key, status) in [(&second, 401), (&third, 401), (&fourth, 200)] {
        within_a_second(&server, key, status).await;
    }
    cli.ok(&["apikey", "revoke", id]);
    let revoked = within_a_second(&server, &fourth, 401).await;
    server.sql("DELETE FROM api_key");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let unknown = within_a_second(&server, &fourth, 401).await;
    assert_eq!(revoked.body, unknown.body, "nobody is told which of the two it is");
}
