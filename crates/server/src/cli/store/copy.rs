//! `grantor store copy`: everything, from one store into another.

use anyhow::Context as _;
use grantor_store::transfer::{
    self, Copied, CopyError, Progress, Source, Stage, Table, Transfer, contents, refuse_half,
};
use serde_json::{Value, json};

use super::address::Address;
use crate::cli::output::{self, Column, json, say, table};

/// What a copy is to and from, for people.
pub(super) struct Ends<'a> {
    /// The source.
    pub(super) from: &'a str,
    /// The target.
    pub(super) to: &'a str,
}

pub(super) async fn run(
    from: &Address,
    to: &Address,
    dry_run: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let (from_shown, to_shown) = (from.shown(), to.shown());
    let ends = Ends { from: &from_shown, to: &to_shown };
    let source = from.open().await.with_context(|| format!("FROM ({from_shown})"))?;
    refuse_half(source.as_ref()).await.with_context(|| format!("FROM ({from_shown})"))?;
    if dry_run {
        let there = to.look().await.with_context(|| format!("TO ({to_shown})"))?;
        let resumes = takes(there.as_deref(), &ends).await?;
        let tables = contents(source.as_ref()).await?;
        return tell_plan(&ends, resumes, &tables, as_json);
    }
    let target = to.make().await.with_context(|| format!("TO ({to_shown})"))?;
    let copied = with_bar(source.as_ref(), target.as_ref(), &ends).await?;
    tell_copied(&ends, &copied, as_json)
}

/// Whether half of a copy is there already; refuses what takes no copy.
pub(super) async fn takes(there: Option<&dyn Transfer>, ends: &Ends<'_>) -> anyhow::Result<bool> {
    let Some(there) = there else { return Ok(false) };
    if there.is_half().await? {
        return Ok(true);
    }
    match contents(there).await? {
        tables if tables.is_empty() => Ok(false),
        tables => Err(explain(&CopyError::NotEmpty(tables), ends)),
    }
}

/// Copies, with a bar on a terminal, and says what to do when it fails.
pub(super) async fn with_bar(
    from: &dyn Source,
    to: &dyn Transfer,
    ends: &Ends<'_>,
) -> anyhow::Result<Copied> {
    let copying = output::Progress::new("records copied", 0);
    let comparing = output::Progress::new("records compared", 0);
    let tell = |at: Progress| match at.stage {
        Stage::Copying => copying.of(at.done, at.total),
        Stage::Comparing => {
            copying.finish();
            comparing.of(at.done, at.total);
        }
    };
    let copied = transfer::copy(from, to, &tell).await;
    copying.finish();
    comparing.finish();
    copied.map_err(|error| explain(&error, ends))
}

fn explain(error: &CopyError, ends: &Ends<'_>) -> anyhow::Error {
    let Ends { from, to } = ends;
    let next = match error {
        CopyError::NotEmpty(_) => format!("{to}: {error}. Name an empty store"),
        CopyError::Changed(_) => format!(
            "{from}: {error}. Stop the servers that use it, and run this again: it goes on with what is there"
        ),
        CopyError::Differs(_) => format!(
            "{to}: {error}. Somebody else writes to it, or it is damaged: begin with an empty store"
        ),
        CopyError::Source(_) => format!("cannot read {from}: {error}. Run this again to go on"),
        CopyError::Target(_) => format!("cannot use {to}: {error}. Run this again to go on"),
    };
    anyhow::Error::msg(next)
}

fn tell_plan(
    ends: &Ends<'_>,
    resumes: bool,
    tables: &[(Table, u64)],
    as_json: bool,
) -> anyhow::Result<()> {
    let records: u64 = tables.iter().map(|(_, count)| count).sum();
    if as_json {
        let tables =
            tables.iter().map(|(own, count)| json!({ "table": own.name(), "records": count }));
        return json(&json!({
            "from": ends.from,
            "to": ends.to,
            "dry_run": true,
            "resumed": resumes,
            "records": records,
            "tables": tables.collect::<Vec<_>>(),
        }));
    }
    let row = |(own, count): &(Table, u64)| vec![own.name().to_owned(), count.to_string()];
    table(&[Column::Whole("table"), Column::Whole("records")], tables.iter().map(row));
    let how = if resumes { "go on with the copy of" } else { "copy" };
    say(&format!("\nWould {how} {records} records from {} to {}.", ends.from, ends.to));
    Ok(())
}

fn tell_copied(ends: &Ends<'_>, copied: &Copied, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let mut object = object(copied);
        object["from"] = ends.from.into();
        object["to"] = ends.to.into();
        object["dry_run"] = false.into();
        return json(&object);
    }
    rows(copied);
    say(&format!(
        "\nCopied and compared: {} is the same as {}. Point the servers at it; they need the same key-encryption key.",
        ends.to, ends.from
    ));
    Ok(())
}

/// What was copied, for programs.
pub(super) fn object(copied: &Copied) -> Value {
    let sum = |each: fn(&transfer::TableCopied) -> u64| copied.tables.iter().map(each).sum::<u64>();
    let tables = copied.tables.iter().map(|own| {
        json!({
            "table": own.table.name(),
            "records": own.sum.records,
            "written": own.written,
            "removed": own.removed,
            "sha256": own.sum.sha256(),
        })
    });
    json!({
        "resumed": copied.resumed,
        "records": sum(|own| own.sum.records),
        "written": sum(|own| own.written),
        "removed": sum(|own| own.removed),
        "tables": tables.collect::<Vec<_>>(),
    })
}

/// The same for people, without what is empty.
pub(super) fn rows(copied: &Copied) {
    let full = copied.tables.iter().filter(|own| own.sum.records + own.removed > 0);
    let row = |own: &transfer::TableCopied| {
        let sum = own.sum.sha256()[..16].to_owned();
        vec![own.table.name().to_owned(), own.sum.records.to_string(), own.written.to_string(), sum]
    };
    table(
        &[
            Column::Whole("table"),
            Column::Whole("records"),
            Column::Whole("written"),
            Column::Whole("checksum"),
        ],
        full.map(row),
    );
}
