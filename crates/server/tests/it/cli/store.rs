//! `grantor store`: whole stores, copied, backed up and restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::cli::{Ran, grantor};
use crate::support::connections::{KeyFile, opened};
use crate::support::server::GRANTOR;
use crate::support::{Request, Server, Tokens, assert_error};

const UNKNOWN: &str = "The refresh token is unknown, expired, revoked or used up.";

/// The whole way: written while the server is used, lost, put back; and what was spent in between
/// stays spent.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_in_use_is_restored_and_nothing_that_was_spent_is_valid() {
    let mut server = Server::setup()
        .set("integrations.google.client_id", "client")
        .set("integrations.google.client_secret", "secret-at-the-provider")
        .start()
        .await;
    server.person("ada", "a password of ada");
    let (phone, five) =
        (server.public_app("phone"), server.app_with("five", &["--refresh", "reuse:5"]));
    let notes = server.app("notes");
    let key = KeyFile::of(&server);
    let connections = server.connections(&key, "google", 3).await;
    let on_phone = server.tokens(&phone, "ada").await;
    let (in_five, in_notes) =
        (server.tokens(&five, "ada").await, server.tokens(&notes, "ada").await);
    let browser = server.browser();
    let request = Request::of(&notes);
    let code = server.code(&browser, "ada", &request).await;

    let file = server.folder().join("today.backup");
    let name = file.to_str().expect("text");
    let written = server.cli().json(&["store", "backup", name]);
    assert_private_and_sealed(&server, &file);
    let rotated = Tokens::of(&server.refresh(&phone, &on_phone.refresh).await);
    assert_eq!(server.refresh(&five, &in_five.refresh).await.status, 200);
    assert_eq!(server.redeem(&notes, &request, &code).await.status, 200);
    let later = server.tokens(&notes, "ada").await;
    assert_eq!(server.stop(), Some(0));

    lose(&server);
    let restored = server.cli().json(&["store", "restore", name]);
    assert_eq!(restored["made_at"], written["made_at"]);
    let left_out = json!({ "authorization_code": 1, "token_family": 2 });
    assert_eq!(restored["left_out"], left_out, "{restored}");
    server.start_again().await;
    for (app, spent) in
        [(&phone, &on_phone), (&phone, &rotated), (&five, &in_five), (&notes, &later)]
    {
        assert_error(&server.refresh(app, &spent.refresh).await, 400, "invalid_grant", UNKNOWN);
    }
    let redeemed = server.redeem(&notes, &request, &code).await;
    assert_eq!((redeemed.status, &redeemed.json()["error"]), (400, &json!("invalid_grant")));
    // What is not spent by being used goes on.
    assert_eq!(server.refresh(&notes, &in_notes.refresh).await.status, 200);
    assert_eq!(server.bearer("/protected", &on_phone.access).await.status, 200);
    assert_eq!(server.bearer("/protected", &later.access).await.status, 401);
    let again = server.code(&browser, "nobody who would sign in", &request).await;
    assert_eq!(server.redeem(&notes, &request, &again).await.status, 200, "the session lives");
    assert!(!server.tokens(&phone, "ada").await.refresh.is_empty(), "signing in works");
    let store = server.open_store();
    for (id, tokens) in &connections {
        let found = opened(&store, &key.ring(&[]), *id).await;
        assert!(found.is_some_and(|own| own == *tokens), "{id}");
    }
    store.close();
    let sound = server.cli().json(&["audit", "verify"]);
    assert_eq!(sound["sound"], true, "{sound}");
    assert_eq!(server.sql("SELECT sum(connections) FROM connection_count"), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_what_is_not_empty_and_a_backup_over_a_file_are_refused() {
    let server = Server::start().await;
    server.person("ada", "a password of ada");
    let file = server.folder().join("today.backup");
    let name = file.to_str().expect("text");
    server.cli().ok(&["store", "backup", name]);
    let before = fs::read(&file).expect("is there");
    let ran = server.cli().run(&["store", "backup", name]);
    assert_one_line(&ran, &["there is a file", "choose another name"]);
    assert_eq!(fs::read(&file).expect("is there"), before);
    for options in [&["--dry-run"][..], &[]] {
        let ran = server.cli().run(&[&["store", "restore", name], options].concat());
        assert_one_line(&ran, &["user_account 1", "signing_key 4", "Name an empty store"]);
    }
    assert_eq!(server.sql("SELECT count(*) FROM user_account"), "1");
    let parts = fs::read_dir(server.folder()).expect("a folder");
    let names = parts.map(|own| own.expect("readable").file_name().into_string().expect("text"));
    assert!(names.into_iter().all(|own| !own.contains(".part-")), "nothing half written is left");
}

#[tokio::test]
async fn a_backup_that_was_changed_or_cut_off_is_refused_before_anything_is_written() {
    let mut server = Server::start().await;
    server.person("ada", "a password of ada");
    let file = server.folder().join("today.backup");
    let name = file.to_str().expect("text");
    server.cli().ok(&["store", "backup", name]);
    assert_eq!(server.stop(), Some(0));
    lose(&server);
    let whole = fs::read_to_string(&file).expect("text");
    let changed = whole.replace("ada@example.com", "eve@example.com");
    let without = whole.replacen(whole.lines().nth(3).expect("a record"), "", 1);
    for (damaged, says) in [
        (changed.as_str(), "its checksum is another one"),
        (&whole[..whole.len() / 2], "its end is missing"),
        (&without, "it is damaged"),
        (&format!("{whole}{whole}"), "there is something after its end"),
        ("{}\n", "it is not a backup of Grantor"),
        ("", "its end is missing"),
    ] {
        fs::write(&file, damaged).expect("written");
        assert_one_line(&server.cli().run(&["store", "restore", name]), &[says, name]);
        assert!(!server.data().join("grantor.db").exists(), "{says}");
    }
    fs::write(&file, &whole).expect("written");
    let planned = server.cli().json(&["store", "restore", name, "--dry-run"]);
    assert_eq!(planned["tables"]["user_account"]["records"], 1, "{planned}");
    assert!(!server.data().join("grantor.db").exists());
    assert!(server.cli().ok(&["store", "restore", name]).contains("Restored"));
    server.start_again().await;
    assert_eq!(server.sql("SELECT email FROM user_account"), "ada@example.com");
}

/// Killed in the middle of it, a copy goes on; nobody uses its half.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_killed_goes_on_and_what_was_spent_stays_spent() {
    let mut server = Server::start().await;
    let app = server.public_app("phone");
    let (browser, request) = (server.browser(), Request::of(&app));
    let code = server.code(&browser, "ada", &request).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &code).await);
    let next = Tokens::of(&server.refresh(&app, &tokens.refresh).await);
    assert_eq!(server.stop(), Some(0));
    many_tokens(&server, 150_000);
    let other = server.folder().join("other");
    let (from, to) = (format!("sqlite:{}", server.data().display()), address(&other));
    let child = in_background(&["store", "copy", &from, &to, "--json"]);
    until_some_are_copied(&other);
    kill(child);
    let planned = server.cli().json(&["store", "copy", &from, &to, "--dry-run"]);
    assert_eq!(planned["resumed"], true, "{planned}");
    fs::copy(server.data().join("key-encryption.key"), other.join("key-encryption.key"))
        .expect("copied");
    let used = grantor(&["key", "list", "--data", other.to_str().expect("text")]);
    assert_one_line(&used, &["half of a copy", "run `grantor store copy`"]);

    let copied = server.cli().json(&["store", "copy", &from, &to]);
    let number = |name: &str| copied[name].as_u64().expect("a number");
    assert_eq!((&copied["resumed"], number("removed")), (&json!(true), 0));
    assert!((1..number("records")).contains(&number("written")), "{copied}");
    let refused = server.cli().run(&["store", "copy", &from, &to]);
    assert_one_line(&refused, &["there is something in it already", "access_token 15000"]);

    lose(&server);
    fs::rename(other.join("grantor.db"), server.data().join("grantor.db")).expect("moved");
    server.start_again().await;
    assert_eq!(server.refresh(&app, &next.refresh).await.status, 200, "what is not spent works");
    let replayed = server.redeem(&app, &request, &code).await;
    assert_eq!(replayed.json()["error"], "invalid_grant", "{replayed:?}");
    let ended = server.bearer("/protected", &next.access).await;
    assert_eq!(ended.status, 401, "the replay was noticed, so the code was known as spent");
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    let server = Server::start().await;
    server.person("ada", "a password of ada");
    let other = server.folder().join("other");
    let from = address(&server.data().join("grantor.db"));
    let planned = server.cli().json(&["store", "copy", &from, &address(&other), "--dry-run"]);
    assert_eq!((&planned["dry_run"], &planned["resumed"]), (&json!(true), &json!(false)));
    let tables = planned["tables"].as_array().expect("a list");
    assert!(tables.contains(&json!({ "table": "user_account", "records": 1 })), "{planned}");
    let text = server.cli().ok(&["store", "copy", &from, &address(&other), "--dry-run"]);
    assert!(text.contains("user_account") && text.contains("Would copy"), "{text}");
    assert!(!other.exists());
    let nothing = server.cli().run(&["store", "copy", &address(&other), &from, "--dry-run"]);
    assert_one_line(&nothing, &["FROM", "there is no database"]);
    assert!(!other.exists());
}

#[tokio::test]
async fn a_copy_is_told_in_a_table_and_in_json_and_shows_a_bar_on_a_terminal_only() {
    let server = Server::start().await;
    server.person("ada", "a password of ada");
    let from = address(&server.data());
    let to = |name: &str| address(&server.folder().join(name));
    let ran = server.cli().run(&["store", "copy", &from, &to("one")]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.out.contains("Copied and compared"), "{ran:?}");
    let copied = server.cli().json(&["store", "copy", &to("one"), &to("two")]);
    let users = copied["tables"].as_array().expect("a list");
    let users = users.iter().find(|own| own["table"] == "user_account").expect("is there");
    assert_eq!((&users["records"], &users["written"]), (&json!(1), &json!(1)));
    assert!(ran.out.contains(&users["sha256"].as_str().expect("text")[..16]), "the same checksum");
    let seen = server.cli().terminal(100, &["store", "copy", &from, &to("three")]);
    assert!(
        seen.out.contains("records copied") && seen.out.contains("records compared"),
        "{seen:?}"
    );
}

/// Neither what is wrong with an address, nor a file that has it, shows the password.
#[test]
fn an_address_that_is_wrong_is_explained_without_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("address");
    fs::write(&file, "mysql://grantor:hunter2@db.internal/grantor\n").expect("written");
    let named = format!("file:{}", file.display());
    for from in ["mysql://grantor:hunter2@db.internal/grantor", &named] {
        let ran = grantor(&["store", "copy", from, "sqlite:/nowhere"]);
        assert_one_line(&ran, &["FROM", "sqlite:PATH"]);
        assert!(!ran.err.contains("hunter2") && !ran.err.contains("db.internal"), "{}", ran.err);
    }
    fs::write(&file, address(&folder.path().join("nothing"))).expect("written");
    let ran = grantor(&["store", "copy", &named, "sqlite:/nowhere"]);
    assert_one_line(&ran, &["there is no database"]);
}

fn address(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn assert_one_line(ran: &Ran, says: &[&str]) {
    assert_eq!((ran.code, ran.err.lines().count()), (Some(1), 1), "{ran:?}");
    assert!(says.iter().all(|part| ran.err.contains(part)), "{says:?}: {}", ran.err);
}

fn assert_private_and_sealed(server: &Server, file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(file).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let found = server.seen.found_in(&fs::read(file).expect("readable"));
    assert!(found.is_empty(), "in the backup: {found:?}");
}

/// The disk with the database is gone; the key is kept elsewhere.
fn lose(server: &Server) {
    for end in ["", "-wal", "-shm"] {
        let path = PathBuf::from(format!("{}{end}", server.data().join("grantor.db").display()));
        assert!(fs::remove_file(path).is_ok() || !end.is_empty());
    }
}

/// So many that a copy can be killed in the middle.
fn many_tokens(server: &Server, count: u32) {
    server.sql(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO access_token SELECT randomblob(16), randomblob(32), NULL, 'phone', 'read', NULL,
             NULL, 1, 9999999999 FROM n"
    ));
}

fn in_background(arguments: &[&str]) -> Child {
    let mut command = Command::new(GRANTOR);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the binary starts")
}

/// Waits until there are tokens in the other database.
fn until_some_are_copied(folder: &Path) {
    let (file, until) = (folder.join("grantor.db"), Instant::now() + Duration::from_secs(60));
    let count = || {
        let mut shell = Command::new("sqlite3");
        shell.args(["-readonly", "-cmd", ".timeout 5000"]).arg(&file);
        let output =
            shell.arg("SELECT count(*) FROM (SELECT 1 FROM access_token LIMIT 1000)").output();
        String::from_utf8(output.expect("sqlite3 is there").stdout).expect("text")
    };
    while count().trim() != "1000" {
        assert!(Instant::now() < until, "nothing is copied");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kill(mut child: Child) {
    assert_eq!(child.try_wait().expect("a child"), None, "killed too late");
    child.kill().expect("killed");
    child.wait().expect("waited");
}
