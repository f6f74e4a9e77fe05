//! Where a Grantor keeps things: its own file, or a throwaway server that is measured with it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use grantor_core::store::Store;
use grantor_store::postgres::{self, Postgres};
use grantor_store::redis::{self, Redis};
use grantor_store::sqlite::{self, Sqlite};
use serde::Serialize;
use tempfile::TempDir;

use crate::process;

/// The same server as the tests have, but durable.
const POSTGRES: &str = include_str!("../../store/src/contract/servers/postgres.sh");

/// Postgres refuses to run as root.
const AS_NOBODY: &str = r#"if [ "$(id -u)" -eq 0 ]
then exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$0" postgres "$@"
else exec sh -c "$0" postgres "$@"
fi"#;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
pub(crate) enum Kind {
    /// A file in the data folder.
    Sqlite,
    /// A Postgres on this machine.
    Postgres,
    /// A Redis on this machine, with `appendfsync always`.
    Redis,
}

impl Kind {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        }
    }
}

/// A place. A server that was started for it ends with it.
pub(crate) enum Place {
    /// The file of a data folder.
    File,
    /// A throwaway server, by the URL of its socket.
    Server {
        /// Its kind.
        kind: Kind,
        /// As the settings have it.
        url: String,
        /// Its process.
        pid: u32,
        /// What ends it: a script that reads its input to the end, or the process itself.
        keeper: Child,
        /// Its folder, where that is not the keeper's.
        folder: Option<TempDir>,
    },
}

impl Place {
    /// A new one, whose data is on the same disk as `beside`.
    pub(crate) fn start(kind: Kind, beside: &Path) -> Result<Self> {
        match kind {
            Kind::Sqlite => Ok(Self::File),
            Kind::Postgres => Self::postgres(beside),
            Kind::Redis => Self::redis(beside),
        }
    }

    fn postgres(beside: &Path) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", AS_NOBODY, POSTGRES, "trust", "fsync = on", "shared_buffers = 128MB"]);
        // Its user has to be able to write there.
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?;
        open_to_all(folder.path())?;
        command.env("TMPDIR", folder.path()).current_dir("/");
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().context("is piped")?).read_line(&mut line)?;
        let own = PathBuf::from(line.trim());
        ensure!(own.is_dir(), "Postgres did not start: is Debian's package postgresql there?");
        let pid = fs::read_to_string(own.join("data/postmaster.pid"))?;
        let pid = pid.lines().next().context("no pid")?.parse()?;
        let url = format!(
            "postgres://grantor:secret@{}/postgres",
            own.display().to_string().replace('/', "%2F")
        );
        Ok(Self::Server { kind: Kind::Postgres, url, pid, keeper, folder: Some(folder) })
    }

    fn redis(beside: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(beside)?;
        let socket = folder.path().join("redis.sock");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "yes"]);
        command.args(["--appendfsync", "always", "--unixsocket"]).arg(&socket);
        command.arg("--dir").arg(folder.path()).stdout(Stdio::null()).stdin(Stdio::null());
        let keeper = command.spawn().context("cannot start Redis: is redis-server installed?")?;
        let since = Instant::now();
        while !socket.exists() {
            ensure!(since.elapsed() < PATIENCE, "Redis does not start");
            sleep(Duration::from_millis(10));
        }
        let url = format!("unix://{}", socket.display());
        let pid = keeper.id();
        Ok(Self::Server { kind: Kind::Redis, url, pid, keeper, folder: Some(folder) })
    }

    /// The URL, if it is not a file.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::File => None,
            Self::Server { url, .. } => Some(url),
        }
    }

    /// The store, whose file is `database` if it is one.
    pub(crate) async fn open(&self, database: &Path) -> Result<Arc<dyn Store>> {
        Ok(match self {
            Self::File => Arc::new(Sqlite::open(database, &sqlite::Options::default())?),
            Self::Server { kind: Kind::Redis, url, .. } => {
                Arc::new(Redis::open(url, &redis::Options::default()).await?)
            }
            Self::Server { kind: Kind::Postgres | Kind::Sqlite, url, .. } => {
                Arc::new(Postgres::open(url, &postgres::Options::default()).await?)
            }
        })
    }

    /// Processor time of its server so far, of all its processes.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        match self {
            Self::File => Ok(Duration::ZERO),
            Self::Server { pid, .. } => process::cpu_of_family(*pid),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Server { kind, keeper, folder, .. } = self {
            match kind {
                // The script ends it and removes its folder.
                Kind::Postgres => drop(keeper.stdin.take()),
                Kind::Redis | Kind::Sqlite => drop(keeper.kill()),
            }
            // Nothing can be done about a server that does not end.
            drop(keeper.wait());
            drop(folder.take());
        }
    }
}

fn open_to_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?)
}
