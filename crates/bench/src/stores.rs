//! The same work on every store, in one run; and how nodes share it that use one Postgres.

mod bare;
mod nodes;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::compare::{Effort, PROFILE, Subject, Yardstick, phase};
use crate::deploy::{Deployment, Machines};
use crate::person::{SignedIn, sign_in};
use crate::place::{Kind, Place};
use crate::report::{Figures, Verdict, median, table};
use crate::scenarios::{Chains, Introspect, Issue, VaultRead};
use crate::target::Target;
use crate::{trials, vault};
use nodes::Shared;

/// The least that durable tokens on Postgres reach of what bare inserts of the same row do.
const BARE_SHARE: f64 = 0.5;

/// A Grantor on one of the stores.
struct Stage {
    kind: Kind,
    deployment: Deployment,
    machines: Machines,
    server: Target,
    person: SignedIn,
    api_key: String,
}

impl Stage {
    async fn set(kind: Kind, binary: PathBuf) -> Result<Self> {
        let mut deployment = Deployment::prepare_on(kind, binary)?;
        let machines = deployment.machines()?;
        let api_key = deployment.api_key()?;
        let store = deployment.place.open(&deployment.database()).await?;
        vault::fill(&deployment, store, trials::FEW_CONNECTIONS).await?;
        let server = deployment.serve_ready().await?;
        let person = sign_in(&deployment, &server).await.context("cannot sign in")?;
        Ok(Self { kind, deployment, machines, server, person, api_key })
    }
}

/// What one store did.
#[derive(Debug, Serialize)]
struct Line {
    store: &'static str,
    grantor: Figures,
    /// Processor time of the store's own processes for one request, in microseconds.
    store_us: f64,
    /// Grantor's processor time per request over the yardstick's: the median of the rounds.
    cpu_ratio: f64,
}

#[derive(Debug, Serialize)]
struct Table {
    what: &'static str,
    hello: Figures,
    lines: Vec<Line>,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(crate) struct Stores {
    profile: &'static str,
    effort: Effort,
    tables: Vec<Table>,
    shared: Vec<Shared>,
    bare: Option<Bare>,
}

/// Durable tokens on Postgres beside bare inserts of the same row.
#[derive(Debug, Serialize)]
struct Bare {
    rows_per_second: f64,
    tokens_per_second: f64,
}

/// Measures these stores.
pub(crate) async fn run(effort: Effort, binary: PathBuf, kinds: &[Kind]) -> Result<Stores> {
    let hello = Target::hello().await?;
    let mut stages = Vec::new();
    for kind in kinds {
        let stage = Stage::set(*kind, binary.clone()).await;
        stages.push(stage.with_context(|| kind.name())?);
    }
    let tables = vec![
        tokens(effort, &hello, &stages).await?,
        refresh(effort, &hello, &stages).await?,
        introspect(effort, &hello, &stages).await?,
        vault_read(effort, &hello, &stages).await?,
    ];
    let postgres = stages.iter().find(|stage| stage.kind == Kind::Postgres);
    let (mut shared, mut bare) = (Vec::new(), None);
    if let Some(stage) = postgres {
        let url = stage.deployment.place.url().context("Postgres has a URL")?;
        let own = Issue::to(&stage.deployment, &stage.machines.opaque);
        let tokens = phase(&stage.server, &mut { own }, &effort).await?;
        bare = Some(Bare {
            rows_per_second: bare::inserts(url, effort).await?,
            tokens_per_second: tokens.per_second,
        });
        shared = nodes::share(effort, stage).await?;
    }
    Ok(Stores { profile: PROFILE, effort, tables, shared, bare })
}

async fn tokens(effort: Effort, hello: &Target, stages: &[Stage]) -> Result<Table> {
    let issue = |stage: &Stage| Issue::to(&stage.deployment, &stage.machines.opaque);
    let subjects = stages.iter().map(issue).collect();
    measure("client_credentials, opaque", effort, hello, stages, subjects).await
}

async fn refresh(effort: Effort, hello: &Target, stages: &[Stage]) -> Result<Table> {
    let mut subjects = Vec::new();
    for stage in stages {
        let Stage { deployment, server, person, .. } = stage;
        subjects.push(Chains::begin(deployment, server, person, effort.connections).await?);
    }
    measure("refresh", effort, hello, stages, subjects).await
}

async fn introspect(effort: Effort, hello: &Target, stages: &[Stage]) -> Result<Table> {
    let mut subjects = Vec::new();
    for stage in stages {
        let Stage { deployment, server, machines, .. } = stage;
        subjects.push(Introspect::fresh(deployment, server, machines).await?);
    }
    measure("introspect", effort, hello, stages, subjects).await
}

async fn vault_read(effort: Effort, hello: &Target, stages: &[Stage]) -> Result<Table> {
    let read =
        |stage: &Stage| VaultRead::of(&stage.deployment, &stage.api_key, trials::FEW_CONNECTIONS);
    let subjects = stages.iter().map(read).collect::<Result<_>>()?;
    measure("vault read", effort, hello, stages, subjects).await
}

/// The yardstick and all stores in turns.
async fn measure<S: Subject>(
    what: &'static str,
    effort: Effort,
    hello: &Target,
    stages: &[Stage],
    mut subjects: Vec<S>,
) -> Result<Table> {
    let warm = Effort { seconds: 1, ..effort };
    let mut hellos = Vec::new();
    let mut measured: Vec<Vec<(Figures, f64)>> = stages.iter().map(|_| Vec::new()).collect();
    for round in 0..=effort.rounds {
        let effort = if round == 0 { &warm } else { &effort };
        let yardstick = phase(hello, &mut Yardstick, effort).await?;
        if round > 0 {
            hellos.push(yardstick);
        }
        for ((stage, subject), own) in stages.iter().zip(&mut subjects).zip(&mut measured) {
            let place = &stage.deployment.place;
            let done = beside(place, &stage.server, subject, effort).await;
            let done = done.with_context(|| format!("{what} on {}", stage.kind.name()))?;
            if round > 0 {
                own.push(done);
            }
        }
    }
    let line = |(stage, own): (&Stage, &Vec<(Figures, f64)>)| {
        let figures: Vec<_> = own.iter().map(|(figures, _)| *figures).collect();
        let ratios = figures.iter().zip(&hellos).map(|(own, hello)| own.cpu_us / hello.cpu_us);
        Line {
            store: stage.kind.name(),
            cpu_ratio: median(ratios),
            grantor: Figures::median(&figures),
            store_us: median(own.iter().map(|(_, store)| *store)),
        }
    };
    let lines = stages.iter().zip(&measured).map(line).collect();
    Ok(Table { what, hello: Figures::median(&hellos), lines })
}

/// One phase, and what its store spent on a request.
async fn beside<S: Subject>(
    place: &Place,
    server: &Target,
    subject: &mut S,
    effort: &Effort,
) -> Result<(Figures, f64)> {
    let before = place.cpu()?;
    let figures = phase(server, subject, effort).await?;
    let spent = place.cpu()?.saturating_sub(before);
    Ok((figures, spent.as_secs_f64() * 1e6 / figures.requests))
}

impl Stores {
    /// The outcome for people.
    pub(crate) fn text(&self) -> String {
        let Effort { connections, seconds, rounds } = self.effort;
        let mut text = format!(
            "stores: {connections} connections, {rounds} rounds of {seconds} s each, {} build\n",
            self.profile
        );
        for own in &self.tables {
            let mut rows = vec![row("hello-world", &own.hello, None, 1.0)];
            let line =
                |line: &Line| row(line.store, &line.grantor, Some(line.store_us), line.cpu_ratio);
            rows.extend(own.lines.iter().map(line));
            text.push_str(&format!("\n{}:\n\n{}", own.what, table(&HEADINGS, &rows)));
        }
        text.push_str(&nodes::text(&self.shared));
        if let Some(Bare { rows_per_second, tokens_per_second }) = &self.bare {
            text.push_str(&format!(
                "\nbare inserts of the same row into the same Postgres: {rows_per_second:.0} a \
                 second; durable tokens: {tokens_per_second:.0} a second\n"
            ));
        }
        text
    }

    /// What was to be reached.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        let bare = self.bare.as_ref().map(|own| {
            let what = "bare inserts over durable tokens on Postgres";
            Verdict::at_most(
                what,
                own.rows_per_second / own.tokens_per_second,
                1.0 / BARE_SHARE,
                "×",
            )
        });
        bare.into_iter().collect()
    }
}

const HEADINGS: [&str; 7] =
    ["", "per second", "p50 µs", "p99 µs", "CPU µs/request", "of the store", "× hello-world"];

fn row(name: &str, figures: &Figures, store: Option<f64>, ratio: f64) -> Vec<String> {
    vec![
        name.to_owned(),
        format!("{:.0}", figures.per_second),
        format!("{:.0}", figures.p50_us),
        format!("{:.0}", figures.p99_us),
        format!("{:.1}", figures.cpu_us),
        store.map(|store| format!("{store:.1}")).unwrap_or_default(),
        format!("{ratio:.2}"),
    ]
}
