//! `grantor audit tail`: the last entries, a line each.

use std::process::ExitCode;
use std::time::Duration;

use grantor_core::AuthorizationServer;
use grantor_core::model::AuditEntry;
use serde_json::{Map, Value, json};

use crate::cli::output::{moment, say, terminal_width};

/// Entries that are read at once.
const BATCH: u32 = 1_000;
/// How long to wait for new ones.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn run(
    server: &AuthorizationServer,
    lines: u64,
    follow: bool,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let end = server.store.last_audit().await?.map_or(0, |own| own.sequence);
    let mut after = end.saturating_sub(lines);
    let mut table = None;
    if end == 0 && !as_json {
        say("Nothing is written down yet.");
    }
    loop {
        let entries = server.store.audit(after, BATCH).await?;
        match (entries.last(), follow) {
            (None, false) => return Ok(ExitCode::SUCCESS),
            (None, true) => tokio::time::sleep(PAUSE).await,
            (Some(last), _) => after = last.sequence,
        }
        if as_json {
            entries.iter().for_each(|own| say(&object(own).to_string()));
        } else if !entries.is_empty() {
            let table = table.get_or_insert_with(|| Lines::begin(&entries));
            entries.iter().for_each(|own| table.say(&cells(own)));
        }
    }
}

const HEADINGS: [&str; CELLS] = ["entry", "at", "action", "actor", "target", "details"];
const CELLS: usize = 6;

/// The lines of a table that goes on: the entries that are there first say how wide it is.
struct Lines {
    widths: [usize; CELLS - 1],
    most: Option<usize>,
}

impl Lines {
    /// Prints the headings.
    fn begin(entries: &[AuditEntry]) -> Self {
        let mut widths = [0; CELLS - 1];
        for cells in entries.iter().map(cells).chain([HEADINGS.map(str::to_owned)]) {
            for (width, cell) in widths.iter_mut().zip(&cells) {
                *width = cell.chars().count().max(*width);
            }
        }
        let own = Self { widths, most: terminal_width().map(usize::from) };
        own.say(&HEADINGS.map(str::to_owned));
        own
    }

    /// On a terminal each entry has one line, and what does not fit is cut off.
    fn say(&self, cells: &[String; CELLS]) {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(self.widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        line.push_str(&cells[CELLS - 1]);
        let line = line.trim_end();
        match self.most {
            Some(most) if line.chars().count() > most => {
                let cut: String = line.chars().take(most.saturating_sub(1)).collect();
                say(&format!("{cut}…"));
            }
            Some(_) | None => say(line),
        }
    }
}

/// For people: what others have sent is there as JSON writes it, so no entry can draw another line.
fn cells(entry: &AuditEntry) -> [String; CELLS] {
    let event = &entry.event;
    let or_dash = |text: &str| match text {
        "" => "-".to_owned(),
        text => text.escape_debug().to_string(),
    };
    let details: Map<String, Value> = serde_json::from_str(&event.details).unwrap_or_default();
    let details = details.iter().map(|(name, value)| format!("{name}={}", plain(value)));
    [
        entry.sequence.to_string(),
        moment(event.at),
        event.action.clone(),
        or_dash(&event.actor),
        or_dash(&event.target),
        details.collect::<Vec<_>>().join(" "),
    ]
}

/// A text without quotes where nobody can mistake it for more than one.
fn plain(value: &Value) -> String {
    let word = |own: &&str| {
        !own.is_empty() && own.chars().all(|c| c.is_ascii_graphic() && !"\"\\=".contains(c))
    };
    match value.as_str().filter(word) {
        Some(word) => word.to_owned(),
        None => value.to_string(),
    }
}

fn object(entry: &AuditEntry) -> Value {
    let event = &entry.event;
    let details: Value = serde_json::from_str(&event.details).unwrap_or_default();
    let hash: String = entry.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "sequence": entry.sequence,
        "at": moment(event.at),
        "action": event.action,
        "actor": event.actor,
        "target": event.target,
        "details": details,
        "id": event.id,
        "hash": hash,
    })
}
