//! The command line: tables for people, `--json` for programs, one clear line when it fails.

mod apikey;
mod audit;
mod client;
mod client_import;
mod client_options;
mod connection;
mod demo;
mod failures;
mod output;
mod provider;
mod registration_token;
mod settings;
mod store;
mod user;
mod vault;

use crate::support::Server;
use crate::support::cli::grantor;

#[test]
fn help_and_version_name_every_command() {
    let help = grantor(&["--help"]);
    assert_eq!(help.code, Some(0));
    let first = help.out.lines().next().expect("a line");
    assert!(first.contains("authorization server") && first.contains("vault"), "{first}");
    for command in [
        "serve",
        "demo",
        "client",
        "registration-token",
        "user",
        "key",
        "apikey",
        "store",
        "connection",
        "vault",
        "provider",
        "audit",
        "config",
        "doctor",
        "completions",
    ] {
        assert!(help.out.contains(command), "{}", help.out);
    }
    assert!(grantor(&["--version"]).out.starts_with("grantor "));
    assert_eq!(grantor(&["no-such-command"]).code, Some(2));
    assert_eq!(grantor(&["serve", "--no-such-option"]).code, Some(2));
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = grantor(&["completions", shell]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("rotate-secret"), "{shell}");
    }
}

#[test]
fn keys_are_listed_and_rotated() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let before = cli.json(&["key", "list"]);
    assert_eq!(before.as_array().map(Vec::len), Some(4), "{before}");
    let after = cli.json(&["key", "rotate", "--alg", "ES256"]);
    assert_eq!(after.as_array().map(Vec::len), Some(5), "{after}");
    assert!(before.as_array().expect("a list").iter().all(|key| key.get("kid").is_some()));
    let table = cli.ok(&["key", "list"]);
    assert!(table.contains("EdDSA") && table.contains("signs"), "{table}");
    let ran = cli.run(&["key", "rotate", "--alg", "HS256"]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
}

#[tokio::test]
async fn doctor_finds_what_is_wrong() {
    let server = Server::start().await;
    let found = server.cli().json(&["doctor"]);
    let verdict = |what: &str| {
        let rows = found.as_array().expect("a list");
        let row = rows.iter().find(|row| row["what"] == what);
        row.unwrap_or_else(|| panic!("no {what}: {found}"))["verdict"].clone()
    };
    for what in ["configuration", "data folder", "database", "signing keys", "outbox"] {
        assert_eq!(verdict(what), "good", "{what}");
    }
    assert_eq!(verdict("listen.tls"), "advice");
    assert!(server.cli().ok(&["doctor"]).contains("still needed"));

    let key = server.data().join("key-encryption.key");
    let status = std::process::Command::new("chmod").arg("644").arg(&key).status();
    assert!(status.expect("chmod runs").success());
    let ran = server.cli().run(&["doctor"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("key-encryption.key"), "{}", ran.out);
}
