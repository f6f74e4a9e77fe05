//! The stores of the tests: `GRANTOR_TEST_STORE` says which (`sqlite`, the default; `postgres`;
//! `redis`).
//!
//! Tests look into tables and change them with SQL as SQLite speaks it. For Postgres, what it does
//! not know is defined in the schema of the test. What is in Redis is carried into a SQLite file,
//! and what the SQL has changed there is carried back.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use grantor_core::store::Store;
use grantor_store::contract::servers::{PostgresServer, RedisServer};
use grantor_store::postgres::{self, Postgres};
use grantor_store::redis::{self, Redis};
use grantor_store::sqlite::{self, Sqlite};
use grantor_store::transfer::{changes, records};

use super::lock::Lock;

/// What the SQL of the tests needs beyond Postgres.
const LIKE_SQLITE: &str = include_str!("like_sqlite.sql");

/// Where a server keeps things.
pub(crate) enum Database {
    /// A file in the data folder.
    File,
    /// A schema of its own in the server that the tests of this process share.
    Postgres {
        /// As the settings have it.
        url: String,
        /// Its schema.
        schema: String,
    },
    /// A server of its own.
    Redis(Box<RedisServer>),
    /// A store that somebody else looks after, by its URL.
    Elsewhere(String),
}

impl Database {
    /// An empty one of the kind that is asked for.
    pub(crate) fn fresh() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "which store to test says who runs the tests"
        )]
        let asked = std::env::var("GRANTOR_TEST_STORE");
        match asked.as_deref() {
            Err(_) | Ok("sqlite") => Self::File,
            Ok("postgres") => Self::schema(),
            Ok("redis") => Self::Redis(Box::new(RedisServer::start(&[]))),
            Ok(other) => panic!("GRANTOR_TEST_STORE is sqlite, postgres or redis, not {other}"),
        }
    }

    fn schema() -> Self {
        static SERVER: LazyLock<&PostgresServer> = LazyLock::new(|| {
            let server = PostgresServer::shared();
            // SQLite's truth is a number.
            psql(
                &server.url(),
                "UPDATE pg_cast SET castcontext = 'a' WHERE castsource = 'integer'::regtype
                     AND casttarget = 'boolean'::regtype",
            );
            server
        });
        Self::schema_in(&SERVER)
    }

    /// A schema of its own in a server, which must be there when this is dropped.
    pub(crate) fn schema_in(server: &PostgresServer) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = server.url();
        let psql = |sql: &str| psql(&server, sql);
        psql(&format!("CREATE SCHEMA {schema}; SET search_path TO {schema}; {LIKE_SQLITE}"));
        let url = format!("{server}?options=-csearch_path%3D{schema}");
        Self::Postgres { url, schema }
    }

    /// The setting `store`.
    pub(crate) fn setting(&self) -> String {
        match self {
            Self::File => "sqlite".to_owned(),
            Self::Postgres { url, .. } | Self::Elsewhere(url) => url.clone(),
            Self::Redis(server) => server.url(),
        }
    }

    /// What the SQL answers, as the sqlite3 shell prints it.
    pub(crate) fn sql(&self, data: &Path, sql: &str) -> String {
        match self {
            Self::File => {
                let answer = sqlite3(&data.join("grantor.db"), sql);
                // The server may read for ten milliseconds more what was there before:
                // `sqlite/snapshots.rs`.
                if !sql.starts_with("SELECT") {
                    std::thread::sleep(Duration::from_millis(20));
                }
                answer
            }
            Self::Postgres { url, .. } | Self::Elsewhere(url) => {
                let truth = |field: &str| match field {
                    "t" => "1".to_owned(),
                    "f" => "0".to_owned(),
                    other => other.to_owned(),
                };
                let row = |row: &str| row.split('|').map(truth).collect::<Vec<_>>().join("|");
                let answer = psql(url, &in_postgres(sql));
                if ["oauth2_client", "api_key"].iter().any(|cached| sql.contains(cached))
                    && !sql.starts_with("SELECT")
                {
                    // As whoever changes what nodes keep in memory; they hear of it at once.
                    psql(url, "UPDATE cache_generation SET generation = generation + 1");
                    psql(url, "NOTIFY grantor_records");
                    std::thread::sleep(Duration::from_millis(50));
                }
                answer.lines().map(row).collect::<Vec<_>>().join("\n")
            }
            Self::Redis(server) => by_itself(in_image(&server.url(), sql)),
        }
    }

    /// The store as another process opens it.
    pub(crate) async fn open(&self, data: &Path) -> Arc<dyn Store> {
        match self {
            Self::File => {
                let store = Sqlite::open(&data.join("grantor.db"), &sqlite::Options::default());
                Arc::new(store.expect("the database opens"))
            }
            Self::Elsewhere(url) if !url.starts_with("postgres") => {
                let store = Box::pin(Redis::open(url, &redis::Options::default())).await;
                Arc::new(store.expect("Redis opens"))
            }
            Self::Postgres { url, .. } | Self::Elsewhere(url) => {
                let store = Box::pin(Postgres::open(url, &postgres::Options::default())).await;
                Arc::new(store.expect("the database opens"))
            }
            Self::Redis(server) => {
                let url = server.url();
                let store = Box::pin(Redis::open(&url, &redis::Options::default())).await;
                Arc::new(store.expect("Redis opens"))
            }
        }
    }

    /// Keeps everybody else from writing.
    pub(crate) async fn lock(&self, data: &Path) -> Lock {
        match self {
            Self::File => {
                let mut shell = Command::new("sqlite3");
                shell.arg("-bail").arg(data.join("grantor.db"));
                let begin = "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE; SELECT 'locked';";
                Lock::take(shell, begin, "ROLLBACK;").await
            }
            Self::Postgres { url, .. } | Self::Elsewhere(url) => {
                let begin = "BEGIN; LOCK TABLE connection, credential IN EXCLUSIVE MODE;
                     SELECT 'locked';";
                Lock::take(psql_shell(url), begin, "ROLLBACK;").await
            }
            Self::Redis(server) => {
                let mut shell = Command::new("redis-cli");
                shell.args(["-p", &server.port().to_string()]);
                let begin = "CLIENT PAUSE 600000 WRITE\nECHO locked";
                Lock::take(shell, begin, "CLIENT UNPAUSE").await
            }
        }
    }

    /// Keeps everybody else from using some tables of a Postgres database.
    pub(crate) async fn hold(&self, tables: &str) -> Lock {
        let lock = format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE");
        let begin = format!("BEGIN; {lock}; SELECT 'locked';");
        Lock::take(psql_shell(&self.setting()), &begin, "ROLLBACK;").await
    }

    /// Everything that is written down, as bytes: files as they are, tables as text, with what is
    /// binary in it also as it is.
    pub(crate) fn bytes(&self, data: &Path) -> Vec<u8> {
        match self {
            Self::File => {
                let files = ["grantor.db", "grantor.db-wal", "grantor.db-shm"];
                let read = |name| std::fs::read(data.join(name)).unwrap_or_default();
                files.into_iter().flat_map(read).collect()
            }
            Self::Postgres { url, schema } => {
                let tables =
                    format!("SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'");
                let select = |table: &str| format!("SELECT own::text FROM {table} AS own;");
                let all: String = psql(url, &tables).lines().map(select).collect();
                with_bytes(&psql(url, &all))
            }
            // What is written stands there before it is acknowledged.
            Self::Redis(server) => all_below(server.folder()),
            Self::Elsewhere(_) => Vec::new(),
        }
    }

    /// The database finds nothing wrong with itself.
    pub(crate) fn assert_whole(&self, data: &Path) {
        if let Self::File = self {
            assert_eq!(self.sql(data, "PRAGMA integrity_check"), "ok");
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { url, schema } = self
            && !std::thread::panicking()
        {
            psql(url, &format!("SET client_min_messages = error; DROP SCHEMA {schema} CASCADE"));
        }
    }
}

/// What the SQL answers, asked of a database file with the sqlite3 shell.
pub(crate) fn sqlite3(database: &Path, sql: &str) -> String {
    // A server writes too; a write waits for the one before it.
    let mut shell = Command::new("sqlite3");
    printed(shell.args(["-bail", "-cmd", ".timeout 5000"]).arg(database).arg(sql), sql)
}

/// What the SQL answers of a SQLite file that has all that is in Redis; what it changes there is
/// changed in Redis.
async fn in_image(url: &str, sql: &str) -> String {
    let redis = Redis::open(url, &redis::Options::default()).await.expect("Redis opens");
    let before = records(&redis).await.expect("read");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("image.db");
    let image = Sqlite::open(&path, &sqlite::Options::default()).expect("a database");
    changes(&[], &before).apply(&image).await.expect("carried over");
    let answer = sqlite3(&path, sql);
    if !sql.starts_with("SELECT") {
        let after = records(&image).await.expect("read");
        changes(&before, &after).apply(&redis).await.expect("carried back");
    }
    image.close();
    redis.close().await;
    answer
}

/// Waits for work that needs a runtime, of whoever has none to spare.
fn by_itself<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        scope.spawn(move || runtime.block_on(work)).join().expect("no panic")
    })
}

/// All files of a folder.
fn all_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        all.extend(match path.is_dir() {
            true => all_below(&path),
            false => std::fs::read(&path).unwrap_or_default(),
        });
    }
    all
}

fn psql(url: &str, sql: &str) -> String {
    printed(psql_shell(url).args(["--command", sql]), sql)
}

fn psql_shell(url: &str) -> Command {
    let mut shell = Command::new("psql");
    shell.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]);
    shell.args(["--set", "ON_ERROR_STOP=1", "--dbname", url]);
    shell
}

fn printed(shell: &mut Command, sql: &str) -> String {
    let output = shell.output().expect("the shell is there: scripts/test installs it");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

/// SQLite's SQL with the few things replaced that no definition helps with.
fn in_postgres(sql: &str) -> String {
    let rest = match sql.strip_prefix("PRAGMA") {
        Some(pragma) => pragma.split_once(';').map_or("", |(_, rest)| rest),
        None => sql,
    };
    // Every second part is the text of a literal; x'00' is text in hexadecimal.
    let mut own = String::new();
    let mut parts = rest.split('\'');
    while let Some(before) = parts.next() {
        let outside = |own: &str| !own.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        match (before.strip_suffix('x').filter(|own| outside(own)), parts.next()) {
            (_, None) => own.push_str(before),
            (Some(before), Some(hex)) => own.push_str(&format!("{before}'\\x{hex}'::bytea")),
            (None, Some(text)) => own.push_str(&format!("{before}'{text}'")),
        }
    }
    own
}

/// Text with what stands in it as `\x00` also as bytes.
fn with_bytes(text: &str) -> Vec<u8> {
    let mut all = text.as_bytes().to_vec();
    for run in text.split("\\x").skip(1) {
        let digits: Vec<u8> = run.bytes().take_while(u8::is_ascii_hexdigit).collect();
        all.push(b'\n');
        all.extend(digits.chunks_exact(2).filter_map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).ok()
        }));
    }
    all
}
