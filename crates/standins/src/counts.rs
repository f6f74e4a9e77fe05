//! How often each endpoint was called, with what, and how many calls were under way at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::calls::Call;

/// What was called. A call counts from the moment its request has been read, whatever becomes of
/// it.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<Seen>);

/// The counts as `/_control/counts` answers them.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Seen {
    pub(crate) endpoints: BTreeMap<&'static str, Tally>,
    pub(crate) grant_types: BTreeMap<String, Tally>,
    /// By the fingerprint of the refresh token.
    pub(crate) refresh_tokens: BTreeMap<String, Tally>,
}

/// The count of one kind of call.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) in_flight: u64,
    pub(crate) max_in_flight: u64,
    /// How many were answered, by status; none for those whose connection was dropped.
    pub(crate) answered: BTreeMap<u16, u64>,
}

impl Counts {
    pub(crate) fn begin(&self, call: &Call) {
        for tally in self.seen().tallies(call) {
            tally.calls += 1;
            tally.in_flight += 1;
            tally.max_in_flight = tally.max_in_flight.max(tally.in_flight);
        }
    }

    /// The end of a call, with its status if it is answered.
    pub(crate) fn end(&self, call: &Call, status: Option<u16>) {
        for tally in self.seen().tallies(call) {
            tally.in_flight = tally.in_flight.saturating_sub(1);
            if let Some(status) = status {
                *tally.answered.entry(status).or_default() += 1;
            }
        }
    }

    pub(crate) fn all(&self) -> Seen {
        self.seen().clone()
    }

    /// Counts from zero; what is under way stays.
    pub(crate) fn reset(&self) {
        let mut seen = self.seen();
        let Seen { endpoints, grant_types, refresh_tokens } = &mut *seen;
        endpoints.values_mut().for_each(Tally::restart);
        grant_types.values_mut().for_each(Tally::restart);
        refresh_tokens.values_mut().for_each(Tally::restart);
        refresh_tokens.retain(|_, tally| tally.in_flight > 0);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn tallies(&mut self, call: &Call) -> impl Iterator<Item = &mut Tally> {
        let endpoint = self.endpoints.entry(call.endpoint).or_default();
        let grant_type = call.grant_type.clone();
        let grant_type = grant_type.map(|name| self.grant_types.entry(name).or_default());
        let token = call.refresh_token.clone();
        let token = token.map(|token| self.refresh_tokens.entry(token).or_default());
        std::iter::once(endpoint).chain(grant_type).chain(token)
    }
}

impl Tally {
    fn restart(&mut self) {
        let under_way = self.in_flight;
        *self = Self { in_flight: under_way, max_in_flight: under_way, ..Self::default() };
    }
}
