//! How soon a server answers after its start on a database that is there already.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::Chains;
use crate::deploy::Deployment;
use crate::load::{Script as _, drive};
use crate::person::SignedIn;
use crate::report::{Verdict, median, table};
use crate::target::Target;
use crate::wire::Connection;

/// What the first answer may take, in milliseconds.
const LIMIT: f64 = 150.0;

/// Starts in each run.
const STARTS: usize = 9;

/// The outcome for programs, in milliseconds from the start of the process.
#[derive(Debug, Serialize)]
pub(crate) struct StartReport {
    tokens: usize,
    healthz_ms: Vec<f64>,
    discovery_ms: Vec<f64>,
    token_ms: Vec<f64>,
    verdict: Verdict,
}

/// Issues `tokens` tokens, then stops and starts the server again and again.
pub(crate) async fn measure(
    deployment: &Deployment,
    server: Target,
    person: &SignedIn,
    tokens: usize,
) -> Result<StartReport> {
    let chains = Chains::begin(deployment, &server, person, 64).await?;
    let work = drive(server.address, chains.limited(tokens), Duration::from_hours(1)).await?;
    server.stop().await?;
    let mut chain = work.scripts.into_iter().next().context("no connection")?.endless();
    let discovery = deployment.site.get("/.well-known/openid-configuration", "");
    let (mut healthz_ms, mut discovery_ms, mut token_ms) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let mut server = deployment.serve()?;
        let first = server.first_answer(&deployment.site.get("/healthz", "")).await?;
        healthz_ms.push(milliseconds(first));
        let mut connection = Connection::open(server.address).await?;
        connection.exchange(&discovery).await?.expect(200)?;
        discovery_ms.push(milliseconds(server.spawned.elapsed()));
        let rotated = connection.exchange(chain.upcoming()).await?;
        token_ms.push(milliseconds(server.spawned.elapsed()));
        chain.answer(&rotated)?;
        server.stop().await?;
    }
    let token = median(token_ms.iter().copied());
    let verdict = Verdict::at_most("first token after the start", token, LIMIT, " ms");
    Ok(StartReport { tokens: work.latencies.len(), healthz_ms, discovery_ms, token_ms, verdict })
}

impl StartReport {
    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let row = |what: &str, times: &[f64]| {
            let most = times.iter().copied().fold(0.0, f64::max);
            let middle = median(times.iter().copied());
            vec![what.to_owned(), format!("{middle:.1}"), format!("{most:.1}")]
        };
        let rows = [
            row("/healthz", &self.healthz_ms),
            row("discovery", &self.discovery_ms),
            row("/token", &self.token_ms),
        ];
        format!(
            "start: on a database of {} tokens, {STARTS} times, milliseconds from the start of the \
             process to each first answer\n\n{}",
            self.tokens,
            table(&["", "median ms", "most ms"], &rows)
        )
    }

    /// What was to be reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        vec![self.verdict.clone()]
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
