//! Libraries for Node.

use std::ffi::OsStr;

use serde_json::Value;

use super::{drive, open_server, setting, setting_with};
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
async fn openid_client_with_the_grants_that_need_no_code() {
    let server = open_server().await;
    run("openid_client_grants.mjs", &setting(&server, &server.app("notes")));
}

#[tokio::test]
async fn oauth4webapi() {
    let server = open_server().await;
    let signed = ["--access-token-format", "jwt", "--grant", "client_credentials", "--grant"];
    let signed = [&signed[..], &["urn:ietf:params:oauth:grant-type:token-exchange"]].concat();
    let signed = server.app_with("signed", &signed);
    let clients = [("signed", &signed)];
    run("oauth4webapi_client.mjs", &setting_with(&server, &server.app("notes"), &clients));
}

#[tokio::test]
async fn simple_oauth2() {
    let server = open_server().await;
    let app = server.app_with("notes", &["--no-pkce"]);
    let legacy = server.app_with("legacy", &["--grant", "password"]);
    run("simple_oauth2_client.mjs", &setting_with(&server, &app, &[("legacy", &legacy)]));
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
    let server = open_server().await;
    let legacy = server.app_with("legacy", &["--grant", "password"]);
    let app = server.app("notes");
    run("badgateway_client.mjs", &setting_with(&server, &app, &[("legacy", &legacy)]));
}
