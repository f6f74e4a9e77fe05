//! A Postgres of Debian's packages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio_postgres::NoTls;

const SCRIPT: &str = include_str!("postgres.sh");

/// As another user, because Postgres refuses to run as root.
const AS_NOBODY: &str = r#"if [ "$(id -u)" -eq 0 ]
then exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "$0" postgres "$@"
else exec sh -c "$0" postgres "$@"
fi"#;

/// A server with its own folder. It ends when this is dropped, and when the process ends in whatever
/// way, because it watches a pipe that this process holds open.
pub struct PostgresServer {
    folder: PathBuf,
    control: Mutex<Control>,
    schemas: AtomicU32,
}

struct Control {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl PostgresServer {
    /// The server that the tests of this process share, which trusts everybody.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("trust", &[], None))
    }

    /// Starts a server that lets its user `grantor` (password `secret`) in as `auth` says, with
    /// `settings` in the form of `postgresql.conf`. `tls` is certificate and key in PEM, which are
    /// in `server.pem` then.
    pub fn start(auth: &str, settings: &[&str], tls: Option<&str>) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", AS_NOBODY, SCRIPT, auth]).args(settings);
        if let Some(pem) = tls {
            command.env("GRANTOR_TEST_TLS", pem);
        }
        Self::run(&mut command)
    }

    /// Starts a server that trusts everybody, with its folder in another one than usual, which
    /// everybody may use.
    pub fn start_in(place: &Path, settings: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", AS_NOBODY, SCRIPT, "trust"]).args(settings).env("TMPDIR", place);
        Self::run(&mut command)
    }

    /// Starts a server that follows this one, and can take its place.
    pub fn standby(&self) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", AS_NOBODY, SCRIPT, "trust"]).env("GRANTOR_TEST_PRIMARY", &self.folder);
        Self::run(&mut command)
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let commands = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("is piped"));
        let mut control = Control { child, commands, answers };
        let folder = control.answer();
        assert!(!folder.is_empty(), "Postgres did not start; is Debian's postgresql installed?");
        Self { folder: folder.into(), control: Mutex::new(control), schemas: AtomicU32::new(0) }
    }

    /// The URL of the database that every server has, by its socket.
    pub fn url(&self) -> String {
        format!("postgres://grantor:secret@{}/postgres", self.host())
    }

    /// The folder of the socket, in the form of a host in an URL.
    pub fn host(&self) -> String {
        self.folder.display().to_string().replace('/', "%2F")
    }

    /// The socket that clients connect to.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// What makes an URL mean a schema that nobody else uses: its parameter `options`.
    pub async fn fresh_schema(&self) -> String {
        let name = format!("own_{}", self.schemas.fetch_add(1, Ordering::Relaxed));
        let connect = tokio_postgres::connect(&self.url(), NoTls).await;
        let (client, connection) = connect.expect("the server answers");
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {name}")).await.expect("a schema is made");
        drop(client);
        connection.await.expect("no panic").expect("the connection ends in order");
        format!("options=-csearch_path%3D{name}")
    }

    /// The URL of a schema that nobody else uses.
    pub async fn fresh(&self) -> String {
        format!("{}?{}", self.url(), self.fresh_schema().await)
    }

    /// Ends the server as kill -9 does.
    pub fn kill(&self) {
        self.tell("kill");
    }

    /// Ends the server in order; connections are closed.
    pub fn stop(&self) {
        self.tell("stop");
    }

    /// Starts the server again, on what it has written.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// Starts the server again if it has ended by itself.
    pub fn start_if_ended(&self) {
        self.tell("revive");
    }

    /// Makes a standby take writes.
    pub fn promote(&self) {
        self.tell("promote");
    }

    fn tell(&self, command: &str) {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = control.commands.as_mut().expect("is open until it is dropped");
        writeln!(commands, "{command}").expect("the script listens");
        assert_eq!(control.answer(), "done", "{command}");
    }
}

impl Control {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the script answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        drop(self.commands.take());
        // Nothing can be done about a script that has failed to clean up.
        drop(self.child.wait());
    }
}
