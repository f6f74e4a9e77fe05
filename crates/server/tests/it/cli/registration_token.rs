//! `grantor registration-token`

use serde_json::json;

use crate::support::Server;

#[test]
fn a_token_is_made_listed_and_removed() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let made =
        cli.json(&["registration-token", "add", "--uses", "3", "--note", "for the notes team"]);
    let token = made["token"].as_str().expect("a token");
    assert!(token.starts_with("grt_ia_"), "{made}");
    let listed = cli.json(&["registration-token", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!((&listed[0]["id"], &listed[0]["uses_left"]), (&made["id"], &json!(3)));
    assert!(listed[0].get("token").is_none(), "shown once only: {listed}");
    let table = cli.ok(&["registration-token", "list"]);
    assert!(table.contains("for the notes team") && !table.contains("grt_ia_"), "{table}");
    let id = made["id"].as_str().expect("an id");
    assert_eq!(cli.json(&["registration-token", "remove", id])["removed"], id);
    assert_eq!(cli.json(&["registration-token", "list"]), json!([]));
    let again = cli.run(&["registration-token", "remove", id]);
    assert_eq!((again.code, again.err.lines().count()), (Some(1), 1), "{again:?}");
    server.assert_no_secret_leaked();
}

#[test]
fn for_people_it_is_said_to_be_shown_only_now() {
    let server = Server::setup().prepare();
    let out = server.cli().ok(&["registration-token", "add", "--unlimited", "--lifetime", "12h"]);
    assert!(out.contains("grt_ia_") && out.contains("shown only now"), "{out}");
    assert!(out.contains("any number of times"), "{out}");
}

#[test]
fn a_token_that_registers_nothing_is_refused() {
    let server = Server::setup().prepare();
    for (options, code) in [
        (&["--uses", "0"][..], 1),
        (&["--lifetime", "0s"], 1),
        (&["--lifetime", "soon"], 2),
        (&["--uses", "2", "--unlimited"], 2),
        (&["--uses", "-1"], 2),
    ] {
        let arguments = [&["registration-token", "add"][..], options].concat();
        assert_eq!(server.cli().run(&arguments).code, Some(code), "{options:?}");
    }
    assert_eq!(server.cli().run(&["registration-token", "remove", "x"]).code, Some(1));
}
