//! `grantor audit`

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use grantor_core::model::AuditEntry;
use serde_json::Value;

use crate::support::Server;
use crate::support::cli::Ran;
use crate::support::server::GRANTOR;

const CREATE: [&str; 5] = ["apikey", "create", "--service", "reports", "--any-integration"];

/// Three entries, and a fourth that vouches for them: a server that stops leaves it.
async fn log() -> Server {
    let mut server = Server::setup().in_a_file().prepare();
    for _ in 0..3 {
        server.cli().json(&CREATE);
    }
    server.start_again().await;
    assert_eq!(server.stop(), Some(0));
    assert!(server.log().contains("the audit log so far"), "{}", server.log());
    server
}

/// What somebody does who can write to the database and has no key.
fn tamper(server: &Server, sql: &str) {
    server.sql(&format!(
        "DROP TRIGGER IF EXISTS audit_event_unchanged; DROP TRIGGER IF EXISTS audit_event_kept; {sql}"
    ));
}

/// The entries that are left get numbers without gaps and hashes that fit.
async fn join_anew(server: &Server) {
    let store = server.open_store().await;
    let entries = store.audit(0, 100).await.expect("read");
    let mut last = [0; 32];
    for (entry, sequence) in entries.iter().zip(1..) {
        last = AuditEntry::hash_of(&last, sequence, &entry.event.mac);
        let hash: String = last.iter().map(|byte| format!("{byte:02x}")).collect();
        let old = entry.sequence;
        server.sql(&format!(
            "UPDATE audit_event SET sequence = {sequence}, hash = x'{hash}' WHERE sequence = {old}"
        ));
    }
}

fn verified(server: &Server) -> Ran {
    server.cli().run(&["audit", "verify"])
}

#[track_caller]
fn assert_names(ran: &Ran, says: &str) {
    assert_eq!((ran.code, ran.err.lines().count()), (Some(1), 1), "{ran:?}");
    assert!(ran.err.contains(says), "{}", ran.err);
}

#[tokio::test]
async fn a_sound_log_is_verified_and_its_mark_can_be_kept() {
    let server = log().await;
    let sound = server.cli().json(&["audit", "verify"]);
    assert_eq!((&sound["sound"], &sound["entries"]), (&Value::Bool(true), &4.into()));
    assert_eq!((&sound["checkpoints"], &sound["last_checkpoint"]), (&1.into(), &4.into()));
    let mark = sound["mark"].as_str().expect("a mark");
    server.cli().json(&CREATE);
    let out = server.cli().ok(&["audit", "verify", "--expect", mark]);
    assert!(out.contains("5 entries") && out.contains("entry 4"), "{out}");
    let other = mark.replace("4:", "3:");
    assert_names(&server.cli().run(&["audit", "verify", "--expect", &other]), "entry 3");
    assert_eq!(server.cli().run(&["audit", "verify", "--expect", "4"]).code, Some(2));
    let json = server.cli().run(&["audit", "verify", "--json", "--expect", &other]);
    assert!(json.code == Some(1) && json.out.contains("\"sound\": false"), "{json:?}");
}

#[tokio::test]
async fn a_changed_entry_is_named() {
    let server = log().await;
    tamper(&server, "UPDATE audit_event SET actor = 'nobody' WHERE sequence = 2");
    assert_names(&verified(&server), "entry 2 is not what was written");
}

#[tokio::test]
async fn a_dropped_entry_is_noticed_also_when_the_chain_is_joined_anew() {
    let server = log().await;
    tamper(&server, "DELETE FROM audit_event WHERE sequence = 2");
    assert_names(&verified(&server), "entry 3 comes where 2 belongs");
    join_anew(&server).await;
    assert_names(&verified(&server), "the checkpoint in entry 3 does not agree with entry 3");
}

#[tokio::test]
async fn moved_and_copied_entries_are_noticed() {
    let server = log().await;
    tamper(
        &server,
        "UPDATE audit_event SET sequence = 9 WHERE sequence = 1;
         UPDATE audit_event SET sequence = 1 WHERE sequence = 2;
         UPDATE audit_event SET sequence = 2 WHERE sequence = 9",
    );
    assert_names(&verified(&server), "the chain is broken");
    join_anew(&server).await;
    assert_names(&verified(&server), "the checkpoint in entry 4 does not agree with entry 3");
    tamper(
        &server,
        "DELETE FROM audit_event WHERE sequence > 3;
         INSERT INTO audit_event (sequence, id, at, action, actor, target, details, mac, hash)
         SELECT 4, id, at, action, actor, target, details, mac, hash FROM audit_event
         WHERE sequence = 1",
    );
    join_anew(&server).await;
    assert_names(&verified(&server), "entry 4 is a copy");
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_noticed_by_who_has_kept_a_mark() {
    let server = log().await;
    let sound = server.cli().json(&["audit", "verify"]);
    let mark = sound["mark"].as_str().expect("a mark");
    tamper(&server, "DELETE FROM audit_event WHERE sequence > 1");
    assert_eq!(verified(&server).code, Some(0));
    assert_names(&server.cli().run(&["audit", "verify", "--expect", mark]), "ends at entry 1");
}

/// The trigger alone stops nobody who has the file, but it stops mistakes.
#[tokio::test]
async fn the_database_refuses_to_change_or_remove_an_entry() {
    let server = log().await;
    for sql in ["DELETE FROM audit_event", "UPDATE audit_event SET actor = 'nobody'"] {
        let database = server.data().join("grantor.db");
        let output = Command::new("sqlite3").arg(&database).arg(sql).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("only added to"), "{text}");
    }
    assert_eq!(verified(&server).code, Some(0));
}

#[test]
fn an_empty_log_says_so() {
    let server = Server::setup().prepare();
    assert_eq!(server.cli().ok(&["audit", "tail"]), "Nothing is written down yet.\n");
    assert_eq!(server.cli().ok(&["audit", "tail", "--json"]), "");
}

#[tokio::test]
async fn the_last_entries_are_printed_and_followed() {
    let server = log().await;
    let out = server.cli().ok(&["audit", "tail", "-n", "2"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with("entry  at "), "{out}");
    assert!(lines[1].contains("api_key.created") && lines[2].contains("audit.checkpoint"), "{out}");
    for (heading, cell) in [("action", "audit.checkpoint"), ("details", "sequence=3 hash=")] {
        assert_eq!(lines[0].find(heading), lines[2].find(cell), "{heading}: {out}");
    }
    let seen = server.cli().terminal(100, &["audit", "tail"]).out;
    assert_eq!(seen.lines().count(), 5, "{seen}");
    assert!(seen.lines().all(|line| line.chars().count() <= 100), "{seen}");
    assert!(seen.contains('…'), "{seen}");
    let mut command = Command::new(GRANTOR);
    command.args(["audit", "tail", "-n", "1", "--follow", "--json", "--config"]);
    command.arg(server.config()).arg("--data").arg(server.data()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(next()["action"], "audit.checkpoint");
    let made = server.cli().json(&CREATE);
    let entry = next();
    assert_eq!(entry["target"], format!("api_key:{}", made["id"].as_str().expect("an id")));
    assert_eq!((&entry["sequence"], &entry["details"]["service"]), (&5.into(), &"reports".into()));
    child.kill().expect("killed");
    child.wait().expect("waited");
}
