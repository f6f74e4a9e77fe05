//! `grantor demo` in a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use grantor_store::contract::servers;
use tempfile::TempDir;

use super::server::GRANTOR;

/// A running demo.
pub(crate) struct Demo {
    /// Where Grantor is.
    pub(crate) issuer: String,
    /// Where the sample client is.
    pub(crate) sample: String,
    /// Where the stand-in for Google is.
    pub(crate) google: String,
    /// What was printed before it was ready.
    pub(crate) panel: String,
    /// The password of the demo account.
    pub(crate) password: String,
    folder: TempDir,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Demo {
    /// One in a new folder.
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), free_ports())
    }

    /// One in a folder, which may be of another one before.
    pub(crate) fn start_in(folder: TempDir, port: u16) -> Self {
        let mut command = Command::new(GRANTOR);
        command.args(["demo", "--port", &port.to_string(), "--data"]).arg(folder.path());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut panel = String::new();
        while !panel.contains("Ctrl-C") {
            let read = out.read_line(&mut panel).expect("a line");
            assert_ne!(read, 0, "it ended early:\n{panel}");
        }
        let password = panel.split("password ").nth(1).and_then(|rest| rest.lines().next());
        Self {
            issuer: format!("http://localhost:{port}"),
            sample: format!("http://localhost:{}", port + 1),
            google: format!("http://localhost:{}", port + 2),
            password: password.expect("a password in the panel").trim().to_owned(),
            panel,
            folder,
            child,
            out,
        }
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Registers a client at the running demo; its answer as JSON.
    pub(crate) fn add_client(&self, arguments: &[&str]) -> serde_json::Value {
        let mut command = Command::new(GRANTOR);
        command.args(["client", "add", "--json", "--data"]).arg(self.data()).args(arguments);
        let ran = super::cli::run(&mut command, "");
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str(&ran.out).expect("JSON")
    }

    /// Ctrl-C, which must end it cleanly; the folder stays.
    pub(crate) fn stop(mut self) -> TempDir {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("the rest");
        assert_eq!(self.child.wait().expect("waited").code(), Some(0), "{rest}");
        std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Nothing to do about a process that is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// A port that is free together with the next two.
pub(crate) fn free_ports() -> u16 {
    servers::free_ports(3)
}
