//! Nodes that share a Postgres: what one does, another knows.

mod limits;
mod time;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grantor_store::contract::servers::PostgresServer;

use crate::support::server::{GRANTOR, Setup};
use crate::support::{App, Page, Server, client, free_port};

/// The settings of a first node.
async fn setup() -> Setup {
    Server::setup().in_a_file().set("store", PostgresServer::shared().fresh().await)
}

/// Another node: it has the settings, the key and the store of the first, and a port and a folder of
/// its own.
struct Node<'s> {
    first: &'s Server,
    port: u16,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    child: Child,
}

impl<'s> Node<'s> {
    /// Starts one, with these environment variables.
    async fn start(first: &'s Server, variables: Vec<(String, String)>) -> Self {
        let port = free_port();
        let folder = first.folder().join(format!("node-{port}"));
        fs::create_dir(&folder).expect("a folder");
        let text = fs::read_to_string(first.config()).expect("settings");
        let mut settings: toml::Table = toml::from_str(&text).expect("TOML");
        let key = first.data().join("key-encryption.key").display().to_string();
        let keys = toml::Table::from_iter([("key_encryption_key_file".to_owned(), key.into())]);
        settings.insert("keys".to_owned(), keys.into());
        settings["listen"]["port"] = i64::from(port).into();
        let text = toml::to_string(&settings).expect("TOML");
        fs::write(first.folder().join(format!("node-{port}.toml")), text).expect("written");
        let log = File::create(folder.join("log.txt")).expect("a log");
        let mut serve = command(first, port, &variables, &["serve"]);
        serve.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let child = serve.spawn().expect("the binary starts");
        let node = Self { first, port, folder, variables, child };
        node.wait_until_ready().await;
        node
    }

    async fn wait_until_ready(&self) {
        let until = Instant::now() + Duration::from_secs(30);
        let ready = || client().get(self.url("/readyz")).send();
        while !ready().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(Instant::now() < until, "not ready in 30 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A form that a client with a secret posts.
    async fn as_client(&self, app: &App, path: &str, pairs: &[(&str, &str)]) -> Page {
        let request = client().post(self.url(path)).basic_auth(&app.id, app.secret.as_ref());
        self.first.request(request.form(pairs)).await
    }

    /// What a command prints on this node.
    fn run(&self, arguments: &[&str]) -> String {
        let output = command(self.first, self.port, &self.variables, arguments).output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log.txt")).expect("a log")
    }
}

fn command(
    first: &Server,
    port: u16,
    variables: &[(String, String)],
    arguments: &[&str],
) -> Command {
    let mut command = Command::new(GRANTOR);
    command.args(arguments).arg("--config").arg(first.folder().join(format!("node-{port}.toml")));
    command.arg("--data").arg(first.folder().join(format!("node-{port}")));
    command.envs(variables.iter().cloned());
    command
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
        if std::thread::panicking() {
            eprintln!("--- log of another node:\n{}", self.log());
        } else {
            self.first.seen.assert_not_below(&self.folder);
        }
    }
}
