//! A real SMTP server: aiosmtpd in a process of its own, which puts mails into a folder.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::server::{Setup, free_port};

/// A running SMTP server.
pub(crate) struct Smtp {
    /// Its port.
    pub(crate) port: u16,
    folder: TempDir,
    options: Vec<String>,
    child: Option<Child>,
}

/// A mail as it arrived.
#[derive(Debug)]
pub(crate) struct Mail {
    /// Whom the envelope names.
    pub(crate) to: Vec<String>,
    /// Headers and body as they are.
    pub(crate) raw: String,
}

impl Smtp {
    /// One without TLS and without accounts.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// One with options of `smtpd.py`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let mut smtp = Self::down(options);
        smtp.up();
        smtp
    }

    /// One that does not run yet.
    pub(crate) fn down(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self { port: free_port(), folder, options, child: None }
    }

    /// Starts it.
    pub(crate) fn up(&mut self) {
        let mut command = Command::new(python());
        command.arg(programs().join("python/smtpd.py")).arg(self.folder.path());
        command.args(["--port", &self.port.to_string()]).args(&self.options);
        let log = File::create(self.log()).expect("a log");
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("python starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        self.child = Some(child);
        assert!(line.starts_with("ready"), "smtpd.py did not start: {line:?}");
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("smtpd.log")
    }

    /// Waits until `count` mails are there.
    pub(crate) async fn mails(&self, count: usize) -> Vec<Mail> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let mails = self.all();
            if mails.len() >= count {
                return mails;
            }
            assert!(Instant::now() < until, "{} of {count} mails after 30 s", mails.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What is there now, in the order of arrival.
    pub(crate) fn all(&self) -> Vec<Mail> {
        let entries = fs::read_dir(self.folder.path()).expect("a folder");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("readable").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|own| own == "eml"));
        paths.sort();
        paths.iter().map(|path| Mail::read(path)).collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing to do about a process that is gone already.
            let _gone = child.kill();
            let _gone = child.wait();
        }
        // It warns at every start and of every client that hangs up: of use to a failed test only.
        if std::thread::panicking() {
            eprintln!("smtpd.py said:\n{}", fs::read_to_string(self.log()).unwrap_or_default());
        }
    }
}

impl Mail {
    fn read(path: &Path) -> Self {
        let to = fs::read_to_string(path.with_extension("to")).expect("an envelope");
        let raw = fs::read(path).expect("a mail");
        Self {
            to: to.lines().map(ToOwned::to_owned).collect(),
            raw: String::from_utf8_lossy(&raw).replace("\r\n", "\n"),
        }
    }

    /// The token of the text part.
    pub(crate) fn token(&self) -> String {
        let line = self.raw.lines().map(str::trim).find(|line| {
            let half = |part: &str| {
                part.len() == 4
                    && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            };
            line.split_once('-').is_some_and(|(left, right)| half(left) && half(right))
        });
        line.unwrap_or_else(|| panic!("no token in:\n{}", self.raw)).to_owned()
    }

    /// A header, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\n\n").next().unwrap_or_default().replace("\n ", " ");
        let prefix = format!("{}:", name.to_lowercase());
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&prefix))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    }
}

impl Setup {
    /// Tokens by e-mail through this server, without TLS.
    #[must_use]
    pub(crate) fn mailing(self, smtp: &Smtp) -> Self {
        self.set("sign_in.admin_token.mode", "e-mailed")
            .unset("sign_in.admin_token.token")
            .set("mail.smtp.host", "127.0.0.1")
            .set("mail.smtp.port", i64::from(smtp.port))
            .set("mail.smtp.security", "none")
            .set("mail.smtp.from", "Grantor <no-reply@id.example>")
            .set("mail.smtp.timeout", "5s")
    }
}

/// The Python that has the packages; `scripts/test` makes it.
pub(crate) fn python() -> PathBuf {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv/bin/python");
    let python = std::env::var_os("GRANTOR_TEST_PYTHON").map_or(made, PathBuf::from);
    assert!(python.exists(), "{} is not there: run scripts/test once", python.display());
    python
}

/// The folder of the client programs.
pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
