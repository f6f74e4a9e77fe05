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

/// What [`issued`] is granted.
const SCOPES: [&str; 2] = ["openid", "https://www.googleapis.com/auth/userinfo.email"];

/// A refresh token that the provider has given somebody else.
async fn issued(vault: &Vault) -> String {
    let issue = json!({"client_id": CLIENT_ID, "account": "ada@example.com", "scopes": SCOPES});
    let issued = vault.google.control("POST", "issue", &issue).await;
    let refresh = issued["refresh_token"].as_str().expect("a token");
    vault.server.seen.add(refresh);
    refresh.to_owned()
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
    let misspelt = cli.run(&["connection", "list", "--integration", "gogle"]);
    assert_eq!(
        (misspelt.code, misspelt.err.as_str()),
        (Some(1), "grantor: there is no integration \"gogle\"; the settings have google\n")
    );
    assert_eq!(cli.json(&["connection", "show", &id(&one)]), one);
    assert!(cli.ok(&["connection", "show", &id(&one)]).contains("user-1"));
    let unknown = cli.run(&["connection", "show", "con_0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d"]);
    assert!(unknown.err.contains("see `grantor connection list`"), "{unknown:?}");
    let bad = cli.run(&["connection", "show", "x"]);
    assert!(bad.code == Some(1) && bad.err.contains("such as con_0192f0c1-"), "{bad:?}");
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
    let asked = cli.run(&["connection", "disconnect", "--subject", "user-1", "--json"]);
    let left: Value = serde_json::from_str(&asked.out).expect("JSON");
    assert_eq!(asked.code, Some(1));
    assert_eq!(left, json!([{"connection_id": id(&one), "status": "left"}]));
    let nobody = cli.ok(&["connection", "disconnect", "--subject", "user-9"]);
    assert_eq!(nobody, "No connection is meant by that.\n");
    assert_eq!(cli.json(&["connection", "disconnect", "--subject", "user-9"]), json!([]));
    let misspelt = cli.run(&["connection", "disconnect", "--integration", "gogle"]);
    assert!(misspelt.err.contains("there is no integration \"gogle\""), "{misspelt:?}");
    let said = cli.ok(&["connection", "disconnect", &id(&one)]);
    assert_eq!(said, format!("{}: disconnected, and revoked at the provider\n", id(&one)));
    let again = cli.run(&["connection", "disconnect", &id(&one)]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let again = cli.run(&["connection", "disconnect", &id(&one), "--json"]);
    let told: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((again.code, &told[0]["status"]), (Some(1), &json!("unknown")), "{again:?}");
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

    let left = cli.ok(&["connection", "import", name]);
    assert!(left.contains("Left 2 connections that were there; replace their tokens"), "{left}");
    let first = lines.lines().next().expect("a line");
    let left = cli.run_with(&["connection", "import", "-"], first).out;
    assert!(left.contains("Left 1 connection that was there; replace its tokens"), "{left}");
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
    let refresh = issued(&vault).await;
    let line = json!({
        "integration": "google", "subject": "user-9", "sub": "101815121018526101815",
        "email": "ada@example.com", "refresh_token": refresh, "scope": SCOPES,
    });
    let ran = vault.server.cli().run_with(&["connection", "import", "-"], &line.to_string());
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "Imported 1 connection.\n"), "{ran:?}");
    let key = vault.key_with(&["--action", "token"]);
    let got = token(&vault, &key, "user-9").await;
    assert_eq!(got["refreshed"], true);
    assert_eq!(got["account"]["email"], "ada@example.com");
}

#[tokio::test]
async fn a_token_whose_end_nobody_knows_does_not_live_for_ever() {
    let vault = Vault::with(|setup| {
        setup
            .set("integrations.github.client_id", "x")
            .set("integrations.github.client_secret", "y")
    })
    .await;
    let refresh = issued(&vault).await;
    let line = |integration: &str, subject: &str, refresh: Option<&str>| {
        json!({
            "integration": integration, "subject": subject, "sub": "101815121018526101815",
            "access_token": "a-token-that-nobody-sees", "refresh_token": refresh,
        })
    };
    let lines = [
        line("google", "alone", None),
        line("google", "renewed", Some(&refresh)),
        line("github", "for-ever", None),
    ];
    let lines = lines.map(|own| own.to_string()).join("\n");
    let cli = vault.server.cli();
    let added = cli.json_with(&["connection", "import", "-"], &lines);
    assert_eq!(added["added"].as_array().map(Vec::len), Some(3), "{added}");
    let listed = cli.json(&["connection", "list"]);
    let ends = |subject: &str| {
        let found = listed.as_array().expect("a list").iter().find(|own| own["subject"] == subject);
        found.expect("it is there").clone()
    };
    // An hour is what Google's description says.
    let (alone, hour) = (ends("alone"), 3_600);
    let moment = |value: &Value| -> jiff::Timestamp {
        value.as_str().and_then(|own| own.parse().ok()).unwrap_or_else(|| panic!("{value}"))
    };
    let life =
        moment(&alone["expires_at"]).as_second() - moment(&alone["connected_at"]).as_second();
    assert_eq!(life, hour, "{alone}");
    assert_eq!(ends("for-ever")["expires_at"], Value::Null, "GitHub's description says never");
    let key = vault.key_with(&["--action", "token"]);
    assert_eq!(token(&vault, &key, "renewed").await["refreshed"], true);
}

#[tokio::test]
async fn what_an_export_says_of_troubles_is_passed_over() {
    let vault = Vault::start().await;
    let line = json!({
        "connection_id": "con_0192f0c1-6a00-7d11-8c22-1f2e3d4c5b6a", "integration": "google",
        "provider": "google", "subject": "a", "account": {"sub": "1"}, "access_token": "a-token",
        "status": "reauth_required", "reason": "grant_dead", "error": "invalid_grant",
        "error_subtype": null, "since": "2026-11-21T18:04:05Z", "generation": 2, "version": 9,
        "refreshable": true, "requested_scope": "openid", "connected_at": "2026-11-21T18:04:05Z",
        "last_used_at": null, "trouble": {"attempts": 1},
    });
    let again = json!({"connection_id": line["connection_id"], "integration": "google",
        "subject": "b", "sub": "2", "access_token": "another-token"});
    let cli = vault.server.cli();
    let ran = cli.run_with(&["connection", "import", "-"], &format!("{line}\n{again}"));
    assert!(ran.err.contains("line 2: line 1 has the same connection_id"), "{ran:?}");
    let done = cli.json_with(&["connection", "import", "-"], &line.to_string());
    assert_eq!(done["added"], json!([line["connection_id"]]));
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
        (
            with("subject", json!("x".repeat(201))),
            "its subject cannot be one: send 1 to 200 printable",
        ),
        (with("subject", json!(" a")), "its subject cannot be one: send 1 to 200 printable"),
        (
            with("subject", json!("a\u{202e}b")),
            "its subject cannot be one: send 1 to 200 printable",
        ),
        (with("refresh_tokn", json!("a-token-that-nobody-sees")), "no member \"refresh_tokn\""),
        (with("scope", json!("a")), "line 1 has the same integration, subject and account.sub"),
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
