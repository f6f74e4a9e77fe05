//! Credentials that can be used once, fetched before the clock starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use crate::compare::Effort;
use crate::load::Script;
use crate::request::Template;
use crate::wire::Answer;

/// For the first second; afterwards the rate is known.
const FIRST_GUESS: usize = 10_000;

/// What a phase may be faster than the one before it, in percent.
const FASTER: usize = 150;

/// How many a phase will need, as far as the one before it tells.
pub(super) struct Demand {
    a_second: usize,
    seconds: usize,
}

impl Default for Demand {
    fn default() -> Self {
        Self { a_second: FIRST_GUESS, seconds: 1 }
    }
}

impl Demand {
    /// For the next phase.
    pub(super) fn of(&mut self, effort: &Effort) -> Result<usize> {
        self.seconds = usize::try_from(effort.seconds)?.max(1);
        Ok(self.a_second * self.seconds)
    }

    /// Learns what the phase has used.
    pub(super) fn learn(&mut self, scripts: &[Spend]) {
        let used = scripts.first().map_or(0, |script| script.supply.next.load(Ordering::Relaxed));
        self.a_second = (used / self.seconds * FASTER / 100).max(1_000);
    }
}

struct Supply {
    credentials: Vec<String>,
    next: AtomicUsize,
}

/// One connection of those that use up a supply.
pub(crate) struct Spend {
    template: Template,
    supply: Arc<Supply>,
}

impl Spend {
    /// A script for each of `connections`, which put one of `credentials` after the other into the
    /// request of `template`.
    pub(super) fn share(
        template: &Template,
        credentials: Vec<String>,
        connections: usize,
    ) -> Vec<Self> {
        let supply = Arc::new(Supply { credentials, next: AtomicUsize::new(0) });
        let script = || Self { template: template.clone(), supply: Arc::clone(&supply) };
        (0..connections).map(|_| script()).collect()
    }
}

impl Script for Spend {
    fn request(&mut self) -> Option<&[u8]> {
        let next = self.supply.next.fetch_add(1, Ordering::Relaxed);
        self.template.fill(self.supply.credentials.get(next)?.as_bytes()).ok()?;
        Some(self.template.bytes())
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<()> {
        answer.expect(200)
    }
}
