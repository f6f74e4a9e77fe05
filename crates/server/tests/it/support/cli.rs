//! The command line, as an operator uses it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::seen::Seen;
use super::server::GRANTOR;

/// The command line on one configuration and data folder.
pub(crate) struct Cli {
    config: PathBuf,
    data: PathBuf,
    seen: Seen,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Cli {
    /// For a configuration and a data folder.
    pub(crate) fn new(config: &Path, data: &Path, seen: Seen) -> Self {
        Self { config: config.to_owned(), data: data.to_owned(), seen }
    }

    /// Runs a command.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(GRANTOR);
        command.args(arguments).arg("--config").arg(&self.config).arg("--data").arg(&self.data);
        let ran = run(&mut command, input);
        self.seen.add_all_in(&ran.out);
        ran
    }

    /// Runs a command that must work on a terminal of so many columns; what is seen there.
    pub(crate) fn terminal(&self, columns: usize, arguments: &[&str]) -> Ran {
        // `script` gives the command a terminal of its own.
        let line = format!("stty cols {columns} rows 50 && exec \"$GRANTOR\" $ARGUMENTS");
        let place = [&self.config, &self.data].map(|own| own.to_str().expect("text"));
        let place = ["--config", place[0], "--data", place[1]];
        let arguments = [arguments, &place].concat();
        assert!(arguments.iter().all(|own| !own.contains([' ', '*'])), "{arguments:?}");
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.env("GRANTOR", GRANTOR).env("ARGUMENTS", arguments.join(" ")).env("TERM", "xterm");
        command.env("SHELL", "/bin/sh");
        let ran = run(&mut command, "");
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        Ran { out: ran.out.replace("\r\n", "\n"), ..ran }
    }

    /// Runs a command that must work; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran.out
    }

    /// Runs a command that must work; its answer as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.json_with(arguments, "")
    }

    /// The same with something on its standard input.
    pub(crate) fn json_with(&self, arguments: &[&str], input: &str) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.run_with(&arguments, input);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

/// Runs the binary with arguments of its own only.
pub(crate) fn grantor(arguments: &[&str]) -> Ran {
    run(Command::new(GRANTOR).args(arguments), "")
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command, input: &str) -> Ran {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    // A command that reads nothing may be gone already.
    let _gone = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}
