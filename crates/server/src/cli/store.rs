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
use grantor_store::transfer::{contents, refuse_half};
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
        /// The store to read: `sqlite:PATH`, or `file:PATH` for a file that says so.
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
    match command {
        StoreCommand::Copy { from, to, dry_run, json } => {
            let from = Address::parse(&from).context("FROM")?;
            let to = Address::parse(&to).context("TO")?;
            copy::run(&from, &to, dry_run, json).await?;
        }
        StoreCommand::Backup { file, json } => {
            write_backup(&Address::configured(&place.load()?), &file, json).await?;
        }
        StoreCommand::Restore { file, dry_run, json } => {
            restore::run(&Address::configured(&place.load()?), &file, dry_run, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn write_backup(of: &Address, name: &Path, as_json: bool) -> anyhow::Result<()> {
    let store = of.open().await?;
    refuse_half(store.as_ref()).await?;
    let mut aside = Aside::begin(name)?;
    let total = contents(store.as_ref()).await?.iter().map(|(_, count)| count).sum();
    let progress = Progress::new("records", total);
    let made_at = moment(SystemClock.now());
    let header = Header::new(env!("CARGO_PKG_VERSION"), of.kind(), &made_at);
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
