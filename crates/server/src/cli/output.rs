//! What the command line prints.
#![expect(clippy::print_stderr, reason = "printing is what this is for")]

use std::io::Write as _;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
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

/// A column of a table, by its heading.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column {
    /// What somebody copies or compares, such as an id or a moment: never broken.
    Whole(&'static str),
    /// What is wrapped when the terminal is narrow.
    Text(&'static str),
}

/// Room between two columns.
const GAP: u16 = 2;

/// Longer words than the id of a connection are broken when the terminal is narrow.
const LONGEST_WORD: usize = 40;

/// Columns that are there however narrow the terminal is.
const LEAST_COLUMNS: usize = 2;

/// Rows under headings. On a terminal they are wrapped to its width, and columns that do not fit are
/// left out from the end, which is said; anywhere else each row is a line.
pub(super) fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut rows: Vec<_> = rows.into_iter().collect();
    let Some(width) = terminal_width() else {
        return say(&drawn(columns, rows, None));
    };
    let shown = fitting(columns, &rows, width);
    rows.iter_mut().for_each(|row| row.truncate(shown));
    say(&drawn(&columns[..shown], rows, Some(width)));
    let left_out: Vec<_> = columns[shown..].iter().map(|own| own.heading()).collect();
    if !left_out.is_empty() {
        say(&format!("\nA wider terminal, or --json, also has: {}.", left_out.join(", ")));
    }
}

impl Column {
    const fn heading(self) -> &'static str {
        match self {
            Self::Whole(heading) | Self::Text(heading) => heading,
        }
    }

    /// What it needs, at least, for what is in it.
    fn least(self, cell: &str) -> usize {
        let longest = |parts: &mut dyn Iterator<Item = &str>| {
            parts.map(|own| own.chars().count()).max().unwrap_or(0)
        };
        match self {
            Self::Whole(_) => longest(&mut cell.lines()),
            Self::Text(_) => longest(&mut cell.split_whitespace()).min(LONGEST_WORD),
        }
    }
}

/// Columns of standard output, when that is a terminal.
pub(super) fn terminal_width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

/// The width that each column needs at least.
fn least(columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let of = |(at, column): (usize, &Column)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| column.least(cell));
        cells.chain([column.least(column.heading())]).max().unwrap_or(0)
    };
    columns.iter().enumerate().map(of).collect()
}

/// How many of the columns fit, from the first on.
fn fitting(columns: &[Column], rows: &[Vec<String>], width: u16) -> usize {
    let mut used = 0_usize;
    let fits = |need: &usize| {
        used += need + usize::from(GAP);
        used - usize::from(GAP) <= usize::from(width)
    };
    let fitting = least(columns, rows).into_iter().take_while(fits).count();
    fitting.max(LEAST_COLUMNS).min(columns.len())
}

fn drawn(columns: &[Column], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let least = least(columns, &rows);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if columns.iter().any(|own| !own.heading().is_empty()) {
        table.set_header(columns.iter().map(|own| own.heading()));
    }
    table.add_rows(rows);
    // Nothing stands to the right of the last one.
    let last = columns.len().saturating_sub(1);
    for ((at, column), least) in columns.iter().enumerate().zip(least) {
        let Some(drawn) = table.column_mut(at) else { continue };
        let gap = if at == last { 0 } else { GAP };
        drawn.set_padding((0, gap));
        let least = Width::Fixed(u16::try_from(least).unwrap_or(u16::MAX).saturating_add(gap));
        drawn.set_constraint(match column {
            Column::Whole(_) => ColumnConstraint::ContentWidth,
            Column::Text(_) => ColumnConstraint::LowerBoundary(least),
        });
    }
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => drop(table.set_content_arrangement(ContentArrangement::Disabled)),
    }
    let lines = table.to_string();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
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

    /// `done` of `total` are done, where that is known only by and by.
    pub(super) fn of(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// Leaves no trace of the bar.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
