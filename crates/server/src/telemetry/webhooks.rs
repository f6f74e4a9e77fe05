//! What is counted of webhooks.

use metrics::{Counter, Gauge};

/// How an attempt to deliver a webhook ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WebhookOutcome {
    /// The endpoint has taken it.
    Delivered,
    /// It is tried again.
    Failed,
    /// It is not tried again.
    GivenUp,
}

/// The numbers, registered with the recorder of the moment.
pub(super) struct WebhookMetrics {
    delivered: Counter,
    failed: Counter,
    given_up: Counter,
    pending: Gauge,
}

impl WebhookMetrics {
    pub(super) fn new() -> Self {
        metrics::describe_counter!("webhooks_total", "Attempts to deliver a webhook by outcome.");
        metrics::describe_gauge!("webhooks_pending", "Webhooks that wait to be delivered.");
        let counter =
            |outcome: &'static str| metrics::counter!("webhooks_total", "outcome" => outcome);
        Self {
            delivered: counter("delivered"),
            failed: counter("failed"),
            given_up: counter("given_up"),
            pending: metrics::gauge!("webhooks_pending"),
        }
    }

    pub(super) fn count(&self, outcome: WebhookOutcome) {
        let counter = match outcome {
            WebhookOutcome::Delivered => &self.delivered,
            WebhookOutcome::Failed => &self.failed,
            WebhookOutcome::GivenUp => &self.given_up,
        };
        counter.increment(1);
    }

    pub(super) fn pending(&self, webhooks: u32) {
        self.pending.set(f64::from(webhooks));
    }
}
