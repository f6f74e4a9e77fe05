//! The load driver: as many connections as asked for, one task each, all on one thread.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::wire::{Answer, Connection};

/// What one connection asks, again and again.
pub(crate) trait Script: Send + 'static {
    /// The next request; `None` when there is nothing left to ask.
    fn request(&mut self) -> Option<&[u8]>;

    /// Takes the answer to it. An error ends the run.
    fn answer(&mut self, answer: &Answer<'_>) -> Result<()>;
}

/// Connections that are open, each with its script.
pub(crate) struct Crew<S> {
    members: Vec<(Connection, S)>,
}

/// What a crew got done.
pub(crate) struct Work<S> {
    /// The scripts, as they are after their last answer.
    pub(crate) scripts: Vec<S>,
    /// Nanoseconds from each request to its answer, in no order.
    pub(crate) latencies: Vec<u32>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
}

impl<S: Script> Crew<S> {
    /// Opens a connection for each script.
    pub(crate) async fn gather(address: SocketAddr, scripts: Vec<S>) -> Result<Self> {
        let mut members = Vec::with_capacity(scripts.len());
        for script in scripts {
            members.push((Connection::open(address).await?, script));
        }
        Ok(Self { members })
    }

    /// Runs every script until it has nothing left to ask or the time is over.
    pub(crate) async fn work(self, time: Duration) -> Result<Work<S>> {
        let started = Instant::now();
        let deadline = started + time;
        let mut tasks = JoinSet::new();
        let (mut scripts, mut latencies) = (Vec::with_capacity(self.members.len()), Vec::new());
        for (connection, script) in self.members {
            tasks.spawn(run(connection, script, deadline));
        }
        while let Some(done) = tasks.join_next().await {
            let (script, own) = done.context("a connection's task died")??;
            scripts.push(script);
            latencies.extend(own);
        }
        Ok(Work { scripts, latencies, elapsed: started.elapsed() })
    }
}

/// Loads `address` with `scripts` for `time`, when nothing but the outcome matters.
pub(crate) async fn drive<S: Script>(
    address: SocketAddr,
    scripts: Vec<S>,
    time: Duration,
) -> Result<Work<S>> {
    Crew::gather(address, scripts).await?.work(time).await
}

async fn run<S: Script>(
    mut connection: Connection,
    mut script: S,
    deadline: Instant,
) -> Result<(S, Vec<u32>)> {
    let mut latencies = Vec::with_capacity(16_384);
    let mut sent = Instant::now();
    while sent < deadline {
        let Some(request) = script.request() else {
            break;
        };
        let answer = connection.exchange(request).await?;
        script.answer(&answer)?;
        let now = Instant::now();
        latencies.push(u32::try_from((now - sent).as_nanos()).unwrap_or(u32::MAX));
        sent = now;
    }
    Ok((script, latencies))
}
