//! What is counted of the vault: tokens that were asked for, refreshes, connections.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use grantor_core::vault::ask::Count;
use grantor_core::vault::refresh::Report;
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;

use super::Metrics;

/// From a provider next door to one that uses its whole deadline.
pub(super) const SECONDS: [f64; 11] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 90.0];

/// What a refresh came to, as [`Report::result`] names it.
const OUTCOMES: [&str; 10] = [
    "renewed",
    "raced",
    "overtaken",
    "grant_dead",
    "client_broken",
    "bad_request",
    "throttled",
    "transient",
    "unknown_outcome",
    OTHER,
];

/// What a request for a token was answered.
const RESULTS: [&str; 14] = [
    "stored",
    "refreshed",
    STALE,
    "missing_token",
    "invalid_token",
    "invalid_request",
    "access_denied",
    "insufficient_scope",
    "connection_not_found",
    "ambiguous_connection",
    "reauth_required",
    "temporarily_unavailable",
    "too_many_requests",
    OTHER,
];

/// The states that a connection can be in.
const STATUSES: [&str; 3] = ["active", "reauth_required", "disconnecting"];

/// With a warning.
const STALE: &str = "stale";
const OTHER: &str = "other";

/// The numbers; those of an integration are registered when they are first needed. Integrations are
/// named by the settings, so their labels cannot grow.
pub(super) struct VaultMetrics {
    joined: Counter,
    lease_lost: Counter,
    stale_served: Counter,
    rotated: Counter,
    outcome_unknown: Counter,
    seconds: Histogram,
    integrations: RwLock<HashMap<String, Arc<OfIntegration>>>,
}

struct OfIntegration {
    refreshes: Vec<Counter>,
    requests: Vec<Counter>,
}

/// The numbers with their recorder.
#[derive(Clone, Copy)]
pub(crate) struct Vault<'a> {
    pub(super) numbers: &'a VaultMetrics,
    pub(super) recorder: &'a PrometheusRecorder,
}

impl Vault<'_> {
    fn asked(self, integration: &str, result: &str) {
        let own = self.of(integration);
        own.requests[place(&RESULTS, result)].increment(1);
        if result == STALE {
            self.numbers.stale_served.increment(1);
        }
    }

    /// Counts a refresh that waits for one that is being made.
    pub(crate) fn joined(self) {
        self.numbers.joined.increment(1);
    }

    /// Counts a refresh, if the provider was asked.
    pub(crate) fn refreshed(self, integration: &str, report: &Report, took: Duration) {
        let numbers = self.numbers;
        if report.lease_lost {
            numbers.lease_lost.increment(1);
        }
        let Some(result) = report.result else {
            return;
        };
        self.of(integration).refreshes[place(&OUTCOMES, result)].increment(1);
        numbers.seconds.record(took.as_secs_f64());
        if report.rotated {
            numbers.rotated.increment(1);
        }
        if result == "unknown_outcome" {
            numbers.outcome_unknown.increment(1);
        }
    }

    /// How many connections there are in each state.
    pub(crate) fn connections(self, counted: &[(String, String, u64)]) {
        for status in STATUSES {
            let own = counted.iter().filter(|(_, own, _)| own == status);
            let count: u64 = own.map(|(_, _, count)| count).sum();
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::with_local_recorder(self.recorder, || {
                metrics::gauge!("connections", "status" => status).set(f64::from(count));
            });
        }
    }

    fn of(self, integration: &str) -> Arc<OfIntegration> {
        let known = &self.numbers.integrations;
        let found = known.read().unwrap_or_else(PoisonError::into_inner).get(integration).cloned();
        found.unwrap_or_else(|| {
            let made =
                metrics::with_local_recorder(self.recorder, || OfIntegration::new(integration));
            let mut all = known.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(integration.to_owned()).or_insert_with(|| Arc::new(made)))
        })
    }
}

impl Count for Metrics {
    fn asked(&self, integration: Option<&str>, result: &str) {
        if let Some(vault) = self.vault() {
            vault.asked(integration.unwrap_or(OTHER), result);
        }
    }
}

impl VaultMetrics {
    /// Registered with the recorder of the moment.
    pub(super) fn new() -> Self {
        describe();
        Self {
            joined: metrics::counter!("single_flight_joined_total"),
            lease_lost: metrics::counter!("lease_lost_total"),
            stale_served: metrics::counter!("stale_served_total"),
            rotated: metrics::counter!("rotated_total"),
            outcome_unknown: metrics::counter!("outcome_unknown_total"),
            seconds: metrics::histogram!("refresh_seconds"),
            integrations: RwLock::default(),
        }
    }
}

impl OfIntegration {
    fn new(name: &str) -> Self {
        let refreshes = OUTCOMES.map(|outcome| {
            let name = name.to_owned();
            metrics::counter!("refresh_total", "integration" => name, "outcome" => outcome)
        });
        let requests = RESULTS.map(|result| {
            let name = name.to_owned();
            metrics::counter!("vault_token_requests_total", "integration" => name, "result" => result)
        });
        Self { refreshes: refreshes.to_vec(), requests: requests.to_vec() }
    }
}

fn describe() {
    metrics::describe_counter!("refresh_total", "Refreshes at providers by outcome.");
    metrics::describe_histogram!("refresh_seconds", "Time that a refresh took.");
    metrics::describe_counter!("single_flight_joined_total", "Refreshes that waited for another.");
    metrics::describe_counter!("lease_lost_total", "Refreshes that somebody else took over.");
    metrics::describe_counter!("stale_served_total", "Tokens that were answered with a warning.");
    metrics::describe_counter!("rotated_total", "Refreshes that brought another refresh token.");
    metrics::describe_counter!(
        "outcome_unknown_total",
        "Refreshes that may have been made or not."
    );
    metrics::describe_gauge!("connections", "Connections by status.");
    metrics::describe_counter!("vault_token_requests_total", "Requests for tokens by result.");
}

/// The place of `name` in a list that ends in "other".
fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or(names.len() - 1)
}
