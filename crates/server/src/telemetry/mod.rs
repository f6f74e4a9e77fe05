//! What the server says about itself: logs, request ids, metrics. Never a secret, never a body.

mod metrics;
mod observe;
mod vault;
mod webhooks;

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt as lines};

pub(crate) use metrics::Metrics;
pub(crate) use observe::{Leaving, Observe, RequestInfo};
pub(crate) use webhooks::WebhookOutcome;

/// Logs to standard error from `level` on, as text or as one JSON object a line. Libraries are
/// heard from `warn` on. A second call changes nothing.
pub(crate) fn start_logs(json: bool, level: LevelFilter) {
    let ours = ["grantor", "grantor_core", "grantor_store", "sample"];
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(ours.map(|name| (name, level)));
    let layer = lines::layer().with_writer(std::io::stderr);
    let layer = if json {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        layer.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let first = tracing_subscriber::registry().with(layer.with_filter(targets)).try_init();
    if first.is_err() {
        tracing::debug!("logs were started before");
    }
}

/// Names one request in the logs and on error pages: 16 hex digits, never taken from the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RequestId(u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Makes request ids: a counter under a keyed hash, so that ids tell nothing about each other.
#[derive(Debug, Default)]
pub(crate) struct RequestIds {
    key: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    /// The next one.
    pub(crate) fn next(&self) -> RequestId {
        RequestId(self.key.hash_one(self.count.fetch_add(1, Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_ids_are_sixteen_digits_and_differ() {
        let ids = RequestIds::default();
        let texts: HashSet<String> = (0..1000).map(|_| ids.next().to_string()).collect();
        assert_eq!(texts.len(), 1000);
        let hex = |text: &String| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(texts.iter().all(hex));
    }
}
