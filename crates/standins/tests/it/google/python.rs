//! Client libraries for Python, unchanged, complete a flow by themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use standins::google::Client;

use super::support::{ADA, BACK, Google, ID};

/// As Google's are. Some of these libraries do not encode a secret for Basic.
const SECRET: &str = "GOCSPX-xQ3kz1pV7aB9cD2eF4gH6jK8";

/// What a program is told: the stand-in, a client, and who sits in front of it.
fn setting(google: &Google) -> Value {
    json!({
        "issuer": google.base,
        "client_id": ID,
        "client_secret": SECRET,
        "redirect_uri": BACK,
        "account": ADA,
    })
}

/// Runs a program of `clients/google`, which must end well. Not on a thread of the runtime: the
/// stand-in answers from there.
async fn run(script: &str, setting: Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/google").join(script);
    let python = python();
    let program = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python);
        command.arg(path).arg(setting.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.output().expect("Python runs")
    });
    let output = program.await.expect("no panic");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}:\n{out}{err}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test driver says where it put Python's packages"
)]
fn python() -> PathBuf {
    let path = std::env::var("GRANTOR_TEST_PYTHON").expect(
        "GRANTOR_TEST_PYTHON names no Python with the packages of \
         crates/server/tests/clients/python/requirements.txt: scripts/test makes one",
    );
    path.into()
}

#[tokio::test]
async fn google_auth_oauthlib_as_a_web_application() {
    let google = Google::with(vec![Client::new(ID, SECRET, BACK)]).await;
    run("google_auth_web.py", setting(&google)).await;
}

#[tokio::test]
async fn google_auth_oauthlib_as_an_installed_application() {
    let mut client = Client::new(ID, SECRET, BACK);
    client.redirect_uris.clear();
    client.desktop = true;
    let google = Google::with(vec![client]).await;
    run("google_auth_installed.py", setting(&google)).await;
}

#[tokio::test]
async fn authlib_by_discovery() {
    let google = Google::with(vec![Client::new(ID, SECRET, BACK)]).await;
    run("authlib_client.py", setting(&google)).await;
}
