//! Starts that cannot work: one clear line and exit code 1.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::cli::{Ran, run};
use crate::support::server::GRANTOR;
use crate::support::{Server, free_port};

#[track_caller]
fn assert_one_line(ran: &Ran, says: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines: Vec<&str> = ran.err.trim_end().lines().collect();
    assert_eq!(lines.len(), 1, "{}", ran.err);
    assert!(lines[0].starts_with("grantor: ") && lines[0].contains(says), "{}", ran.err);
}

#[test]
fn a_taken_port() {
    let setup = Server::setup();
    let port = setup.port();
    let _taken = TcpListener::bind(("127.0.0.1", port)).expect("bound");
    let server = setup.prepare();
    assert_one_line(&server.cli().run(&["serve"]), &port.to_string());
    assert!(!server.data().join("grantor.db").exists(), "the data is not touched");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let server = Server::setup().prepare();
    let file = server.folder().join("a-file");
    fs::write(&file, "").expect("written");
    for data in ["/proc/grantor", &file.display().to_string(), &format!("{}/below", file.display())]
    {
        let mut command = Command::new(GRANTOR);
        command.args(["serve", "--config"]).arg(server.config()).args(["--data", data]);
        assert_one_line(&run(&mut command, ""), data);
    }
}

#[test]
fn a_taken_port_and_a_bad_folder_in_the_demo() {
    let server = Server::setup().prepare();
    let taken = quiet_listener();
    let port = taken.local_addr().expect("an address").port();
    let data = server.folder().join("demo").display().to_string();
    for port in [port, port - 1, port - 2] {
        let mut command = Command::new(GRANTOR);
        command.args(["demo", "--data", &data, "--port", &port.to_string()]);
        let ran = run(&mut command, "");
        assert_one_line(&ran, &taken.local_addr().expect("an address").port().to_string());
    }
    let mut command = Command::new(GRANTOR);
    command.args(["demo", "--data", "/proc/grantor", "--port", &(port - 10).to_string()]);
    assert_one_line(&run(&mut command, ""), "/proc/grantor");
}

/// A port whose neighbours are free, below those that the system gives to other tests.
fn quiet_listener() -> TcpListener {
    let bind = |port: u16| TcpListener::bind(("127.0.0.1", port)).ok();
    let mut ports = (28_020..32_000).step_by(20);
    let found =
        ports.find(|port| [port - 10, port - 9, port - 1].iter().all(|p| bind(*p).is_some()));
    found.and_then(bind).expect("a free port")
}

#[tokio::test]
async fn a_database_of_a_newer_version() {
    let mut server = Server::setup().in_a_file().start().await;
    assert_eq!(server.stop(), Some(0));
    let tables = server
        .sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%migration%'");
    let table = tables.lines().next().expect("a table of migrations").to_owned();
    let columns =
        server.sql(&format!("SELECT group_concat(name) FROM pragma_table_info('{table}')"));
    let newer: Vec<String> = columns
        .split(',')
        .map(|name| match name {
            "version" | "number" | "id" => format!("{name} + 1000"),
            other => other.to_owned(),
        })
        .collect();
    server.sql(&format!(
        "INSERT INTO {table} ({columns}) SELECT {} FROM {table} LIMIT 1",
        newer.join(",")
    ));
    let before = fs::read(server.data().join("grantor.db")).expect("readable");
    assert_one_line(&server.cli().run(&["serve"]), "newer");
    assert_one_line(&server.cli().run(&["client", "list"]), "newer");
    let after = fs::read(server.data().join("grantor.db")).expect("readable");
    assert!(before == after, "the file is left alone");
}

#[tokio::test]
async fn a_database_that_is_none_and_a_lost_key() {
    let mut server = Server::setup().in_a_file().start().await;
    assert_eq!(server.stop(), Some(0));
    let key = server.data().join("key-encryption.key");
    let kept = fs::read(&key).expect("readable");
    fs::write(&key, "ab".repeat(32)).expect("written");
    let ran = server.cli().run(&["serve"]);
    assert_eq!(ran.code, Some(1), "a wrong key: no start: {ran:?}");
    assert!(ran.err.contains("key"), "{}", ran.err);
    fs::write(&key, kept).expect("written");

    fs::write(server.data().join("grantor.db"), "this is no database, only text ".repeat(300))
        .expect("written");
    for extra in ["grantor.db-wal", "grantor.db-shm"] {
        // They may not be there after a clean stop.
        let _gone = fs::remove_file(server.data().join(extra));
    }
    assert_one_line(&server.cli().run(&["serve"]), "grantor.db");
}

/// A server that is away, and a URL that is none: quickly, and the password stays out of it.
#[test]
fn a_store_that_cannot_be_reached() {
    let away = free_port();
    for (url, says) in [
        (format!("postgres://grantor:s3cret-of-it@127.0.0.1:{away}/grantor"), "Postgres"),
        (format!("redis://:s3cret-of-it@127.0.0.1:{away}"), "Redis"),
        ("postgres://grantor:s3cret-of-it@db:port/grantor".to_owned(), "Postgres"),
        ("redis://:s3cret-of-it@redis:port".to_owned(), "Redis"),
    ] {
        let server = Server::setup().set("store", url.as_str()).prepare();
        let began = Instant::now();
        for command in [&["serve"][..], &["client", "list"]] {
            let ran = server.cli().run(command);
            assert_one_line(&ran, says);
            assert!(!ran.err.contains("s3cret"), "{}", ran.err);
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{url} takes {:?}", began.elapsed());
        let found = server.cli().run(&["doctor"]);
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(!found.out.contains("s3cret") && found.out.contains(says), "{}", found.out);
    }
}

#[test]
fn a_store_of_an_unknown_kind() {
    let server = Server::setup().set("store", "mysql://grantor:s3cret-of-it@db").prepare();
    let ran = server.cli().run(&["config", "check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("store: ") && ran.err.contains("postgres://"), "{}", ran.err);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
}
