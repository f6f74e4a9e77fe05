//! A server under measurement: a process of its own on a port of its own.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::process;
use crate::wire::Connection;

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. It is killed when this is dropped.
pub(crate) struct Target {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// When it was started.
    pub(crate) spawned: Instant,
}

impl Target {
    /// Starts the yardstick: this program in its `hello` mode.
    pub(crate) async fn hello() -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("hello").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let spawned = Instant::now();
        let mut child = command.spawn().context("cannot start the hello-world")?;
        let output = child.stdout.take().context("the hello-world has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address = line.trim().parse().context("the hello-world did not say where it is")?;
        Ok(Self { child, address, spawned })
    }

    /// Starts a server that will listen on `port`.
    pub(crate) fn spawn(mut command: Command, port: u16) -> Result<Self> {
        let spawned = Instant::now();
        let child = command.kill_on_drop(true).spawn().context("cannot start the server")?;
        Ok(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), spawned })
    }

    /// Asks until the answer is a 200, and says how long after the start that was.
    pub(crate) async fn first_answer(&mut self, request: &[u8]) -> Result<Duration> {
        while self.spawned.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended by itself: {status}");
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.exchange(request).await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(self.spawned.elapsed());
            }
            sleep(Duration::from_millis(1)).await;
        }
        bail!("the server has not answered within {} seconds", PATIENCE.as_secs())
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.pid()?)
    }

    /// Memory now.
    pub(crate) fn memory(&self) -> Result<process::Memory> {
        process::memory(self.pid()?)
    }

    /// Stops it as an operator would, so that its database is left in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.pid()?.to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().await?;
        ensure!(told.success(), "cannot end process {pid}");
        timeout(PATIENCE, self.child.wait()).await.context("the server does not stop")??;
        Ok(())
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

/// A port of this machine that nothing listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("no free port")?.local_addr()?.port())
}
