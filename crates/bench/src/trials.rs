//! The token endpoints of programs beside hello-world, and beside themselves with many tokens in
//! the store. All servers run at once and take turns.

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::compare::{Effort, PROFILE, Subject, Yardstick, phase};
use crate::deploy::{Deployment, Machines};
use crate::report::{Figures, Verdict, median, number, table};
use crate::scenarios::{Introspect, Issue, Revoke, VaultRead};
use crate::stored::Stored;
use crate::target::Target;
use crate::vault::Vault;

/// What a full store may cost, as a multiple of the same with a small one.
const STORED_LIMIT: f64 = 1.3;

/// Tokens of the small store that a full one is compared with: of the same kinds, but so few that the
/// server keeps them all in memory.
pub(crate) const FEW: usize = 10_000;

/// What a token from the vault may cost, in hello-worlds.
const VAULT_LIMIT: f64 = 3.5;

/// Connections of the small vault that a full one is compared with.
pub(crate) const FEW_CONNECTIONS: usize = 1_000;

/// What is asked of the server, by machine clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Trial {
    /// RFC 7662.
    Introspect,
    /// RFC 6749 §4.4, an opaque token that is on the disk before the answer is.
    ClientCredentials,
    /// The same with a JWT under EdDSA.
    ClientCredentialsEdDsa,
    /// The same with a JWT under ES256.
    ClientCredentialsEs256,
    /// RFC 7009.
    Revoke,
}

impl Trial {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Introspect,
        Self::ClientCredentials,
        Self::ClientCredentialsEdDsa,
        Self::ClientCredentialsEs256,
        Self::Revoke,
    ];

    /// Both kinds of JWT.
    pub(crate) const JWT: [Self; 2] = [Self::ClientCredentialsEdDsa, Self::ClientCredentialsEs256];

    const fn name(self) -> &'static str {
        match self {
            Self::Introspect => "introspect",
            Self::ClientCredentials => "client_credentials, opaque",
            Self::ClientCredentialsEdDsa => "client_credentials, JWT EdDSA",
            Self::ClientCredentialsEs256 => "client_credentials, JWT ES256",
            Self::Revoke => "revoke",
        }
    }

    /// What it may cost, in hello-worlds.
    const fn limit(self) -> f64 {
        match self {
            Self::Introspect => 2.2,
            Self::ClientCredentials => 3.5,
            Self::ClientCredentialsEdDsa => 3.0,
            Self::ClientCredentialsEs256 | Self::Revoke => 4.0,
        }
    }
}

/// A server with the clients that are used.
pub(crate) struct Stage {
    deployment: Deployment,
    machines: Machines,
    server: Target,
    stored: Option<Stored>,
}

impl Stage {
    /// Starts a server, with so many tokens in its store; 0 for a new store.
    pub(crate) async fn set(deployment: Deployment, tokens: usize) -> Result<Self> {
        let machines = deployment.machines()?;
        let client = &machines.opaque.client_id;
        let fill = || Stored::fill(&deployment.database(), tokens, client);
        let stored = (tokens > 0).then(fill).transpose().context("cannot fill the store")?;
        let server = deployment.serve_ready().await?;
        Ok(Self { deployment, machines, server, stored })
    }
}

/// One line of the outcome.
#[derive(Debug, Serialize)]
struct Line {
    what: &'static str,
    hello: Figures,
    grantor: Figures,
    /// Processor time per request over the yardstick's: the median of the rounds.
    cpu_ratio: f64,
    limit: f64,
    stored: Option<Compared>,
}

/// The same with many tokens in the store.
#[derive(Debug, Serialize)]
struct Compared {
    grantor: Figures,
    /// Processor time per request over that with the small store: the median of the rounds.
    cpu_ratio: f64,
}

/// The full store.
#[derive(Debug, Serialize)]
struct Filled {
    rows: usize,
    what: &'static str,
    /// To write it.
    seconds: f64,
    gigabytes: f64,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(crate) struct Trials {
    profile: &'static str,
    effort: Effort,
    stored: Option<Filled>,
    lines: Vec<Line>,
    /// Introspection of tokens anywhere in the full store, beside that of any in the small one.
    anywhere: Option<Compared>,
}

/// Runs `trials` on the server of `small`, beside hello-world and, if there is one, `full`.
pub(crate) async fn run(
    effort: Effort,
    trials: &[Trial],
    small: &Stage,
    full: Option<&Stage>,
) -> Result<Trials> {
    let hello = Target::hello().await?;
    let mut lines = Vec::new();
    for trial in trials {
        let line = line(effort, *trial, &hello, small, full).await;
        lines.push(line.with_context(|| trial.name())?);
    }
    let anywhere = match full {
        Some(full) if trials.contains(&Trial::Introspect) => {
            Some(anywhere(effort, &hello, small, full).await?)
        }
        Some(_) | None => None,
    };
    let stored = full.and_then(|full| full.stored).map(|stored| Filled {
        rows: stored.tokens,
        what: "tokens in the store",
        seconds: stored.filling.as_secs_f64(),
        gigabytes: number(stored.bytes) / 1e9,
    });
    Ok(Trials { profile: PROFILE, effort, stored, lines, anywhere })
}

async fn line(
    effort: Effort,
    trial: Trial,
    hello: &Target,
    small: &Stage,
    full: Option<&Stage>,
) -> Result<Line> {
    let turns = match trial {
        Trial::Introspect => {
            let begin = async |stage: &Stage| {
                Introspect::fresh(&stage.deployment, &stage.server, &stage.machines).await
            };
            let own = begin(small).await?;
            let other = match full {
                Some(full) => Some((&full.server, begin(full).await?)),
                None => None,
            };
            turns(effort, hello, (&small.server, own), other).await?
        }
        Trial::ClientCredentials
        | Trial::ClientCredentialsEdDsa
        | Trial::ClientCredentialsEs256 => {
            let own = |stage: &Stage| {
                let client = match trial {
                    Trial::ClientCredentialsEdDsa => &stage.machines.eddsa,
                    Trial::ClientCredentialsEs256 => &stage.machines.es256,
                    Trial::Introspect | Trial::ClientCredentials | Trial::Revoke => {
                        &stage.machines.opaque
                    }
                };
                Issue::to(&stage.deployment, client)
            };
            let other = full.map(|full| (&full.server, own(full)));
            turns(effort, hello, (&small.server, own(small)), other).await?
        }
        Trial::Revoke => {
            let other = full.map(|full| (&full.server, revoke(full)));
            turns(effort, hello, (&small.server, revoke(small)), other).await?
        }
    };
    Ok(turns.line(trial.name(), trial.limit()))
}

fn revoke(stage: &Stage) -> Revoke<'_> {
    Revoke::of(&stage.deployment, &stage.server, &stage.machines.opaque)
}

async fn anywhere(effort: Effort, hello: &Target, small: &Stage, full: &Stage) -> Result<Compared> {
    let any = |stage: &Stage| {
        let stored = stage.stored.context("the store is empty")?;
        Introspect::any_of(&stage.deployment, &stage.machines, stored)
    };
    let (few, many) = (any(small)?, any(full)?);
    let other = Some((&full.server, many));
    let turns = turns(effort, hello, (&small.server, few), other).await?;
    turns.compared().context("the full store was not measured")
}

/// Tokens of the vault: a key is checked, the token opened, and what was given out is on the disk in
/// the audit log before the answer is.
pub(crate) async fn vault(effort: Effort, small: &Vault, full: Option<&Vault>) -> Result<Trials> {
    let hello = Target::hello().await?;
    let read = |own: &Vault| VaultRead::of(&own.deployment, &own.api_key, own.connections);
    let own = read(small)?;
    let other = full.map(|full| Ok::<_, anyhow::Error>((&full.server, read(full)?)));
    let turns = turns(effort, &hello, (&small.server, own), other.transpose()?).await?;
    let stored = full.map(|full| Filled {
        rows: full.connections,
        what: "connections in the vault",
        seconds: full.filling.as_secs_f64(),
        gigabytes: full.gigabytes,
    });
    let lines = vec![turns.line("vault read", VAULT_LIMIT)];
    Ok(Trials { profile: PROFILE, effort, stored, lines, anywhere: None })
}

/// What was measured, a value for each round.
#[derive(Default)]
struct Turns {
    hello: Vec<Figures>,
    small: Vec<Figures>,
    full: Vec<Figures>,
}

/// The servers in turns, as often as there are rounds.
async fn turns<S: Subject>(
    effort: Effort,
    hello: &Target,
    (small, mut own): (&Target, S),
    mut full: Option<(&Target, S)>,
) -> Result<Turns> {
    let mut turns = Turns::default();
    let warm = Effort { seconds: 1, ..effort };
    for round in 0..=effort.rounds {
        let effort = if round == 0 { &warm } else { &effort };
        turns.hello.push(phase(hello, &mut Yardstick, effort).await?);
        turns.small.push(phase(small, &mut own, effort).await?);
        if let Some((server, other)) = &mut full {
            turns.full.push(phase(server, other, effort).await?);
        }
    }
    // The first round was to warm up.
    for figures in [&mut turns.hello, &mut turns.small, &mut turns.full] {
        figures.drain(..figures.len().min(1));
    }
    Ok(turns)
}

impl Turns {
    fn line(&self, what: &'static str, limit: f64) -> Line {
        Line {
            what,
            hello: Figures::median(&self.hello),
            grantor: Figures::median(&self.small),
            cpu_ratio: ratio(&self.small, &self.hello),
            limit,
            stored: self.compared(),
        }
    }

    fn compared(&self) -> Option<Compared> {
        (!self.full.is_empty()).then(|| Compared {
            grantor: Figures::median(&self.full),
            cpu_ratio: ratio(&self.full, &self.small),
        })
    }
}

fn ratio(of: &[Figures], over: &[Figures]) -> f64 {
    median(of.iter().zip(over).map(|(of, over)| of.cpu_us / over.cpu_us))
}

impl Trials {
    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let Effort { connections, seconds, rounds } = self.effort;
        let hellos: Vec<_> = self.lines.iter().map(|line| line.hello).collect();
        let mut rows = vec![row("hello-world", &Figures::median(&hellos), 1.0, "")];
        rows.extend(self.lines.iter().map(|line| {
            row(line.what, &line.grantor, line.cpu_ratio, &format!("{:.1}", line.limit))
        }));
        let mut text = format!(
            "tokens: {connections} connections, {rounds} rounds of {seconds} s each, {} build\n\n{}",
            self.profile,
            table(&headings("× hello-world"), &rows),
        );
        if let Some(Filled { rows: stored, what, seconds, gigabytes }) = &self.stored {
            let limit = format!("{STORED_LIMIT:.1}");
            let compared = self.compared();
            let mut rows: Vec<_> = compared
                .map(|(what, own)| row(what, &own.grantor, own.cpu_ratio, &limit))
                .collect();
            // The worst case there is; no limit is set for it.
            rows.extend(
                self.anywhere
                    .iter()
                    .map(|own| row("introspect, any of them", &own.grantor, own.cpu_ratio, "")),
            );
            text.push_str(&format!(
                "\nwith {stored} {what} ({gigabytes:.1} GB, written in {seconds:.0} s):\n\n{}",
                table(&headings("× small store"), &rows),
            ));
        }
        text
    }

    /// What was to be reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let beside_hello = self.lines.iter().map(|line| {
            Verdict::at_most(
                format!("{} over hello-world", line.what),
                line.cpu_ratio,
                line.limit,
                "×",
            )
        });
        let stored = self.compared().map(|(what, own)| {
            let what = format!("{what}, full store over small");
            Verdict::at_most(what, own.cpu_ratio, STORED_LIMIT, "×")
        });
        beside_hello.chain(stored).collect()
    }

    fn compared(&self) -> impl Iterator<Item = (&'static str, &Compared)> {
        self.lines.iter().filter_map(|line| Some((line.what, line.stored.as_ref()?)))
    }
}

const fn headings(ratio: &'static str) -> [&'static str; 7] {
    ["", "per second", "p50 µs", "p99 µs", "CPU µs/request", ratio, "at most"]
}

fn row(what: &str, figures: &Figures, ratio: f64, limit: &str) -> Vec<String> {
    vec![
        what.to_owned(),
        format!("{:.0}", figures.per_second),
        format!("{:.0}", figures.p50_us),
        format!("{:.0}", figures.p99_us),
        format!("{:.1}", figures.cpu_us),
        format!("{ratio:.2}"),
        limit.to_owned(),
    ]
}
