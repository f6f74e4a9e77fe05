//! One, two and four nodes on one Postgres, each with its share of the connections.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::task::JoinSet;

use super::Stage;
use crate::compare::{Effort, Subject as _};
use crate::load::Crew;
use crate::report::{number, percentile, table};
use crate::scenarios::Issue;
use crate::target::Target;

/// How many nodes.
const NODES: [usize; 3] = [1, 2, 4];

/// What so many nodes did together.
#[derive(Debug, Serialize)]
pub(crate) struct Shared {
    nodes: usize,
    per_second: f64,
    p99_us: f64,
    /// Processor time of all nodes for one request, in microseconds.
    cpu_us: f64,
    /// The same of Postgres.
    store_us: f64,
    /// The part of the requests that the busiest node answered.
    largest_share: f64,
}

/// Issues durable tokens at more and more nodes.
pub(super) async fn share(effort: Effort, stage: &Stage) -> Result<Vec<Shared>> {
    let mut others = Vec::new();
    let mut measured = Vec::new();
    for nodes in NODES {
        while others.len() + 1 < nodes {
            others.push(stage.deployment.another_node().await?);
        }
        let all: Vec<&Target> = std::iter::once(&stage.server).chain(&others).collect();
        // To warm up.
        spread(Effort { seconds: 1, ..effort }, stage, &all).await?;
        measured.push(spread(effort, stage, &all).await?);
    }
    Ok(measured)
}

async fn spread(effort: Effort, stage: &Stage, nodes: &[&Target]) -> Result<Shared> {
    let each = Effort { connections: effort.connections / nodes.len(), ..effort };
    let mut crews = Vec::new();
    for node in nodes {
        let mut issue = Issue::to(&stage.deployment, &stage.machines.opaque);
        crews.push(Crew::gather(node.address, issue.scripts(&each).await?).await?);
    }
    let cpu = || nodes.iter().map(|node| node.cpu()).sum::<Result<Duration>>();
    let (before, store_before) = (cpu()?, stage.deployment.place.cpu()?);
    let mut tasks = JoinSet::new();
    for crew in crews {
        tasks.spawn(crew.work(Duration::from_secs(effort.seconds)));
    }
    let (mut latencies, mut shares, mut elapsed) = (Vec::new(), Vec::new(), Duration::ZERO);
    while let Some(done) = tasks.join_next().await {
        let work = done.context("a node's connections died")??;
        shares.push(number(work.latencies.len()));
        elapsed = elapsed.max(work.elapsed);
        latencies.extend(work.latencies);
    }
    let spent = cpu()?.saturating_sub(before);
    let store = stage.deployment.place.cpu()?.saturating_sub(store_before);
    let requests = number(latencies.len());
    Ok(Shared {
        nodes: nodes.len(),
        per_second: requests / elapsed.as_secs_f64(),
        p99_us: f64::from(percentile(&mut latencies, 99)) / 1e3,
        cpu_us: spent.as_secs_f64() * 1e6 / requests,
        store_us: store.as_secs_f64() * 1e6 / requests,
        largest_share: shares.iter().copied().fold(0.0, f64::max) / requests,
    })
}

/// The outcome for people; empty where nothing was measured.
pub(super) fn text(shared: &[Shared]) -> String {
    if shared.is_empty() {
        return String::new();
    }
    let row = |own: &Shared| {
        vec![
            own.nodes.to_string(),
            format!("{:.0}", own.per_second),
            format!("{:.0}", own.p99_us),
            format!("{:.1}", own.cpu_us),
            format!("{:.1}", own.store_us),
            format!("{:.0} %", own.largest_share * 100.0),
        ]
    };
    let headings =
        ["nodes", "per second", "p99 µs", "CPU µs/request", "of Postgres", "busiest node's share"];
    let rows: Vec<_> = shared.iter().map(row).collect();
    format!("\nclient_credentials, opaque, on one Postgres:\n\n{}", table(&headings, &rows))
}
