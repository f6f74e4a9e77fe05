//! The real binary, started on a free port with a data folder of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use grantor_core::store::Store;
pub(crate) use grantor_store::contract::servers::free_port;
use tempfile::TempDir;

use super::browser::{Browser, Page, client};
use super::cli::Cli;
use super::database::Database;
use super::lock::Lock;
use super::seen::Seen;

/// The binary under test.
pub(crate) const GRANTOR: &str = env!("CARGO_BIN_EXE_grantor");

/// The fixed admin token of most tests: it spares them a mail server.
pub(crate) const STATIC_TOKEN: &str = "correct-horse-battery-staple";

/// A running server. When it is dropped, its log and its data must be free of secrets.
pub(crate) struct Server {
    /// Its issuer and origin.
    pub(crate) issuer: String,
    /// Its TCP port.
    pub(crate) port: u16,
    /// Every secret that was seen.
    pub(crate) seen: Seen,
    database: Database,
    folder: TempDir,
    child: Option<Child>,
    starts: usize,
    checked: bool,
}

/// Settings of a server, to be changed before it starts.
pub(crate) struct Setup {
    table: toml::Table,
    port: u16,
    database: Database,
}

impl Setup {
    /// Sets one key by its path, such as `lifetimes.code`.
    #[must_use]
    pub(crate) fn set(mut self, path: &str, value: impl Into<toml::Value>) -> Self {
        let mut names: Vec<&str> = path.split('.').collect();
        let last = names.pop().expect("a name");
        let table = names.into_iter().fold(&mut self.table, |table, name| {
            let entry = table.entry(name).or_insert_with(|| toml::Table::new().into());
            entry.as_table_mut().expect("a table")
        });
        table.insert(last.to_owned(), value.into());
        self
    }

    /// On SQLite in any case: for tests that are about the file.
    #[must_use]
    pub(crate) fn in_a_file(mut self) -> Self {
        self.database = Database::File;
        self.set("store", "sqlite")
    }

    /// On a store of the test's own.
    #[must_use]
    pub(crate) fn on(mut self, database: Database) -> Self {
        self.database = database;
        let store = self.database.setting().to_owned();
        self.set("store", store)
    }

    /// Takes one key out again.
    #[must_use]
    pub(crate) fn unset(mut self, path: &str) -> Self {
        let (tables, last) = path.rsplit_once('.').unwrap_or(("", path));
        let names = tables.split('.').filter(|name| !name.is_empty());
        let table =
            names.fold(&mut self.table, |table, name| table[name].as_table_mut().expect("a table"));
        table.remove(last);
        self
    }

    /// The port that was found free.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Writes the configuration and starts the server.
    pub(crate) async fn start(self) -> Server {
        let mut server = self.prepare();
        server.start_again().await;
        server
    }

    /// Writes the configuration only.
    pub(crate) fn prepare(self) -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        let database = self.database;
        let issuer = self.table["issuer"].as_str().expect("a text").to_owned();
        let text = toml::to_string(&self.table).expect("TOML");
        fs::write(folder.path().join("grantor.toml"), text).expect("written");
        let seen = Seen::default();
        seen.add(STATIC_TOKEN);
        Server {
            issuer,
            port: self.port,
            seen,
            database,
            folder,
            child: None,
            starts: 0,
            checked: true,
        }
    }
}

impl Server {
    /// Settings for tests: static admin token, anybody at example.com, no rate limits.
    pub(crate) fn setup() -> Setup {
        let port = free_port();
        let database = Database::fresh();
        let store = database.setting();
        Setup { table: toml::Table::new(), port, database }
            .set("store", store)
            .set("issuer", format!("http://127.0.0.1:{port}"))
            .set("listen.port", i64::from(port))
            .set("listen.address", vec!["127.0.0.1"])
            .set("sample_api.enabled", true)
            .set("sign_in.sign_up", true)
            .set("sign_in.admin_token.mode", "static")
            .set("sign_in.admin_token.token", STATIC_TOKEN)
            .set("sign_in.admin_token.allowed", vec!["example.com"])
            .set("sign_in.admin_token.pause", "0s")
            .set("sign_in.admin_token.per_hour", 1000)
            .set("limits.interactive_client", 0)
            .set("limits.machine_client", 0)
            .set("limits.failed_client_auth", 0)
            .set("limits.sign_in", 0)
            .set("limits.pages", 0)
            .set("limits.registrations", 0)
            .set("log.level", "debug")
    }

    /// Another node, not started yet: with the settings and the key of this one, which has been
    /// started, a port and a folder of its own, and the store at `store`.
    pub(crate) fn another(&self, store: &str) -> Self {
        let text = fs::read_to_string(self.config()).expect("settings");
        let key = self.data().join("key-encryption.key").display().to_string();
        let setup = Setup {
            table: toml::from_str(&text).expect("TOML"),
            port: free_port(),
            database: Database::Elsewhere(store.to_owned()),
        };
        let port = i64::from(setup.port);
        let mut node = setup
            .set("listen.port", port)
            .set("listen.metrics", format!("127.0.0.1:{}", free_port()))
            .set("store", store)
            .set("keys.key_encryption_key_file", key)
            .prepare();
        node.seen = self.seen.clone();
        node
    }

    /// One with the settings for tests.
    pub(crate) async fn start() -> Self {
        Self::setup().start().await
    }

    /// Starts the process, for the first time or again on the same data.
    pub(crate) async fn start_again(&mut self) {
        self.spawn();
        self.wait_until_ready().await;
    }

    /// Starts the process without waiting for it.
    pub(crate) fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        self.starts += 1;
        self.checked = false;
        let log = File::create(self.log_path()).expect("a log");
        let mut command = Command::new(GRANTOR);
        command.arg("serve").arg("--config").arg(self.config()).arg("--data").arg(self.data());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        self.child = Some(command.spawn().expect("the binary starts"));
    }

    async fn wait_until_ready(&mut self) {
        let (http, url) = (client(), format!("{}/readyz", self.probe()));
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let child = self.child.as_mut().expect("running");
            if let Some(status) = child.try_wait().expect("a child") {
                panic!("the server ended ({status}):\n{}", self.log());
            }
            assert!(Instant::now() < until, "not ready in 30 s:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }

    /// Where it listens, whatever its issuer says.
    pub(crate) fn probe(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The command line on the same configuration and data.
    pub(crate) fn cli(&self) -> Cli {
        Cli::new(&self.config(), &self.data(), self.seen.clone())
    }

    /// A new browser.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.issuer, self.seen.clone())
    }

    /// A request of a program, without cookies.
    pub(crate) async fn request(&self, request: reqwest::RequestBuilder) -> Page {
        let request = request.build().expect("a request");
        let url = request.url().to_string();
        let response = client().execute(request).await.unwrap_or_else(|e| panic!("{url}: {e:?}"));
        Page::read(response, &url, &self.seen).await
    }

    /// A GET of a program.
    pub(crate) async fn get(&self, path: &str) -> Page {
        self.request(client().get(self.url(path))).await
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("grantor.toml")
    }

    /// A folder beside the data, for whatever else a test needs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A number of the metrics, if it listens for them; 0 when it is not there.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = fs::read_to_string(self.config()).expect("settings");
        let settings: toml::Table = toml::from_str(&text).expect("TOML");
        let address = settings["listen"]["metrics"].as_str().expect("an address");
        let url = format!("http://{address}/metrics");
        let text = client().get(url).send().await.expect("answered").text().await.expect("text");
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.rsplit(' ').next());
        value.map_or(0, |value| value.parse().expect("a number"))
    }

    /// What the process wrote since its last start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}.txt", self.starts))
    }

    /// What the store has written where it keeps things.
    pub(crate) fn stored(&self) -> Vec<u8> {
        self.database.bytes(&self.data())
    }

    /// What the SQL answers, as the sqlite3 shell prints it.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.database.sql(&self.data(), sql)
    }

    /// The database finds nothing wrong with itself.
    pub(crate) fn assert_whole(&self) {
        self.database.assert_whole(&self.data());
    }

    /// Keeps everybody else from writing to the store.
    pub(crate) async fn lock(&self) -> Lock {
        self.database.lock(&self.data()).await
    }

    /// Keeps everybody else from using some tables of a Postgres database.
    pub(crate) async fn hold(&self, tables: &str) -> Lock {
        self.database.hold(tables).await
    }

    /// The store, as another process opens it.
    pub(crate) async fn open_store(&self) -> Arc<dyn Store> {
        self.database.open(&self.data()).await
    }

    /// Ends the process at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("running");
        child.kill().expect("killed");
        child.wait().expect("waited");
    }

    /// Sends a signal (`TERM`, `INT`).
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Stops the process as an operator would; returns its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("running");
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = child.try_wait().expect("a child") {
                return status.code();
            }
            sleep(Duration::from_millis(10));
        }
        child.kill().expect("killed");
        child.wait().expect("waited");
        panic!("the server did not end within 20 s:\n{}", self.log());
    }

    /// Nothing secret stands in the logs or, in clear, in the data folder.
    pub(crate) fn assert_no_secret_leaked(&self) {
        for start in 1..=self.starts {
            let path = self.folder.path().join(format!("log-{start}.txt"));
            let log = fs::read(&path).expect("a log");
            let found = self.seen.found_in(&log);
            let text = String::from_utf8_lossy(&log);
            assert!(found.is_empty(), "the log has {found:?}:\n{text}");
            assert!(!text.contains("panicked at"), "a panic:\n{text}");
        }
        self.seen.assert_not_below(&self.data());
        let found = self.seen.found_in(&self.stored());
        assert!(found.is_empty(), "the store has in clear: {found:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {}:\n{}", self.issuer, tail(&self.log()));
            if self.child.is_some() {
                self.kill();
            }
            return;
        }
        if self.child.is_some() {
            // Killed, so that the write-ahead log is looked at too.
            self.kill();
        }
        if !self.checked {
            self.assert_no_secret_leaked();
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
