//! The store alone, through its port: what a redemption, a rotation and a read cost without HTTP.

mod fixtures;
mod steps;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use grantor_core::store::Store;
use grantor_store::Sqlite;
use grantor_store::sqlite::Options;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::process;
use crate::report::{number, percentile, table};
use fixtures::Fixtures;
use steps::{Issue, Read, Redeem, Rotate, Step};

/// Tasks that write at once.
const WRITERS: [usize; 3] = [1, 32, 64];

/// Tasks that read at once; a read never waits, so more than there are cores make no difference.
const READERS: [usize; 2] = [1, 2];

/// Codes for each second of redeeming; more than any disk has managed.
const CODES_A_SECOND: usize = 60_000;

/// The outcome for programs.
#[derive(Debug, Serialize)]
pub(crate) struct StoreReport {
    profile: &'static str,
    rows: usize,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    what: String,
    operations: usize,
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    /// Processor time of the whole process, the driver's own included.
    cpu_us: f64,
}

/// Measures in a new database under `folder`: each thing for `seconds`, reads among `rows` tokens.
pub(crate) async fn run(folder: &Path, seconds: u64, rows: usize) -> Result<StoreReport> {
    let folder = tempfile::tempdir_in(folder).context("no folder for the database")?;
    let store = Sqlite::open(&folder.path().join("grantor.db"), &Options::default())?;
    let store: Arc<dyn Store> = Arc::new(store);
    let fixtures = Arc::new(Fixtures::prepare(Arc::clone(&store)).await?);
    let time = Duration::from_secs(seconds);
    let mut lines = Vec::new();
    for tasks in WRITERS {
        let codes = usize::try_from(seconds)? * CODES_A_SECOND.min(tasks * 10_000);
        let steps = Redeem::prepare(&fixtures, codes, tasks).await?;
        lines.push(measure("redeem a code", steps, time).await?.0);
    }
    for tasks in WRITERS {
        let steps = Rotate::prepare(&fixtures, tasks, None).await?;
        lines.push(measure("rotate a refresh token", steps, time).await?.0);
    }
    let mut own = Vec::new();
    for tasks in WRITERS {
        let steps = Issue::prepare(&fixtures, tasks, false);
        let (line, steps) = measure("issue a client's own token", steps, time).await?;
        lines.push(line);
        own.extend(Issue::made(steps));
    }
    for tasks in WRITERS {
        let steps = Issue::prepare(&fixtures, tasks, true);
        lines.push(measure("replace a client's own tokens", steps, time).await?.0);
    }
    let own = Arc::new(own);
    for tasks in READERS {
        let steps = (0..tasks).map(|_| Read::new(&fixtures, &own)).collect();
        lines.push(measure("read a client's own token", steps, time).await?.0);
    }
    let tokens = Arc::new(steps::fill(&fixtures, rows).await?);
    for tasks in READERS {
        let steps = (0..tasks).map(|_| Read::new(&fixtures, &tokens)).collect();
        lines.push(measure("read an access token", steps, time).await?.0);
    }
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    Ok(StoreReport { profile, rows: tokens.len(), lines })
}

impl StoreReport {
    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let headings = ["", "operations", "per second", "p50 µs", "p99 µs", "CPU µs/operation"];
        let row = |line: &Line| {
            vec![
                line.what.clone(),
                line.operations.to_string(),
                format!("{:.0}", line.per_second),
                format!("{:.1}", line.p50_us),
                format!("{:.1}", line.p99_us),
                format!("{:.1}", line.cpu_us),
            ]
        };
        let rows: Vec<_> = self.lines.iter().map(row).collect();
        format!(
            "store: SQLite, durable commits, reads among {} access tokens, {} build\n\n{}",
            self.rows,
            self.profile,
            table(&headings, &rows)
        )
    }
}

/// Repeats each of `steps` in a task of its own until the time is over, and gives them back.
async fn measure<S: Step>(what: &str, steps: Vec<S>, time: Duration) -> Result<(Line, Vec<S>)> {
    let what = match steps.len() {
        1 => format!("{what}, 1 task"),
        tasks => format!("{what}, {tasks} tasks"),
    };
    let pid = std::process::id();
    let (before, started) = (process::cpu(pid)?, Instant::now());
    let mut tasks = JoinSet::new();
    for step in steps {
        tasks.spawn(repeat(step, started + time));
    }
    let (mut steps, mut latencies) = (Vec::new(), Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (step, own) = done.context("a task died")??;
        steps.push(step);
        latencies.extend(own);
    }
    let (elapsed, cpu) = (started.elapsed(), process::cpu(pid)? - before);
    let operations = number(latencies.len()).max(1.0);
    let line = Line {
        what,
        operations: latencies.len(),
        per_second: operations / elapsed.as_secs_f64(),
        p50_us: f64::from(percentile(&mut latencies, 50)) / 1e3,
        p99_us: f64::from(percentile(&mut latencies, 99)) / 1e3,
        cpu_us: cpu.as_secs_f64() * 1e6 / operations,
    };
    Ok((line, steps))
}

async fn repeat<S: Step>(mut step: S, deadline: Instant) -> Result<(S, Vec<u32>)> {
    let mut latencies = Vec::with_capacity(16_384);
    let mut begun = Instant::now();
    while begun < deadline && step.step().await? {
        let now = Instant::now();
        latencies.push(u32::try_from((now - begun).as_nanos()).unwrap_or(u32::MAX));
        begun = now;
    }
    Ok((step, latencies))
}
