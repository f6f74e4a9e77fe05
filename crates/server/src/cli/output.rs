//! What the command line prints.
#![expect(clippy::print_stderr, reason = "printing is what this is for")]

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// One line about why the command did not work.
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("grantor: {error:#}");
}

/// Text for people.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that has seen enough, such as `head`, is no fault.
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// One JSON document for programs.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Rows under headings.
pub(super) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(120);
    table.set_header(headings.iter().copied());
    table.add_rows(rows);
    say(&table.to_string());
}

/// A moment as people and programs both read it: RFC 3339, to the second.
pub(super) fn moment(at: grantor_core::time::Timestamp) -> String {
    jiff::Timestamp::from_second(at.epoch())
        .map_or_else(|_| at.epoch().to_string(), |t| t.to_string())
}
