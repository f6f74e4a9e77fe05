//! `grantor client import` and `grantor client export`

use serde_json::{Value, json};

use crate::support::{App, Server, Tokens};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn machine(id: &str, secret: &str) -> App {
    App { id: id.to_owned(), secret: Some(secret.to_owned()), redirect_uri: String::new() }
}

/// As another server keeps its clients.
fn theirs() -> Value {
    json!({
        "client_id": "abcd1234",
        "client_secret": "secret5678",
        "grant_type": ["client_credentials", "refresh_token"],
        "scope": "read",
    })
}

fn import(server: &Server, clients: &Value) -> Value {
    server.cli().json_with(&["client", "import", "-"], &clients.to_string())
}

/// The one line that says why nothing was imported.
fn refused(server: &Server, text: &str) -> String {
    let before = server.sql("SELECT count(*) FROM oauth2_client");
    let ran = server.cli().run_with(&["client", "import", "-", "--replace"], text);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{text}: {ran:?}");
    assert_eq!(server.sql("SELECT count(*) FROM oauth2_client"), before, "half imported: {text}");
    ran.err
}

#[tokio::test]
async fn clients_of_another_server_work_with_the_secrets_they_have() {
    let server = Server::start().await;
    server.seen.add("secret5678");
    server.seen.add("another-secret");
    let mut keyed = json!({ "second": theirs() });
    keyed["second"].as_object_mut().expect("an object").remove("client_id");
    keyed["second"]["client_secret"] = json!("another-secret");
    keyed["second"]["grant_type"] = json!("client_credentials");
    assert_eq!(import(&server, &json!([theirs()]))["imported"], json!(["abcd1234"]));
    assert_eq!(import(&server, &keyed)["imported"], json!(["second"]));
    let kept = server.sql("SELECT client_secret FROM oauth2_client");
    assert_eq!(kept.lines().filter(|line| line.starts_with("$argon2id$")).count(), 2, "{kept}");

    let first = machine("abcd1234", "secret5678");
    let tokens = Tokens::of(&server.token(&first, &GRANT).await);
    assert_eq!(server.bearer("/api-secure-data", &tokens.access).await.status, 200);
    for _ in 0..5 {
        assert_eq!(server.refresh(&first, &tokens.refresh).await.status, 200);
    }
    assert_eq!(server.refresh(&first, &tokens.refresh).await.status, 400, "five uses");
    let again = Tokens::of(&server.token(&first, &GRANT).await);
    Tokens::of(&server.token(&first, &GRANT).await);
    assert_eq!(server.bearer("/protected", &again.access).await.status, 401, "replaced");
    let second = machine("second", "another-secret");
    assert!(Tokens::of(&server.token(&second, &GRANT).await).refresh.is_empty());
}

#[tokio::test]
async fn what_is_exported_is_restored_as_it_was() {
    let (from, to) = (Server::start().await, Server::start().await);
    let notes = from.app("notes");
    from.public_app("phone");
    from.seen.add("hunter2-hunter2");
    let add = ["client", "add", "m", "--grant", "client_credentials", "--secret-stdin"];
    from.cli().json_with(&add, "hunter2-hunter2");
    let file = from.folder().join("clients.json");
    let path = file.to_str().expect("text");
    let said = from.cli().json(&["client", "export", path]);
    assert_eq!(said["exported"], 3, "{said}");
    let text = std::fs::read_to_string(&file).expect("readable");
    assert!(from.seen.found_in(text.as_bytes()).is_empty(), "a secret in clear");
    let mode = std::process::Command::new("stat").args(["-c", "%a", path]).output().expect("stat");
    assert_eq!(String::from_utf8_lossy(&mode.stdout).trim(), "600");

    assert_eq!(to.cli().ok(&["client", "import", path]).trim(), "Imported 3 clients.");
    assert_eq!(to.cli().ok(&["client", "export"]), from.cli().ok(&["client", "export"]));
    let tokens = to.tokens(&notes, "ada").await;
    assert_eq!(to.refresh(&notes, &tokens.refresh).await.status, 200);
    assert_eq!(to.token(&machine("m", "hunter2-hunter2"), &GRANT).await.status, 200);
}

#[test]
fn a_sealed_secret_moves_only_with_its_key() {
    let (from, to) = (Server::setup().prepare(), Server::setup().prepare());
    let add = [
        "client",
        "add",
        "s",
        "--grant",
        "client_credentials",
        "--auth-method",
        "client_secret_jwt",
    ];
    from.cli().json(&add);
    let exported = from.cli().ok(&["client", "export"]);
    assert!(exported.contains("\"sealed:"), "{exported}");
    from.cli().ok(&["client", "remove", "s"]);
    from.cli().json_with(&["client", "import", "-"], &exported);
    to.cli().json(&["client", "list"]);
    let why = refused(&to, &exported);
    assert!(why.contains("entry 1 (\"s\")") && why.contains("key-encryption key"), "{why}");
}

#[test]
fn one_bad_entry_is_named_and_nothing_is_imported() {
    let server = Server::setup().prepare();
    server.cli().json(&["client", "list"]);
    let with = |member: &str, value: Value| {
        let mut bad = theirs();
        bad["client_id"] = json!("bad");
        bad[member] = value;
        json!([theirs(), bad]).to_string()
    };
    for (member, value, reason) in [
        ("client_secret", json!(null), "authenticates"),
        ("client_secret", json!("short"), "8 to 200"),
        ("client_secret", json!(7), "string"),
        ("client_secret", json!("sha256:abc"), "form that an export writes"),
        ("client_secret", json!("$argon2id$x"), "argon2id"),
        ("grant_type", json!("magic"), "magic"),
        ("grant_type", json!(7), "grant_types"),
        ("grant_type", json!("authorization_code"), "redirect"),
        ("grant_types", json!(["client_credentials"]), "both"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "javascript"),
        ("redirect_uri", json!("https://a.example/#x"), "fragment"),
        ("scope", json!("admin"), "admin"),
        ("scope", json!([1]), "scope"),
        ("colour", json!("red"), "colour"),
        ("registration_token", json!("x"), "registration_token"),
    ] {
        let why = refused(&server, &with(member, value.clone()));
        let named = why.contains("entry 2 (\"bad\")") && why.contains("nothing was imported");
        assert!(named && why.contains(reason), "{member}: {value}: {why}");
    }
    let why = refused(&server, &json!([theirs(), theirs()]).to_string());
    assert!(why.contains("entry 2 (\"abcd1234\")") && why.contains("entry 1"), "{why}");
    let why = refused(&server, "{\"a\":{},\"a\":{}}");
    assert!(why.contains("twice"), "{why}");
    let why = refused(&server, &json!({ "key": theirs() }).to_string());
    assert!(why.contains("client_id"), "{why}");
    let why = refused(&server, "[{\"grant_type\":\"client_credentials\"}, 7]");
    assert!(why.contains("entry 2"), "{why}");
    for text in ["", "7", "null", "[", "{} {}", "[1]", "{\"a\":1}"] {
        refused(&server, text);
    }
}

#[test]
fn a_client_that_is_there_is_replaced_only_when_asked() {
    let server = Server::setup().prepare();
    let made = server.cli().json(&["client", "add", "abcd1234", "--grant", "client_credentials"]);
    assert_eq!(made["scope"], "read");
    let mut other = theirs();
    other["client_id"] = json!("first");
    let mut changed = theirs();
    changed["scope"] = json!(["read", "write"]);
    let both = json!([other, changed]).to_string();
    let ran = server.cli().run_with(&["client", "import", "-"], &both);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("entry 2 (\"abcd1234\")") && ran.err.contains("--replace"), "{ran:?}");
    assert_eq!(server.cli().json(&["client", "list"]).as_array().map(Vec::len), Some(1));
    server.cli().json_with(&["client", "import", "-", "--replace"], &both);
    assert_eq!(server.cli().json(&["client", "show", "abcd1234"])["scope"], "read write");
    let gone = server.cli().run(&["client", "import", "/no/such/file.json"]);
    assert_eq!((gone.code, gone.err.lines().count()), (Some(1), 1), "{gone:?}");
}
