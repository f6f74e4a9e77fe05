//! `grantor store restore`: a backup, without what may have been spent since it was made.

use std::path::Path;

use anyhow::Context as _;
use grantor_store::transfer::backup::Backup;
use grantor_store::transfer::{Copied, Table, Unspent};
use serde_json::{Map, Value, json};

use super::address::Address;
use super::copy::{self, Ends};
use crate::cli::output::{Column, Progress, json, say, table};

pub(super) async fn run(
    to: &Address,
    file: &Path,
    dry_run: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let backup = read(file)?;
    let (file_shown, to_shown) = (file.display().to_string(), to.shown());
    let ends = Ends { from: &file_shown, to: &to_shown };
    if dry_run {
        let there = to.look().await.context(to_shown.clone())?;
        let resumes = copy::takes(there.as_deref(), &ends).await?;
        return tell_plan(&backup, &ends, resumes, as_json);
    }
    let target = to.make().await.context(to_shown.clone())?;
    let unspent = Unspent::of(&backup);
    let copied = copy::with_bar(&unspent, target.as_ref(), &ends).await?;
    tell_restored(&backup, &ends, &copied, &unspent.left_out(), as_json)
}

/// Before anything is written, the whole file is read.
fn read(file: &Path) -> anyhow::Result<Backup> {
    let progress = Progress::new("records read", 0);
    let backup = Backup::open(file, &|done| progress.of(done, done));
    progress.finish();
    backup.with_context(|| format!("cannot restore {}", file.display()))
}

fn about(backup: &Backup, ends: &Ends<'_>) -> Value {
    json!({
        "file": ends.from,
        "to": ends.to,
        "made_at": backup.header.made_at,
        "made_by": backup.header.version,
        "store": backup.header.store,
    })
}

fn tell_plan(backup: &Backup, ends: &Ends<'_>, resumes: bool, as_json: bool) -> anyhow::Result<()> {
    let trailer = &backup.trailer;
    if as_json {
        let mut object = about(backup, ends);
        object["dry_run"] = true.into();
        object["resumed"] = resumes.into();
        object["records"] = trailer.records.into();
        object["tables"] = serde_json::to_value(&trailer.tables)?;
        return json(&object);
    }
    let rows =
        trailer.tables.iter().map(|(name, part)| vec![name.clone(), part.records.to_string()]);
    table(&[Column::Whole("table"), Column::Whole("records")], rows);
    say(&format!(
        "\n{} is as it was written at {}, by version {}, of a store of the kind {}. It would be restored into {}, without what may be spent.",
        ends.from, backup.header.made_at, backup.header.version, backup.header.store, ends.to
    ));
    Ok(())
}

fn tell_restored(
    backup: &Backup,
    ends: &Ends<'_>,
    copied: &Copied,
    left_out: &[(Table, u64)],
    as_json: bool,
) -> anyhow::Result<()> {
    if as_json {
        let mut object = about(backup, ends);
        let left_out = left_out.iter().map(|(own, count)| (own.name().to_owned(), (*count).into()));
        object["left_out"] = left_out.collect::<Map<_, _>>().into();
        if let (Value::Object(all), Value::Object(copied)) = (&mut object, copy::object(copied)) {
            all.extend(copied);
        }
        object["dry_run"] = false.into();
        return json(&object);
    }
    copy::rows(copied);
    say(&format!("\nRestored: the backup of {} is in {}.", backup.header.made_at, ends.to));
    if !left_out.is_empty() {
        let list = left_out.iter().map(|(own, count)| format!("{} {count}", own.name()));
        let list = list.collect::<Vec<_>>().join(", ");
        say(&format!("Left out, or without what could be used, because it may be spent: {list}."));
    }
    say("What was revoked or removed since is back: docs/operating.md says what to do anew. \
         The key-encryption key of that time is needed.");
    Ok(())
}
