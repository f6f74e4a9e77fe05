//! The stand-ins as a program.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_standins");

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the test noticed then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and waits for the address that it tells.
fn start(arguments: &[&str]) -> (Running, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).stderr(Stdio::piped()).env("NO_COLOR", "1");
    let mut child = command.spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let running = Running(child);
    let line = lines.map_while(Result::ok).find(|line| line.contains("http://"));
    let line = line.expect("it says where it listens");
    let at = line.find("http://").expect("found above");
    (running, line[at..].trim().to_owned())
}

#[tokio::test]
async fn google_serves_the_people_and_clients_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("google.json");
    let config = r#"{"people": [{"sub": "7", "email": "x@y.example", "name": "X"}],
        "clients": [{"id": "c", "secret": "s", "redirect_uris": ["http://localhost:1/"]}]}"#;
    std::fs::write(&path, config).expect("written");
    let path = path.to_str().expect("text");
    let (_running, base) = start(&[
        "google",
        "--listen",
        "127.0.0.1:0",
        "--config",
        path,
        "--client",
        "d,t,http://localhost:2/",
    ]);
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    for id in ["c", "d"] {
        let body = serde_json::json!({"client_id": id, "account": "7", "scopes": ["openid"]});
        let answer = http.post(format!("{base}/_control/issue")).json(&body).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), 200, "{id}");
        assert!(answer.json::<Value>().await.expect("JSON")["access_token"].is_string());
    }
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    for (arguments, word) in [
        (["google", "--config", "/nowhere/google.json"], "/nowhere/google.json"),
        (["google", "--client", "only-an-id"], "--client"),
        (["google", "--listen", "256.0.0.1:1"], "--listen"),
    ] {
        let output = Command::new(BINARY).args(arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(word), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn the_others_serve_the_client_that_they_are_told() {
    let client = ["--listen", "127.0.0.1:0", "--client", "c,s,http://localhost:1/"];
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
    let strict = ["--basic-only", "--grace", "30", "--no-expires-in"];
    let rotating = [&["rotating"], &client[..], &strict].concat();
    let catalogue = [&["catalogue"], &client[..]].concat();
    for (arguments, path) in [(rotating, "/token"), (catalogue, "/spotify/api/token")] {
        let (_running, base) = start(&arguments);
        let ask = |secret| {
            let form = [("grant_type", "client_credentials")];
            http.post(format!("{base}{path}")).basic_auth("c", Some(secret)).form(&form).send()
        };
        assert_eq!(ask("s").await.expect("an answer").status(), 200, "{path}");
        assert!(ask("t").await.expect("an answer").status().is_client_error(), "{path}");
    }
}
