//! Client libraries of others, unchanged, drive Grantor.

mod apache;
mod curl;
mod node;
mod python;
mod rust;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{App, STATIC_TOKEN, Server, client};

/// A password of the person `grace`.
const PASSWORD: &str = "to-err-is-human-42";

/// A server where anybody may register an application, and where old ones may send passwords.
async fn open_server() -> Server {
    let server = Server::setup()
        .set("registration.policy", "open")
        .set("grants.password", true)
        .start()
        .await;
    server.person("grace", PASSWORD);
    server
}

impl Server {
    /// Registers an application as a program does it (RFC 7591).
    async fn register(&self, metadata: &Value) -> App {
        let page = self.request(client().post(self.url("/register")).json(metadata)).await;
        assert_eq!(page.status, 201, "{page:?}");
        let (made, text) = (page.json(), |value: &Value| value.as_str().map(ToOwned::to_owned));
        App {
            id: text(&made["client_id"]).expect("a client_id"),
            secret: text(&made["client_secret"]),
            redirect_uri: text(&made["redirect_uris"][0]).unwrap_or_default(),
        }
    }
}

/// What a client program is told: the server, a person, and an application.
fn setting(server: &Server, app: &App) -> Value {
    json!({
        "issuer": server.issuer,
        "client_id": app.id,
        "client_secret": app.secret,
        "redirect_uri": app.redirect_uri,
        "email": "ada@example.com",
        "token": STATIC_TOKEN,
        "username": "grace",
        "password": PASSWORD,
    })
}

/// The same with further applications, by name.
fn setting_with(server: &Server, app: &App, others: &[(&str, &App)]) -> Value {
    let mut setting = setting(server, app);
    for (name, other) in others {
        setting["clients"][name] = json!({
            "client_id": other.id,
            "client_secret": other.secret,
            "redirect_uri": other.redirect_uri,
        });
    }
    setting
}

/// Runs a client program, which must end well.
fn drive(program: &OsStr, script: &Path, setting: &Value) {
    let mut command = Command::new(program);
    command.arg(script).arg(setting.to_string()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{out}{err}", script.display());
}
