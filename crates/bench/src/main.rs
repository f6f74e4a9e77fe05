//! What a token costs: Grantor under load beside a bare hello-world of the same HTTP stack, in one
//! run, and its store alone.
#![expect(clippy::print_stdout, reason = "this program is a report on a terminal")]

mod compare;
mod deploy;
mod hello;
mod load;
mod person;
mod place;
mod process;
mod report;
mod request;
mod scenarios;
mod store;
mod stored;
mod stores;
mod target;
mod trials;
mod vault;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use tokio::runtime;

use crate::compare::{Comparison, Effort, Subject, Yardstick};
use crate::deploy::Deployment;
use crate::person::{SignedIn, sign_in};
use crate::place::Kind;
use crate::report::{Verdict, write_json};
use crate::scenarios::{Bearers, Chains, Codes, memory, start};
use crate::target::Target;
use crate::trials::Trial;
use crate::vault::Vault;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a refresh rotation may cost, in hello-worlds.
const REFRESH_LIMIT: f64 = 4.0;

/// What a code exchange with an ES256 ID token may cost, in hello-worlds.
const CODE_LIMIT: f64 = 6.0;

/// Measures Grantor.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    scenario: Option<Scenario>,

    /// Instead of a scenario: tokens, refreshes, introspection and vault reads on each of these
    /// stores in one run, and what nodes on one Postgres share.
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    store: Vec<Kind>,

    /// Connections that ask at once.
    #[arg(long, global = true, default_value_t = 64)]
    connections: usize,

    /// Length of a phase.
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,

    /// Phases of each server, which take turns; the medians are reported.
    #[arg(long, global = true, default_value_t = 3)]
    rounds: usize,

    /// Writes the figures to this file too.
    #[arg(long, global = true)]
    json: Option<PathBuf>,

    /// The server's program, if not the one beside this.
    #[arg(long, global = true)]
    grantor: Option<PathBuf>,

    /// Ends with exit code 1 when a target is missed.
    #[arg(long, global = true)]
    check: bool,
}

#[derive(Clone, Copy, Subcommand)]
enum Scenario {
    /// Exchange codes with PKCE for tokens with an ES256 ID token.
    Code,
    /// Rotate refresh tokens, without an ID token.
    Refresh,
    /// Read claims with an access token.
    Userinfo,
    /// Ask about tokens: RFC 7662.
    Introspect(Store),
    /// Issue opaque tokens to a client itself, each on the disk before it is answered.
    ClientCredentials(Store),
    /// Issue JWTs to a client itself, under EdDSA and ES256.
    ClientCredentialsJwt(Store),
    /// Revoke tokens: RFC 7009.
    Revoke(Store),
    /// The four before, in one table.
    Tokens(Store),
    /// Get a provider's token from the vault with an API key, beside a vault of 1,000 connections.
    VaultRead {
        /// Measures a second server too, with so many connections.
        #[arg(long, value_name = "CONNECTIONS", default_value_t = 0)]
        stored: usize,
    },
    /// The SQLite store alone: redeem, rotate, read.
    Store {
        /// Access tokens to read among.
        #[arg(long, default_value_t = 1_000_000)]
        rows: usize,
    },
    /// Resident memory after many tokens.
    Memory {
        /// How many.
        #[arg(long, default_value_t = 1_000_000)]
        tokens: usize,
    },
    /// Time from start to first answers on an existing database.
    Start {
        /// Tokens in the database.
        #[arg(long, default_value_t = 100_000)]
        tokens: usize,
    },
    /// The hello-world beside itself: how far from 1 the machine's noise moves a ratio.
    Noise,
    /// Serve the hello-world, which the other scenarios start by themselves.
    #[command(hide = true)]
    Hello,
}

/// What is in the store beforehand.
#[derive(Clone, Copy, Args)]
struct Store {
    /// Measures a second server too, with so many tokens in its store.
    #[arg(long, value_name = "TOKENS", default_value_t = 0)]
    stored: usize,
}

/// A prepared Grantor that runs, and somebody who is signed in.
struct Stage {
    deployment: Deployment,
    server: Target,
    person: SignedIn,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // The servers have all cores; the driver does with one thread of its own.
    let mut driver = runtime::Builder::new_current_thread();
    let mut like_a_server = runtime::Builder::new_multi_thread();
    let Some(scenario) = arguments.scenario else {
        return arguments.measure_stores(&driver.enable_all().build()?);
    };
    let runtime = match scenario {
        Scenario::Hello | Scenario::Store { .. } => &mut like_a_server,
        Scenario::Code
        | Scenario::Refresh
        | Scenario::Userinfo
        | Scenario::Introspect(_)
        | Scenario::ClientCredentials(_)
        | Scenario::ClientCredentialsJwt(_)
        | Scenario::Revoke(_)
        | Scenario::Tokens(_)
        | Scenario::VaultRead { .. }
        | Scenario::Memory { .. }
        | Scenario::Start { .. }
        | Scenario::Noise => &mut driver,
    };
    let verdicts = runtime.enable_all().build()?.block_on(arguments.run(scenario))?;
    Ok(arguments.judge(&verdicts))
}

impl Arguments {
    fn judge(&self, verdicts: &[Verdict]) -> ExitCode {
        for verdict in verdicts {
            println!("{}", verdict.line());
        }
        let missed = verdicts.iter().any(|verdict| !verdict.met());
        if self.check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// `--store` without a scenario.
    fn measure_stores(&self, driver: &runtime::Runtime) -> Result<ExitCode> {
        ensure!(!self.store.is_empty(), "name a scenario, or stores with --store: bench --help");
        let binary = self.grantor.clone().map_or_else(deploy::binary, Ok)?;
        let report = driver.block_on(stores::run(self.effort(), binary, &self.store))?;
        self.publish(&report.text(), &report)?;
        Ok(self.judge(&report.verdicts()))
    }

    async fn run(&self, scenario: Scenario) -> Result<Vec<Verdict>> {
        match scenario {
            Scenario::Hello => {
                hello::serve(|address| println!("{address}")).await?;
                Ok(Vec::new())
            }
            Scenario::Noise => {
                let hello = Target::hello().await?;
                self.compare("noise", &hello, &mut Yardstick, None).await
            }
            Scenario::Store { rows } => {
                let own = std::env::current_exe()?;
                let folder = own.parent().context("this program is nowhere")?;
                let report = store::run(folder, self.seconds, rows).await?;
                self.publish(&report.text(), &report)?;
                Ok(Vec::new())
            }
            Scenario::Introspect(store) => self.try_out(&[Trial::Introspect], store).await,
            Scenario::ClientCredentials(store) => {
                self.try_out(&[Trial::ClientCredentials], store).await
            }
            Scenario::ClientCredentialsJwt(store) => self.try_out(&Trial::JWT, store).await,
            Scenario::Revoke(store) => self.try_out(&[Trial::Revoke], store).await,
            Scenario::Tokens(store) => self.try_out(&Trial::ALL, store).await,
            Scenario::VaultRead { stored } => self.read_vault(stored).await,
            Scenario::Code
            | Scenario::Refresh
            | Scenario::Userinfo
            | Scenario::Memory { .. }
            | Scenario::Start { .. } => self.act(scenario, self.stage().await?).await,
        }
    }

    /// The scenarios that need a Grantor.
    async fn act(&self, scenario: Scenario, stage: Stage) -> Result<Vec<Verdict>> {
        let Stage { deployment, server, person } = stage;
        let (at, count) = (&server, self.connections);
        match scenario {
            Scenario::Code => {
                let mut codes = Codes::of(&deployment, at, person);
                self.compare("code", at, &mut codes, Some(CODE_LIMIT)).await
            }
            Scenario::Refresh => {
                let mut chains = Chains::begin(&deployment, at, &person, count).await?;
                self.compare("refresh", at, &mut chains, Some(REFRESH_LIMIT)).await
            }
            Scenario::Userinfo => {
                let mut bearers = Bearers::begin(&deployment, at, &person, count).await?;
                self.compare("userinfo", at, &mut bearers, None).await
            }
            Scenario::Memory { tokens } => {
                let report = memory::measure(&deployment, at, &person, count, tokens).await?;
                self.publish(&report.text(), &report)?;
                Ok(report.verdicts())
            }
            Scenario::Start { tokens } => {
                let report = start::measure(&deployment, server, &person, tokens).await?;
                self.publish(&report.text(), &report)?;
                Ok(report.verdicts())
            }
            Scenario::Introspect(_)
            | Scenario::ClientCredentials(_)
            | Scenario::ClientCredentialsJwt(_)
            | Scenario::Revoke(_)
            | Scenario::Tokens(_)
            | Scenario::VaultRead { .. }
            | Scenario::Store { .. }
            | Scenario::Noise
            | Scenario::Hello => Ok(Vec::new()),
        }
    }

    /// The endpoints that programs use, which need nobody who is signed in.
    async fn try_out(&self, trials: &[Trial], store: Store) -> Result<Vec<Verdict>> {
        let few = if store.stored == 0 { 0 } else { trials::FEW };
        let small = trials::Stage::set(self.deployment()?, few).await?;
        let full = match store.stored {
            0 => None,
            tokens => Some(trials::Stage::set(self.deployment()?, tokens).await?),
        };
        let report = trials::run(self.effort(), trials, &small, full.as_ref()).await?;
        self.publish(&report.text(), &report)?;
        Ok(report.verdicts())
    }

    /// What services ask of the vault.
    async fn read_vault(&self, stored: usize) -> Result<Vec<Verdict>> {
        let small = Vault::set(self.deployment()?, trials::FEW_CONNECTIONS).await?;
        let full = match stored {
            0 => None,
            connections => Some(Vault::set(self.deployment()?, connections).await?),
        };
        let report = trials::vault(self.effort(), &small, full.as_ref()).await?;
        self.publish(&report.text(), &report)?;
        Ok(report.verdicts())
    }

    fn deployment(&self) -> Result<Deployment> {
        Deployment::prepare(self.grantor.clone().map_or_else(deploy::binary, Ok)?)
    }

    const fn effort(&self) -> Effort {
        let Self { connections, seconds, rounds, .. } = *self;
        Effort { connections, seconds, rounds }
    }

    async fn stage(&self) -> Result<Stage> {
        let deployment = self.deployment()?;
        let server = deployment.serve_ready().await?;
        let person = sign_in(&deployment, &server).await.context("cannot sign in")?;
        Ok(Stage { deployment, server, person })
    }

    async fn compare(
        &self,
        scenario: &'static str,
        server: &Target,
        subject: &mut impl Subject,
        limit: Option<f64>,
    ) -> Result<Vec<Verdict>> {
        let comparison = Comparison::of(scenario, self.effort(), server, subject, limit).await?;
        self.publish(&comparison.text(), &comparison)?;
        Ok(comparison.verdicts())
    }

    fn publish(&self, text: &str, report: &impl Serialize) -> Result<()> {
        println!("{text}");
        self.json.as_ref().map_or(Ok(()), |path| write_json(path, report))
    }
}
