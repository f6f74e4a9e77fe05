//! What tables and bars look like, on a terminal and elsewhere.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::connections::KeyFile;

/// Enough that a bar is drawn before it is over.
const MANY: usize = 300;

/// A server with accounts of a provider.
async fn connected(count: usize) -> Server {
    let server = Server::setup()
        .set("integrations.google.client_id", "client")
        .set("integrations.google.client_secret", "secret-at-the-provider")
        .prepare();
    server.cli().ok(&["vault", "status"]);
    server.connections(&KeyFile::of(&server), "google", count).await;
    server
}

fn ids(server: &Server) -> Vec<String> {
    let listed = server.cli().json(&["connection", "list"]);
    let id = |own: &Value| own["connection_id"].as_str().expect("an id").to_owned();
    listed.as_array().expect("a list").iter().map(id).collect()
}

#[tokio::test]
async fn ids_and_moments_are_whole_however_wide_the_terminal_is() {
    let server = connected(3).await;
    let cli = server.cli();
    let ids = ids(&server);
    for width in [80, 100, 120, 200] {
        let out = cli.terminal(width, &["connection", "list"]).out;
        let lines: Vec<_> = out.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {out}");
        assert!(lines[0].starts_with("id ") && lines[0].contains("subject"), "{width}: {out}");
        for (line, id) in lines[1..].iter().zip(&ids) {
            assert_eq!(line.split_whitespace().next(), Some(id.as_str()), "{width}: {out}");
            let broken = |word: &str| word.starts_with("2027-") && !word.ends_with('Z');
            assert!(!line.split_whitespace().any(broken), "{width}: {out}");
        }
        let says = "A wider terminal, or --json, also has: ";
        assert_eq!(out.contains(says), !lines[0].contains("last used"), "{width}: {out}");
    }
    let made = cli.json(&[
        "apikey",
        "create",
        "--service",
        "reports",
        "--any-integration",
        "--connection",
        &ids[0],
    ]);
    for (width, fits) in [(80, false), (120, true)] {
        let out = cli.terminal(width, &["apikey", "list"]).out;
        assert!(out.contains(made["id"].as_str().expect("an id")), "{out}");
        assert_eq!((out.contains(&ids[0]), out.contains("con_")), (fits, fits), "{width}: {out}");
    }
}

#[tokio::test]
async fn a_row_is_a_line_where_nobody_looks() {
    let server = connected(2).await;
    let out = server.cli().ok(&["connection", "list"]);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    for (n, (line, id)) in lines[1..].iter().zip(ids(&server)).enumerate() {
        let (subject, sub) = (format!("user-{n}"), format!("sub-{n}"));
        let cells: Vec<_> = line.split_whitespace().collect();
        let wanted = [&id, "active", "google", &subject, &sub, "2027-01-15T08:00:00Z", "-"];
        assert_eq!(cells, wanted, "{out}");
    }
}

#[tokio::test]
async fn long_work_has_a_bar_on_a_terminal_and_none_in_a_pipe() {
    let server = connected(MANY).await;
    let cli = server.cli();
    let file = server.folder().join("connections.jsonl");
    let line = |n: usize| {
        json!({
            "integration": "google", "subject": format!("new-{n}"), "sub": format!("sub-{n}"),
            "refresh_token": format!("a-token-of-the-tests-{n}"),
        })
    };
    let lines: Vec<_> = (0..MANY).map(|n| line(n).to_string()).collect();
    std::fs::write(&file, lines.join("\n")).expect("written");
    let import = ["connection", "import", file.to_str().expect("text")];
    let shown = cli.terminal(100, &import).out;
    assert!(shown.contains(&format!("of {MANY} connections")), "{shown:?}");
    assert!(shown.contains(&format!("Imported {MANY} connections.")), "{shown:?}");
    let piped = cli.run(&[&import[..], &["--replace"]].concat());
    let said = format!("Imported 0 connections.\nReplaced the tokens of {MANY} connections.\n");
    assert_eq!((piped.out, piped.err.as_str()), (said, ""));

    let (old, new) = (KeyFile::of(&server), KeyFile::make(server.folder(), "next.key"));
    server.set_keys(&new, &[&old]);
    let shown = cli.terminal(100, &["vault", "rewrap"]).out;
    assert!(shown.contains(" values, ") && shown.contains("Sealed anew under"), "{shown:?}");
    server.set_keys(&old, &[&new]);
    let piped = cli.run(&["vault", "rewrap"]);
    assert!(piped.err.is_empty() && !piped.out.contains(" values, "), "{piped:?}");
}
