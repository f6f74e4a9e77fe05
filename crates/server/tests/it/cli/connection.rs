//! `grantor connection`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::client;
use crate::support::connect::{CLIENT_ID, Vault};

fn id(told: &Value) -> String {
    told["connection_id"].as_str().expect("an id").to_owned()
}

/// What a service gets for a subject.
async fn token(vault: &Vault, key: &str, subject: &str) -> Value {
    let body = json!({"integration": "google", "subject": subject});
    let url = vault.server.url("/oauth/token");
    let page = vault.server.request(client().post(url).bearer_auth(key).json(&body)).await;
    assert_eq!(page.status, 200, "{page:?}");
    let json = page.json();
    vault.server.seen.add(json["access_token"].as_str().expect("a token"));
    json
}

#[tokio::test]
async fn connections_are_listed_and_shown() {
    let vault = Vault::start().await;
    let cli = vault.server.cli();
    assert_eq!(cli.ok(&["connection", "list"]), "Nothing is connected yet.\n");
    let one = vault.connect("user-1", "ada@example.com").await;
    let two = vault.connect("user-2", "grace@example.org").await;
    let table = cli.ok(&["connection", "list"]);
    for text in ["user-1", "ada@example.com", "user-2", "grace@example.org", "active", "google"] {
        assert!(table.contains(text), "{text}: {table}");
    }
    assert_eq!(cli.json(&["connection", "list"]), json!([one, two]));
    let found = cli.json(&["connection", "list", "--account", "grace@example.org"]);
    assert_eq!(found, json!([two]));
    let none = cli.ok(&["connection", "list", "--status", "reauth_required"]);
    assert_eq!(none, "No connection is meant by that.\n");
    assert_eq!(cli.json(&["connection", "show", &id(&one)]), one);
    assert!(cli.ok(&["connection", "show", &id(&one)]).contains("user-1"));
    let unknown = cli.run(&["connection", "show", "con_0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d"]);
    assert!(unknown.err.contains("see `grantor connection list`"), "{unknown:?}");
    assert_eq!(cli.run(&["connection", "show", "x"]).code, Some(1));
}

// The command asks the stand-in, which runs here: on a thread of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_disconnected_only_on_purpose() {
    let vault = Vault::start().await;
    let cli = vault.server.cli();
    let one = vault.connect("user-1", "ada@example.com").await;
    vault.connect("user-2", "grace@example.org").await;
    vault.connect("user-3", "alan@example.com").await;
    let all = cli.run(&["connection", "disconnect"]);
    assert!(all.err.contains("name the connections"), "{all:?}");
    let asked = cli.run(&["connection", "disconnect", "--integration", "google"]);
    assert!(asked.err.contains("3 connections would be disconnected; add --yes"), "{asked:?}");
    let said = cli.ok(&["connection", "disconnect", &id(&one)]);
    assert_eq!(said, format!("{}: disconnected, and revoked at the provider\n", id(&one)));
    let again = cli.run(&["connection", "disconnect", &id(&one)]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let ended = cli.json(&["connection", "disconnect", "--integration", "google", "--yes"]);
    let states: Vec<_> =
        ended.as_array().expect("a list").iter().map(|own| &own["status"]).collect();
    assert_eq!(states, ["disconnected", "disconnected"]);
    assert_eq!(vault.google.calls("revoke").await, 3);
    assert_eq!(cli.json(&["connection", "list"]), json!([]));
    let actors = "SELECT DISTINCT actor FROM audit_event WHERE action = 'connection.disconnected'";
    assert_eq!(vault.server.sql(actors), "cli");
}

#[tokio::test]
async fn connections_move_with_their_tokens() {
    let vault = Vault::start().await;
    let cli = vault.server.cli();
    let key = vault.key_with(&["--action", "token"]);
    let one = vault.connect("user-1", "ada@example.com").await;
    let two = vault.connect("user-2", "grace@example.org").await;
    let before = token(&vault, &key, "user-1").await;

    let plain = cli.ok(&["connection", "export"]);
    assert_eq!(plain.lines().count(), 2);
    assert!(!plain.contains("ya29.") && !plain.contains("_token\":\""), "{plain}");
    let refused = cli.run(&["connection", "export", "--with-tokens"]);
    assert!(refused.err.contains("tokens are written to a file only"), "{refused:?}");
    let file = vault.server.folder().join("connections.jsonl");
    let name = file.to_str().expect("text");
    fs::write(&file, "an older one").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    let said = cli.ok(&["connection", "export", name, "--with-tokens"]);
    assert_eq!(said, format!("Exported 2 connections to {name}.\n"));
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can read it");
    let lines = fs::read_to_string(&file).expect("text");
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.contains("ya29.") && lines.contains("1//0"), "the tokens are there");
    let exported =
        vault.server.sql("SELECT count(*) FROM audit_event WHERE action = 'connection.exported'");
    assert_eq!(exported, "2");

    let there = cli.json(&["connection", "import", name]);
    assert_eq!(there, json!({"added": [], "replaced": [], "left": 2}));
    vault.server.sql("DELETE FROM connection; DELETE FROM credential");
    let moved = cli.json(&["connection", "import", name]);
    assert_eq!(moved, json!({"added": [id(&one), id(&two)], "replaced": [], "left": 0}));
    let after = token(&vault, &key, "user-1").await;
    assert_eq!(after["access_token"], before["access_token"]);
    assert_eq!(after["connection_id"], one["connection_id"]);
    let replaced = cli.json(&["connection", "import", name, "--replace"]);
    assert_eq!(replaced["replaced"], json!([id(&one), id(&two)]));
    vault.assert_no_token_kept();
}

#[tokio::test]
async fn a_refresh_token_of_another_vault_is_enough() {
    let vault = Vault::start().await;
    let scopes = ["openid", "https://www.googleapis.com/auth/userinfo.email"];
    let issue = json!({"client_id": CLIENT_ID, "account": "ada@example.com", "scopes": scopes});
    let issued = vault.google.control("POST", "issue", &issue).await;
    let refresh = issued["refresh_token"].as_str().expect("a token");
    vault.server.seen.add(refresh);
    let line = json!({
        "integration": "google", "subject": "user-9", "sub": "101815121018526101815",
        "email": "ada@example.com", "refresh_token": refresh, "scope": scopes,
    });
    let ran = vault.server.cli().run_with(&["connection", "import", "-"], &line.to_string());
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Imported 1 connection.\n"), "{ran:?}");
    let key = vault.key_with(&["--action", "token"]);
    let got = token(&vault, &key, "user-9").await;
    assert_eq!(got["refreshed"], true);
    assert_eq!(got["account"]["email"], "ada@example.com");
}

#[tokio::test]
async fn a_file_with_a_mistake_is_not_imported_at_all_and_not_quoted() {
    let vault = Vault::start().await;
    let good = json!({
        "integration": "google", "subject": "a", "account": {"sub": "1"},
        "access_token": "a-token-that-nobody-sees",
    });
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line.to_string()
    };
    for (line, says) in [
        (with("integration", json!("github")), "there is no integration \"github\""),
        (with("subject", json!("")), "it has no subject"),
        (with("account", json!({"sub": ""})), "it has no account.sub"),
        (with("access_token", json!("")), "neither an access_token nor a refresh_token"),
        (with("access_token", json!(["a-token-that-nobody-sees"])), "of another kind"),
        (with("client_id", json!("another")), "another client_id"),
        (with("connection_id", json!("x")), "connection_id is not one"),
        (with("scope", json!("a\"b")), "scope is not one"),
        (with("expires_at", json!("tomorrow")), "not a moment of RFC 3339"),
        ("a-token-that-nobody-sees".to_owned(), "it is not a JSON object"),
    ] {
        let input = format!("{good}\n\n{line}\n");
        let ran = vault.server.cli().run_with(&["connection", "import", "-"], &input);
        assert_eq!(ran.code, Some(1), "{line}: {ran:?}");
        assert!(ran.err.contains("nothing was imported: line 3: "), "{line}: {ran:?}");
        assert!(ran.err.contains(says), "{line}: {ran:?}");
        assert!(!ran.err.contains("a-token-that-nobody-sees"), "{ran:?}");
    }
    assert_eq!(vault.server.sql("SELECT count(*) FROM connection"), "0");
}
