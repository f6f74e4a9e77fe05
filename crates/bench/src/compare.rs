//! Side by side: the yardstick and Grantor in turns, so that a noisy machine is noisy for both.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::hello::Greet;
use crate::load::{Crew, Script};
use crate::report::{Figures, HEADINGS, Verdict, median, number, percentile, table};
use crate::target::Target;

/// How this program was built, and so the servers.
pub(crate) const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };

/// How much to measure.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Effort {
    /// Connections that ask at once.
    pub(crate) connections: usize,
    /// Length of a phase.
    pub(crate) seconds: u64,
    /// Phases of each server.
    pub(crate) rounds: usize,
}

/// What is asked of Grantor, with whatever must be ready before the clock starts.
pub(crate) trait Subject {
    /// What one connection asks.
    type Script: Script;

    /// A script for each connection of the next phase.
    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Self::Script>>;

    /// Takes them back.
    fn done(&mut self, scripts: Vec<Self::Script>);
}

/// The outcome for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    scenario: &'static str,
    profile: &'static str,
    effort: Effort,
    hello: Figures,
    grantor: Figures,
    /// Processor time per request, Grantor's over the yardstick's: the median of the rounds.
    cpu_ratio: f64,
    rounds: Vec<Round>,
    verdict: Option<Verdict>,
}

#[derive(Debug, Serialize)]
struct Round {
    hello: Figures,
    grantor: Figures,
}

impl Comparison {
    /// Measures `subject` on `grantor` beside the yardstick; `limit` is the ratio that is allowed.
    pub(crate) async fn of(
        scenario: &'static str,
        effort: Effort,
        grantor: &Target,
        subject: &mut impl Subject,
        limit: Option<f64>,
    ) -> Result<Self> {
        let hello = Target::hello().await?;
        let warm = Effort { seconds: 1, ..effort };
        phase(&hello, &mut Yardstick, &warm).await?;
        phase(grantor, subject, &warm).await?;
        let mut rounds = Vec::with_capacity(effort.rounds);
        for _ in 0..effort.rounds {
            rounds.push(Round {
                hello: phase(&hello, &mut Yardstick, &effort).await?,
                grantor: phase(grantor, subject, &effort).await?,
            });
        }
        let of = |server: fn(&Round) -> Figures| {
            Figures::median(&rounds.iter().map(server).collect::<Vec<_>>())
        };
        let ratio = median(rounds.iter().map(|r| r.grantor.cpu_us / r.hello.cpu_us));
        Ok(Self {
            scenario,
            profile: PROFILE,
            effort,
            hello: of(|round| round.hello),
            grantor: of(|round| round.grantor),
            cpu_ratio: ratio,
            rounds,
            verdict: limit.map(|limit| {
                Verdict::at_most("server CPU per request over hello-world's", ratio, limit, "×")
            }),
        })
    }

    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let Self { scenario, profile, effort, .. } = self;
        let Effort { connections, seconds, rounds } = effort;
        let rows = [self.hello.row("hello-world"), self.grantor.row(scenario)];
        format!(
            "{scenario}: {connections} connections, {rounds} rounds of {seconds} s each, {profile} \
             build\n\n{}\nCPU ratio to hello-world: {:.2}\n",
            table(&HEADINGS, &rows),
            self.cpu_ratio,
        )
    }

    /// What was to be reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.verdict.iter().cloned().collect()
    }
}

/// Loads `server` once, for as long as a phase lasts.
pub(crate) async fn phase<S: Subject>(
    server: &Target,
    subject: &mut S,
    effort: &Effort,
) -> Result<Figures> {
    let scripts = subject.scripts(effort).await?;
    let crew = Crew::gather(server.address, scripts).await?;
    let before = server.cpu()?;
    let mut work = crew.work(Duration::from_secs(effort.seconds)).await?;
    let cpu = server.cpu()? - before;
    subject.done(work.scripts);
    ensure!(!work.latencies.is_empty(), "nothing was answered in {} s", effort.seconds);
    let requests = number(work.latencies.len());
    Ok(Figures {
        requests,
        per_second: requests / work.elapsed.as_secs_f64(),
        p50_us: f64::from(percentile(&mut work.latencies, 50)) / 1e3,
        p99_us: f64::from(percentile(&mut work.latencies, 99)) / 1e3,
        cpu_us: cpu.as_secs_f64() * 1e6 / requests,
        resident_mib: number(server.memory()?.resident) / 1_024.0,
    })
}

/// The hello-world as a subject, also to see that it compares to itself as 1.
pub(crate) struct Yardstick;

impl Subject for Yardstick {
    type Script = Greet;

    async fn scripts(&mut self, effort: &Effort) -> Result<Vec<Greet>> {
        Ok((0..effort.connections).map(|_| Greet).collect())
    }

    fn done(&mut self, _: Vec<Greet>) {}
}
