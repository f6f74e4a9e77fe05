//! Figures: medians and percentiles, as a table for people and as JSON for programs.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// What one server did in one phase, or the median of its phases.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    /// Answers.
    pub(crate) requests: f64,
    /// Answers a second.
    pub(crate) per_second: f64,
    /// Half of the requests were answered within so many microseconds.
    pub(crate) p50_us: f64,
    /// All but one of a hundred were answered within so many microseconds.
    pub(crate) p99_us: f64,
    /// Processor time of the server for one request, in microseconds.
    pub(crate) cpu_us: f64,
    /// Resident memory of the server after the phase, in MiB.
    pub(crate) resident_mib: f64,
}

impl Figures {
    /// The median of each figure.
    pub(crate) fn median(phases: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(phases.iter().map(figure));
        Self {
            requests: of(|f| f.requests),
            per_second: of(|f| f.per_second),
            p50_us: of(|f| f.p50_us),
            p99_us: of(|f| f.p99_us),
            cpu_us: of(|f| f.cpu_us),
            resident_mib: of(|f| f.resident_mib),
        }
    }

    /// The columns of [`HEADINGS`], with `name` before them.
    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            format!("{:.0}", self.requests),
            format!("{:.0}", self.per_second),
            format!("{:.0}", self.p50_us),
            format!("{:.0}", self.p99_us),
            format!("{:.1}", self.cpu_us),
            format!("{:.1}", self.resident_mib),
        ]
    }
}

/// What stands above [`Figures::row`].
pub(crate) const HEADINGS: [&str; 7] =
    ["", "requests", "per second", "p50 µs", "p99 µs", "CPU µs/request", "RSS MiB"];

/// What has to be reached, and what was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    what: String,
    measured: f64,
    limit: f64,
    unit: &'static str,
    met: bool,
}

impl Verdict {
    /// `measured` must not be above `limit`.
    pub(crate) fn at_most(
        what: impl Into<String>,
        measured: f64,
        limit: f64,
        unit: &'static str,
    ) -> Self {
        Self { what: what.into(), measured, limit, unit, met: measured <= limit }
    }

    /// Whether it was reached.
    pub(crate) const fn met(&self) -> bool {
        self.met
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let Self { what, measured, limit, unit, met } = self;
        let word = if *met { "met" } else { "missed" };
        format!("{what}: {measured:.2}{unit}, at most {limit}{unit}: {word}")
    }
}

/// The middle value, or the mean of the two in the middle; 0 of nothing.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    match (values.len() / 2, values.len() % 2) {
        (0, 0) => 0.0,
        (half, 0) => f64::midpoint(values[half - 1], values[half]),
        (half, _) => values[half],
    }
}

/// The least value that `percent` of all values do not exceed; 0 of nothing. Reorders the values.
pub(crate) fn percentile(values: &mut [u32], percent: usize) -> u32 {
    let rank = (values.len() * percent).div_ceil(100).max(1) - 1;
    if rank >= values.len() {
        return 0;
    }
    *values.select_nth_unstable(rank).1
}

/// Rows under headings, numbers to the right.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let heading: Vec<String> = headings.iter().copied().map(str::to_owned).collect();
    let mut text = String::new();
    for row in std::iter::once(&heading).chain(rows) {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Writes a report for programs.
pub(crate) fn write_json(path: &Path, report: &impl Serialize) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = std::fs::File::create(path).with_context(failed)?;
    serde_json::to_writer_pretty(&mut file, report)?;
    file.write_all(b"\n").with_context(failed)
}

/// A count as a number to calculate with; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no benchmark counts to 2^53")]
pub(crate) fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert_eq!(median(std::iter::empty()), 0.0);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values: Vec<u32> = (1..=200).rev().collect();
        assert_eq!(percentile(&mut values, 50), 100);
        assert_eq!(percentile(&mut values, 99), 198);
        assert_eq!(percentile(&mut [7], 99), 7);
        assert_eq!(percentile(&mut [], 50), 0);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "12345".to_owned()]];
        assert_eq!(table(&["", "µs"], &rows), "        µs\na        1\nbcd  12345\n");
    }

    #[test]
    fn a_verdict_names_both_figures() {
        let verdict = Verdict::at_most("refresh", 3.456, 4.0, "×");
        assert_eq!(verdict.line(), "refresh: 3.46×, at most 4×: met");
        assert!(!Verdict::at_most("refresh", 4.01, 4.0, "×").met());
    }
}
