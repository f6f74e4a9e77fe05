//! Memory after many tokens: what is issued must go to the disk, not stay in the server.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::Chains;
use crate::deploy::Deployment;
use crate::load::drive;
use crate::person::SignedIn;
use crate::process::Memory;
use crate::report::{Verdict, number, table};
use crate::target::Target;

/// What may be resident afterwards, in MB.
const LIMIT: f64 = 40.0;

/// MB in a MiB.
const MEGABYTES: f64 = 1.048_576;

/// How long issuing may take.
const PATIENCE: Duration = Duration::from_hours(1);

/// The outcome for programs.
#[derive(Debug, Serialize)]
pub(crate) struct MemoryReport {
    tokens: usize,
    seconds: f64,
    before: Mebibytes,
    after: Mebibytes,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Mebibytes {
    resident: f64,
    anonymous: f64,
    peak: f64,
}

impl From<Memory> for Mebibytes {
    fn from(memory: Memory) -> Self {
        let Memory { resident, anonymous, peak } = memory;
        let mebibytes = |kib| number(kib) / 1_024.0;
        Self {
            resident: mebibytes(resident),
            anonymous: mebibytes(anonymous),
            peak: mebibytes(peak),
        }
    }
}

/// Issues `tokens` access tokens by rotation on `connections`, each with a new refresh token.
pub(crate) async fn measure(
    deployment: &Deployment,
    server: &Target,
    person: &SignedIn,
    connections: usize,
    tokens: usize,
) -> Result<MemoryReport> {
    let chains = Chains::begin(deployment, server, person, connections).await?;
    let before = Mebibytes::from(server.memory()?);
    let work = drive(server.address, chains.limited(tokens), PATIENCE).await?;
    let after = Mebibytes::from(server.memory()?);
    let what = "resident after the last token";
    Ok(MemoryReport {
        tokens: work.latencies.len(),
        seconds: work.elapsed.as_secs_f64(),
        before,
        after,
        verdict: Verdict::at_most(what, after.resident * MEGABYTES, LIMIT, " MB"),
    })
}

impl MemoryReport {
    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let row = |when: &str, memory: &Mebibytes| {
            let Mebibytes { resident, anonymous, peak } = memory;
            let mut cells = vec![when.to_owned()];
            cells.extend([resident, anonymous, peak].map(|mebibytes| format!("{mebibytes:.1}")));
            cells
        };
        let headings = ["", "RSS MiB", "of it anonymous", "peak"];
        let rows = [row("before", &self.before), row("after", &self.after)];
        format!(
            "memory: {} access tokens issued by rotation in {:.0} s\n\n{}",
            self.tokens,
            self.seconds,
            table(&headings, &rows)
        )
    }

    /// What was to be reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        vec![self.verdict.clone()]
    }
}
