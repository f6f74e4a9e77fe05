//! `grantor apikey`

use serde_json::{Value, json};

use crate::support::Server;

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

#[test]
fn a_key_may_be_held_to_actions_subjects_connections_and_scopes() {
    let server = Server::setup().prepare();
    let connection = "0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d";
    let prefixed = format!("con_{connection}");
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
            &prefixed,
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
    assert!(made["expires_at"].is_string() && made.get("integrations").is_none(), "{made}");
    let table = server.cli().ok(&["apikey", "list"]);
    assert!(table.contains("user-42"), "{table}");
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
    assert_eq!(cli.json(&["apikey", "revoke", id])["state"], "revoked");
    for again in ["rotate", "revoke"] {
        let ran = cli.run(&["apikey", again, id]);
        assert!(ran.code == Some(1) && ran.err.contains("is revoked"), "{ran:?}");
    }
    let entries = cli.ok(&["audit", "tail", "--json"]);
    let entries: Vec<Value> =
        entries.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let actions: Vec<_> = entries.iter().map(|own| own["action"].as_str()).collect();
    let wanted = ["api_key.created", "api_key.rotated", "api_key.rotated", "api_key.revoked"];
    assert_eq!(actions, wanted.map(Some));
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
}
