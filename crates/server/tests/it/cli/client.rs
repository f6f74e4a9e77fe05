//! `grantor client`

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::support::{App, Request, Server};

#[test]
fn a_client_is_added_listed_shown_and_removed() {
    let server = Server::setup().prepare();
    let cli = server.cli();
    let made = cli.json(&[
        "client",
        "add",
        "notes",
        "--name",
        "Notes & more",
        "--redirect-uri",
        "https://n.example/cb",
        "--scope",
        "openid read",
        "--access-token-lifetime",
        "10m",
        "--refresh",
        "reuse:5",
    ]);
    assert_eq!(made["client_id"], "notes");
    assert!(made["client_secret"].as_str().is_some_and(|own| own.starts_with("grt_cs_")), "{made}");
    let shown = cli.json(&["client", "show", "notes"]);
    assert_eq!(shown["client_name"], "Notes & more");
    assert_eq!(shown["redirect_uris"], json!(["https://n.example/cb"]));
    assert_eq!(shown["lifetimes"]["access_token"], 600);
    assert_eq!(shown["id_token_signed_response_alg"], "ES256");
    assert!(shown.get("client_secret").is_none(), "shown once only: {shown}");
    assert_eq!(cli.json(&["client", "list"]).as_array().map(Vec::len), Some(1));
    let table = cli.ok(&["client", "list"]);
    assert!(table.contains("notes") && table.contains("confidential"), "{table}");

    let again = cli.run(&["client", "add", "notes", "--redirect-uri", "https://n.example/cb"]);
    assert_eq!((again.code, again.err.lines().count()), (Some(1), 1), "{again:?}");
    cli.ok(&["client", "remove", "notes"]);
    assert_eq!(cli.json(&["client", "list"]), json!([]));
    assert_eq!(cli.run(&["client", "show", "notes"]).code, Some(1));
}

#[test]
fn for_people_the_secret_is_said_to_be_shown_only_now() {
    let server = Server::setup().prepare();
    let out =
        server.cli().ok(&["client", "add", "notes", "--redirect-uri", "https://n.example/cb"]);
    assert!(out.contains("grt_cs_") && out.contains("shown only now"), "{out}");
    let public = ["client", "add", "phone", "--public", "--redirect-uri", "http://127.0.0.1/cb"];
    assert!(server.cli().ok(&public).contains("public client"));
}

#[tokio::test]
async fn the_table_can_be_read_with_the_sqlite3_shell_and_has_no_secret() {
    let server = Server::start().await;
    let app = server.app("notes");
    server.public_app("phone");
    let rows = server
        .sql("SELECT client_id, coalesce(client_secret, 'none') FROM oauth2_client ORDER BY 1");
    let rows: Vec<&str> = rows.lines().collect();
    assert!(rows[0].starts_with("notes|sha256:"), "{rows:?}");
    assert_eq!(rows[1], "phone|none");
    assert!(!rows[0].contains(app.secret.as_deref().expect("a secret")));
}

#[tokio::test]
async fn a_running_server_sees_a_change_within_a_second() {
    let server = Server::start().await;
    // Asked for before it is there, so that "unknown" would be remembered if it were.
    let late = App {
        id: "late".to_owned(),
        secret: None,
        redirect_uri: "https://late.example/callback".to_owned(),
    };
    let browser = server.browser();
    browser.get(&Request::of(&late).url(&server)).await.must_say("This application is not known");
    let app = server.app("late");
    sleep(Duration::from_secs(1)).await;
    let tokens = server.tokens(&app, "ada").await;

    let rotated = server.cli().json(&["client", "rotate-secret", "late"]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 401, "the old secret");
    let secret = rotated["client_secret"].as_str().map(ToOwned::to_owned);
    let app = App { secret, ..app };
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 200, "the new secret");

    server.cli().ok(&["client", "remove", "late"]);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(server.refresh(&app, &tokens.refresh).await.status, 401);
    assert_eq!(server.bearer("/protected", &tokens.access).await.status, 401);
    browser.get(&Request::of(&app).url(&server)).await.must_say("This application is not known");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let server = Server::setup().prepare();
    let uri = "https://a.example/cb";
    for (options, reason) in [
        (&["--scope", "openid admin"][..], "admin"),
        (&["--id-token-lifetime", "2d"], "day"),
        (&["--client-uri", "javascript:alert(1)"], "http"),
    ] {
        let arguments = [&["client", "add", "a", "--redirect-uri", uri][..], options].concat();
        let ran = server.cli().run(&arguments);
        assert_eq!(ran.code, Some(1), "{options:?}: {ran:?}");
        assert!(ran.err.contains(reason), "{options:?}: {}", ran.err);
    }
    for options in [
        &["--refresh", "sometimes"][..],
        &["--access-token-lifetime", "10"],
        &["--grant", "saml2"],
        &["--auth-method", "tls_client_auth"],
        &["--public", "--auth-method", "client_secret_basic"],
        &["--response-type", "none"],
        &["--access-token-format", "paseto"],
        &["--on-new-token", "sometimes"],
        &["--id-token-alg", "none"],
        &["--sign-in-method", "magic"],
        &["--public", "--no-pkce"],
    ] {
        let arguments = [&["client", "add", "a", "--redirect-uri", uri][..], options].concat();
        assert_eq!(server.cli().run(&arguments).code, Some(2), "{options:?}");
    }
    let spaced = server.cli().run(&["client", "add", "a b", "--redirect-uri", uri]);
    assert_eq!(spaced.code, Some(1), "{spaced:?}");
}
