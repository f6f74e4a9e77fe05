//! What the command line prints.
#![expect(clippy::print_stderr, reason = "printing is what this is for")]

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
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

/// How far long work is: a bar on standard error while that is a terminal, else nothing.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Work on `total` things, which are named in the plural.
    pub(super) fn new(things: &'static str, total: u64) -> Self {
        let bar = ProgressBar::new(total);
        let form = "{wide_bar} {human_pos} of {human_len} {msg}, {eta} left";
        bar.set_style(ProgressStyle::with_template(form).unwrap_or(ProgressStyle::default_bar()));
        bar.set_message(things);
        Self(bar)
    }

    /// `done` of them are done.
    pub(super) fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Leaves no trace of the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
