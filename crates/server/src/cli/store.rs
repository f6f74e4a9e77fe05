//! `grantor store`: whole stores, from one to another, into a file and back.

mod address;
mod copy;
mod file;
mod restore;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use grantor_core::ports::Clock as _;
use grantor_store::transfer::backup::{self, Header, Trailer};
use grantor_store::transfer::{Transfer, contents, refuse_half};
use serde_json::json;

use self::address::Address;
use self::file::Aside;
use super::output::{Progress, json, moment, say};
use super::settings::Place;
use crate::clock::SystemClock;

/// The store as a whole: to another store, into a file and back.
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Copy everything into another store, which must be empty. No server may use either of them.
    ///
    /// A copy that was stopped goes on when it is run again. At the end both stores are read and
    /// compared. The key-encryption key is not needed; the new store needs the same one.
    Copy {
        /// The store to read: `sqlite:PATH` (a database or a data folder), the URL of a Postgres
        /// database or of Redis, or `file:PATH` for a file that says so, which hides a password.
        #[arg(value_name = "FROM")]
        from: String,
        /// The store to write, in the same way.
        #[arg(value_name = "TO")]
        to: String,
        /// Say what would be copied, and write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write everything in the store of the settings into a file. Servers may run.
    ///
    /// What is sealed stays sealed: keep the key-encryption key apart from the file.
    Backup {
        /// The file, which must not be there yet.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a backup into the store of the settings, which must be empty.
    ///
    /// What may have been spent since the backup is left out: codes, refresh tokens that rotate or
    /// are counted, half-done sign-ins. A restore that was stopped goes on when it is run again.
    Restore {
        /// The file.
        file: PathBuf,
        /// Read the whole file, say what is in it, and write nothing.
        #[arg(long)]
        dry_run: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: StoreCommand, place: Place) -> anyhow::Result<ExitCode> {
    let config = place.load()?;
    match command {
        StoreCommand::Copy { from, to, dry_run, json } => {
            let from = Address::parse(&from).context("FROM")?;
            let to = Address::parse(&to).context("TO")?;
            copy::run(&from, &to, &config, How { dry_run, json }).await?;
        }
        StoreCommand::Backup { file, json } => {
            let of = Address::configured(&config);
            let store = of.open(&config).await?;
            let written = write_backup(store.transfer().as_ref(), of.kind(), &file, json).await;
            store.close().await?;
            written?;
        }
        StoreCommand::Restore { file, dry_run, json } => {
            let to = Address::configured(&config);
            restore::run(&to, &file, &config, How { dry_run, json }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How a command is done.
#[derive(Clone, Copy)]
struct How {
    /// Nothing is written.
    dry_run: bool,
    /// It is told to programs.
    json: bool,
}

async fn write_backup(
    store: &dyn Transfer,
    kind: &str,
    name: &Path,
    as_json: bool,
) -> anyhow::Result<()> {
    refuse_half(store).await?;
    let mut aside = Aside::begin(name)?;
    let total = contents(store).await?.iter().map(|(_, count)| count).sum();
    let progress = Progress::new("records", total);
    let made_at = moment(SystemClock.now());
    let header = Header::new(env!("CARGO_PKG_VERSION"), kind, &made_at);
    let mut snapshot = store.snapshot().await?;
    let tell = |done| progress.at(done);
    let written = backup::write(snapshot.as_mut(), &header, &mut aside.file, &tell).await;
    progress.finish();
    let trailer = written.with_context(|| format!("cannot write {}", name.display()))?;
    aside.finish()?;
    tell_written(name, &made_at, &trailer, as_json)
}

fn tell_written(name: &Path, at: &str, trailer: &Trailer, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return json(&json!({
            "file": name.display().to_string(),
            "made_at": at,
            "records": trailer.records,
            "tables": trailer.tables,
            "sha256": trailer.sha256,
        }));
    }
    say(&format!("Written: {} records into {}.", trailer.records, name.display()));
    say("Keep the key-encryption key apart from it: a restore needs both.");
    Ok(())
}
