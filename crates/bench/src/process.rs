//! What a process costs, as Linux counts it: proc(5).

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks a second in `/proc/<pid>/stat`: `USER_HZ`, which is 100 on every Linux.
const TICKS: u64 = 100;

/// Time on a processor so far, user and system, of all threads that are or were.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is gone"))?;
    let ticks = ticks(&stat).context("cannot read /proc/<pid>/stat")?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// The same of a process and all that it has started, as far as they still run.
pub(crate) fn cpu_of_family(pid: u32) -> Result<Duration> {
    let mut all = cpu(pid)?;
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    for child in children.split_ascii_whitespace() {
        // One that has ended meanwhile is counted no more.
        all += child.parse().ok().and_then(|own| cpu(own).ok()).unwrap_or_default();
    }
    Ok(all)
}

/// Resident memory in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All that is resident.
    pub(crate) resident: u64,
    /// What of it belongs to the process alone: heap and stacks.
    pub(crate) anonymous: u64,
    /// The most that ever was resident.
    pub(crate) peak: u64,
}

/// The memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let field =
        |name| kib(&status, name).with_context(|| format!("no {name} in /proc/<pid>/status"));
    Ok(Memory { resident: field("VmRSS:")?, anonymous: field("RssAnon:")?, peak: field("VmHWM:")? })
}

/// Fields 14 and 15. The second one is a name in parentheses that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1 1";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("42 (cut off"), None);
    }

    #[test]
    fn memory_is_read_by_name() {
        let status = "Name:\tx\nVmHWM:\t   900 kB\nVmRSS:\t   800 kB\nRssAnon:\t   700 kB\n";
        assert_eq!(kib(status, "VmRSS:"), Some(800));
        assert_eq!(kib(status, "VmSwap:"), None);
    }

    #[test]
    fn this_process_has_both() {
        let pid = std::process::id();
        cpu(pid).expect("own stat");
        assert!(memory(pid).expect("own status").resident > 0);
    }
}
