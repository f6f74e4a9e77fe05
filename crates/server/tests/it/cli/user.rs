//! `grantor user`

use crate::support::Server;

#[test]
fn accounts_are_added_and_listed() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let made = cli.json_with(
        &["user", "add", "--username", "ada", "--email", "Ada@Example.com", "--password-stdin"],
        "correct horse battery\n",
    );
    assert_eq!((&made["username"], &made["email"]), (&"ada".into(), &"ada@example.com".into()));
    assert!(made.get("password").is_none(), "{made}");
    let generated = cli.json(&["user", "add", "--username", "bob", "--generate-password"]);
    let password = generated["password"].as_str().expect("shown once");
    server.seen.add(password);
    assert!(password.len() >= 12, "{password}");

    let list = cli.json(&["user", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert!(!list.to_string().contains("argon2") && !list.to_string().contains("password"));
    let table = cli.ok(&["user", "list"]);
    assert!(table.contains("ada@example.com") && table.contains("active"), "{table}");
    let hashes = server.sql("SELECT password FROM user_account");
    assert!(hashes.lines().all(|hash| hash.starts_with("$argon2id$")), "{hashes}");
    server.seen.add("correct horse battery");
    server.seen.assert_not_below(&server.data());
}

#[test]
fn what_makes_no_sense_is_one_line() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    cli.ok(&["user", "add", "--username", "ada", "--email", "ada@example.com"]);
    for arguments in [
        &["user", "add"][..],
        &["user", "add", "--email", "nonsense"],
        &["user", "add", "--username", "ada"],
        &["user", "add", "--username", "other", "--email", "ADA@example.com"],
        &["user", "disable", "nobody"],
        &["user", "set-password", "nobody", "--generate-password"],
    ] {
        let ran = cli.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
        assert!(ran.err.starts_with("grantor: "), "{}", ran.err);
    }
    let short = cli.run_with(&["user", "set-password", "ada", "--password-stdin"], "short");
    assert_eq!(short.code, Some(1), "{short:?}");
    assert!(short.err.contains("10"), "the least length is named: {}", short.err);
    assert!(!short.err.contains("short\""), "{}", short.err);
}
