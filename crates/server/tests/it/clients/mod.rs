//! Client libraries of others, unchanged, drive Grantor.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::smtp::{programs, python};
use crate::support::{App, STATIC_TOKEN, Server};

/// Runs a client program, which must end well.
fn drive(server: &Server, app: &App, alg: &str, program: &OsStr, script: &Path) {
    let setting = json!({
        "issuer": server.issuer,
        "client_id": app.id,
        "client_secret": app.secret,
        "redirect_uri": app.redirect_uri,
        "alg": alg,
        "email": "ada@example.com",
        "token": STATIC_TOKEN,
    });
    let mut command = Command::new(program);
    command.arg(script).arg(setting.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{out}{err}", script.display());
}

#[tokio::test]
async fn requests_oauthlib() {
    let server = Server::start().await;
    let app = server.app("notes");
    let script = programs().join("python/requests_oauthlib_client.py");
    drive(&server, &app, "ES256", python().as_os_str(), &script);
}

#[tokio::test]
async fn authlib() {
    let server = Server::start().await;
    let app = server.app("notes");
    let script = programs().join("python/authlib_client.py");
    drive(&server, &app, "ES256", python().as_os_str(), &script);
}

#[tokio::test]
async fn openid_client_with_every_algorithm_and_without_a_secret() {
    let server = Server::start().await;
    let script = programs().join("node/openid_client.mjs");
    let installed = programs().join("node/node_modules/openid-client");
    assert!(installed.exists(), "{} is not there: run scripts/test once", installed.display());
    for (alg, options) in [
        ("ES256", &["--public"][..]),
        ("RS256", &["--refresh", "rotate"]),
        ("PS256", &[]),
        ("EdDSA", &[]),
    ] {
        let options = [options, &["--id-token-alg", alg]].concat();
        let app = server.app_with(&alg.to_lowercase(), &options);
        drive(&server, &app, alg, OsStr::new("node"), &script);
    }
}
