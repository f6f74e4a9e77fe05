//! Libraries for Python.

use serde_json::Value;

use super::{drive, open_server, setting, setting_with};
use crate::support::Server;
use crate::support::smtp::{programs, python};

/// Runs `python/<name>`.
fn run(name: &str, setting: &Value) {
    drive(python().as_os_str(), &programs().join("python").join(name), setting);
}

#[tokio::test]
async fn requests_oauthlib() {
    let server = open_server().await;
    let legacy = server.app_with("legacy", &["--grant", "password", "--grant", "refresh_token"]);
    let app = server.app("notes");
    run("requests_oauthlib_client.py", &setting_with(&server, &app, &[("legacy", &legacy)]));
}

#[tokio::test]
async fn authlib() {
    let server = open_server().await;
    run("authlib_client.py", &setting(&server, &server.app("notes")));
}

/// What Google's console calls a desktop application has a secret that is none; without one it
/// is a public client.
#[tokio::test]
async fn google_auth_oauthlib_with_its_flow_for_installed_applications() {
    let server = Server::start().await;
    let loopback = ["--redirect-uri", "http://127.0.0.1/"];
    let desktop = server.app_with("desktop", &loopback);
    let without = server.app_with("open", &[&loopback[..], &["--public"]].concat());
    let clients = [("desktop", &desktop), ("desktop_without_secret", &without)];
    run("google_auth_client.py", &setting_with(&server, &desktop, &clients));
}
