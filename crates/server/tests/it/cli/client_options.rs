//! `grantor client add` for every kind of client, and `rotate-secret` for every kind of secret.

use serde_json::json;

use crate::support::{App, Server, Tokens};

const GRANT: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[test]
fn every_grant_has_a_name_on_the_command_line() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let made = cli.json(&[
        "client",
        "add",
        "all",
        "--redirect-uri",
        "https://all.example/cb",
        "--grant",
        "authorization_code",
        "--grant",
        "refresh_token",
        "--grant",
        "client_credentials",
        "--grant",
        "implicit",
        "--grant",
        "password",
        "--grant",
        "device_code",
        "--grant",
        "token_exchange",
        "--grant",
        "jwt_bearer",
        "--response-type",
        "code",
        "--response-type",
        "token id_token",
    ]);
    assert_eq!(made["grant_types"].as_array().map(Vec::len), Some(8), "{made}");
    assert_eq!(made["response_types"], json!(["code", "id_token token"]));
    let long = "urn:ietf:params:oauth:grant-type:device_code";
    let made = cli.json(&["client", "add", "tv", "--public", "--grant", long]);
    assert_eq!(made["grant_types"], json!([long]));
}

#[test]
fn a_redirect_uri_is_needed_where_there_are_redirects() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    for grant in ["authorization_code", "implicit"] {
        let ran = cli.run(&["client", "add", "a", "--grant", grant]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains("redirect"), "{}", ran.err);
    }
    let machine = cli.json(&["client", "add", "m", "--grant", "client_credentials"]);
    assert_eq!((&machine["scope"], &machine["refresh"]["uses"]), (&json!("read"), &json!(5)));
    for uri in ["javascript:alert(1)", "https://*.a.example/", "https://a.example/#x", "app:/cb"] {
        let ran = cli.run(&["client", "add", "a", "--redirect-uri", uri]);
        assert_eq!(ran.code, Some(1), "{uri}: {ran:?}");
    }
    let shapes = [
        &["--public", "--grant", "client_credentials"][..],
        &["--grant", "refresh_token"],
        &["--grant", "client_credentials", "--response-type", "code"],
        &["--grant", "client_credentials", "--auth-method", "private_key_jwt"],
        &["--grant", "client_credentials", "--name", "a\u{202e}b"],
        &["--grant", "client_credentials", "--resource-server-for", "not a URI"],
    ];
    for options in shapes {
        let ran = cli.run(&[&["client", "add", "a"], options].concat());
        assert_eq!((ran.code, ran.err.lines().count()), (Some(1), 1), "{options:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_secret_can_be_chosen() {
    let server = Server::start().await;
    let secret = "hunter2-hunter2";
    server.seen.add(secret);
    let add = ["client", "add", "m", "--grant", "client_credentials", "--secret-stdin"];
    let made = server.cli().json_with(&add, &format!("{secret}\n"));
    assert!(made.get("client_secret").is_none(), "who chose it knows it: {made}");
    assert_eq!(server.cli().json(&["client", "show", "m"])["secret_kept_as"], "argon2id");
    let app = App { id: "m".into(), secret: Some(secret.into()), redirect_uri: String::new() };
    assert_eq!(server.token(&app, &GRANT).await.status, 200);

    let file = server.folder().join("secret.txt");
    std::fs::write(&file, secret).expect("written");
    let file = file.to_str().expect("text");
    let add = ["client", "add", "n", "--grant", "client_credentials", "--secret-file", file];
    server.cli().ok(&add);
    assert_eq!(server.token(&App { id: "n".into(), ..app.clone() }, &GRANT).await.status, 200);
    let short = server.cli().run_with(
        &["client", "add", "o", "--grant", "client_credentials", "--secret-stdin"],
        "short",
    );
    assert_eq!(short.code, Some(1), "{short:?}");
}

#[tokio::test]
async fn every_kind_of_secret_is_replaced_in_kind() {
    let server = Server::start().await;
    server.seen.add("hunter2-hunter2");
    let cli = server.cli();
    let base = ["client", "add", "m", "--grant", "client_credentials"];
    cli.json_with(&[&base[..], &["--secret-stdin"]].concat(), "hunter2-hunter2");
    let rotated = cli.json(&["client", "rotate-secret", "m"]);
    let secret = rotated["client_secret"].as_str().map(str::to_owned);
    assert_eq!(cli.json(&["client", "show", "m"])["secret_kept_as"], "sha256");
    let app = App { id: "m".into(), secret, redirect_uri: String::new() };
    assert_eq!(server.token(&app, &GRANT).await.status, 200);

    let signs = [
        "client",
        "add",
        "s",
        "--grant",
        "client_credentials",
        "--auth-method",
        "client_secret_jwt",
    ];
    let before = cli.json(&signs);
    let after = cli.json(&["client", "rotate-secret", "s"]);
    assert_ne!(before["client_secret"], after["client_secret"]);
    assert_eq!(cli.json(&["client", "show", "s"])["secret_kept_as"], "sealed");

    let keys = server.folder().join("keys.json");
    std::fs::write(&keys, server.get("/jwks.json").await.body).expect("written");
    let keys = keys.to_str().expect("text");
    let options = ["--auth-method", "private_key_jwt", "--jwks-file", keys];
    cli.ok(&[&["client", "add", "k", "--grant", "client_credentials"], &options[..]].concat());
    let ran = cli.run(&["client", "rotate-secret", "k"]);
    assert!(ran.code == Some(1) && ran.err.contains("key"), "{ran:?}");
}

#[tokio::test]
async fn what_was_asked_for_is_shown_and_holds() {
    let server = Server::start().await;
    let issuer = server.issuer.clone();
    let made = server.cli().json(&[
        "client",
        "add",
        "m",
        "--grant",
        "client_credentials",
        "--grant",
        "refresh_token",
        "--access-token-format",
        "jwt",
        "--access-token-alg",
        "EdDSA",
        "--on-new-token",
        "revoke_previous",
        "--resource-server-for",
        &issuer,
        "--auth-method",
        "client_secret_post",
    ]);
    let secret = made["client_secret"].as_str().map(str::to_owned);
    let shown = server.cli().json(&["client", "show", "m"]);
    for (name, value) in [
        ("access_token_format", json!("jwt")),
        ("access_token_signed_response_alg", json!("EdDSA")),
        ("on_new_token", json!("revoke_previous")),
        ("resource_server_for", json!([issuer])),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("manages_itself", json!(false)),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let app = App { id: "m".into(), secret, redirect_uri: String::new() };
    let tokens = Tokens::of(&server.token(&app, &GRANT).await);
    assert_eq!(crate::support::decode(&tokens.access).0["alg"], "EdDSA");
    let table = server.cli().ok(&["client", "show", "m"]);
    assert!(table.contains("resource_server_for") && table.contains("revoke_previous"), "{table}");
}
