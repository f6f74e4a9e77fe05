//! Somebody else who writes to the database, for as long as a test wants.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Nobody else can write while this is there.
pub(crate) struct Lock {
    shell: Child,
    end: &'static str,
    said: Lines<BufReader<ChildStdout>>,
}

impl Lock {
    /// In a shell of the database, by commands that get the lock, and others that give it back.
    pub(super) async fn take(shell: std::process::Command, begin: &str, end: &'static str) -> Self {
        let mut command = Command::from(shell);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.kill_on_drop(true).spawn().expect("scripts/test installs it");
        let said = BufReader::new(shell.stdout.take().expect("piped")).lines();
        let mut lock = Self { shell, end, said };
        lock.say(&format!("{begin}\n")).await;
        while lock.said.next_line().await.expect("text").expect("an answer") != "locked" {}
        lock
    }

    async fn say(&mut self, sql: &str) {
        let stdin = self.shell.stdin.as_mut().expect("piped");
        stdin.write_all(sql.as_bytes()).await.expect("it reads");
        stdin.flush().await.expect("it reads");
    }

    /// Others can write again.
    pub(crate) async fn release(mut self) {
        self.say(&format!("{}\n", self.end)).await;
        drop(self.shell.stdin.take());
        self.shell.wait().await.expect("it ends");
    }
}
