//! Libraries for Node.

use std::ffi::OsStr;

use serde_json::Value;

use super::{drive, setting};
use crate::support::Server;
use crate::support::smtp::programs;

/// Runs `node/<name>`.
fn run(name: &str, setting: &Value) {
    let folder = programs().join("node");
    let installed = folder.join("node_modules/.package-lock.json");
    assert!(installed.exists(), "{} is not there: run scripts/test once", installed.display());
    drive(OsStr::new("node"), &folder.join(name), setting);
}

#[tokio::test]
async fn openid_client_with_every_algorithm_and_without_a_secret() {
    let server = Server::start().await;
    for (alg, options) in [
        ("ES256", &["--public"][..]),
        ("RS256", &["--refresh", "rotate"]),
        ("PS256", &[]),
        ("EdDSA", &[]),
    ] {
        let options = [options, &["--id-token-alg", alg]].concat();
        let app = server.app_with(&alg.to_lowercase(), &options);
        let mut setting = setting(&server, &app);
        setting["alg"] = alg.into();
        run("openid_client.mjs", &setting);
    }
}

#[tokio::test]
async fn oauth4webapi() {
    let server = Server::start().await;
    run("oauth4webapi_client.mjs", &setting(&server, &server.app("notes")));
}

#[tokio::test]
async fn simple_oauth2() {
    let server = Server::start().await;
    let app = server.app_with("notes", &["--no-pkce"]);
    run("simple_oauth2_client.mjs", &setting(&server, &app));
}

#[tokio::test]
async fn passport_oauth2() {
    let server = Server::start().await;
    // On any port: the program listens where it finds a free one.
    let app = server.app_with("notes", &["--redirect-uri", "http://127.0.0.1/callback"]);
    run("passport_client.mjs", &setting(&server, &app));
}

#[tokio::test]
async fn badgateway_oauth2_client() {
    let server = Server::start().await;
    run("badgateway_client.mjs", &setting(&server, &server.app("notes")));
}
