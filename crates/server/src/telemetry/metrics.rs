//! Numbers for Prometheus, with label sets that cannot grow.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::{Method, header};
use axum::routing::get;
use grantor_core::model::{GrantType, MethodName};
use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::vault::{self, Vault, VaultMetrics};
use super::webhooks::{WebhookMetrics, WebhookOutcome};

/// Where everything is counted, or nothing: off, each call is a branch.
#[derive(Clone, Default)]
pub(crate) struct Metrics(Option<Arc<Inner>>);

struct Inner {
    recorder: PrometheusRecorder,
    routes: Mutex<HashMap<String, Arc<RouteMetrics>>>,
    tokens: Vec<Counter>,
    sign_ins: Vec<Vec<Counter>>,
    outbox: Gauge,
    commits: Counter,
    writes: Counter,
    commit_micros: Counter,
    webhooks: WebhookMetrics,
    vault: VaultMetrics,
}

const OUTCOMES: [&str; 4] = ["success", "failure", "limited", OTHER];
const OTHER: &str = "other";

/// Seconds; from a point read in memory to a client that should have given up.
const SECONDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

impl Metrics {
    /// Counts nothing.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Counts from zero. Needs [`Metrics::upkeep`] to run, or it grows.
    pub(crate) fn on() -> Self {
        let buckets = |builder: PrometheusBuilder, name: &str, seconds: &[f64]| {
            builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), seconds)
        };
        let builder = buckets(PrometheusBuilder::new(), "http_request_seconds", &SECONDS);
        let builder =
            builder.and_then(|builder| buckets(builder, "refresh_seconds", &vault::SECONDS));
        let recorder = builder.unwrap_or_default().build_recorder();
        Self(Some(Arc::new(Inner::new(recorder))))
    }

    /// Counts a token response of a grant type.
    pub(crate) fn token_issued(&self, grant: &str) {
        if let Some(inner) = &self.0 {
            inner.tokens[GrantType::ALL
                .iter()
                .position(|own| own.as_str() == grant)
                .unwrap_or(GrantType::ALL.len())]
            .increment(1);
        }
    }

    /// Counts a sign-in: method `admin_token` or `password`, outcome `success`, `failure` or
    /// `limited`.
    pub(crate) fn sign_in(&self, method: &str, outcome: &str) {
        if let Some(inner) = &self.0 {
            let known = MethodName::ALL.iter().position(|own| own.as_str() == method);
            let method = known.unwrap_or(MethodName::ALL.len());
            inner.sign_ins[method][place(&OUTCOMES, outcome)].increment(1);
        }
    }

    /// Mails that wait to be sent.
    pub(crate) fn outbox_pending(&self, mails: u32) {
        if let Some(inner) = &self.0 {
            inner.outbox.set(f64::from(mails));
        }
    }

    /// Counts an attempt to deliver a webhook.
    pub(crate) fn webhook(&self, outcome: WebhookOutcome) {
        if let Some(inner) = &self.0 {
            inner.webhooks.count(outcome);
        }
    }

    /// Webhooks that wait to be delivered.
    pub(crate) fn webhooks_pending(&self, webhooks: u32) {
        if let Some(inner) = &self.0 {
            inner.webhooks.pending(webhooks);
        }
    }

    /// What is counted of the vault, `None` when nothing is.
    pub(crate) fn vault(&self) -> Option<Vault<'_>> {
        let inner = self.0.as_deref()?;
        Some(Vault { numbers: &inner.vault, recorder: &inner.recorder })
    }

    /// What the store has done since it was opened: groups committed, writes in them, and the
    /// time that making them durable took.
    pub(crate) fn store(&self, commits: u64, writes: u64, took: Duration) {
        if let Some(inner) = &self.0 {
            inner.commits.absolute(commits);
            inner.writes.absolute(writes);
            inner.commit_micros.absolute(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// `GET /metrics`, to be served on a listener of its own.
    pub(crate) fn router(&self) -> Router {
        let handle = self.handle();
        Router::new().route(
            "/metrics",
            get(async move || {
                let text = handle.map(|handle| handle.render()).unwrap_or_default();
                ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
            }),
        )
    }

    /// Empties the buffers of the histograms, for ever. To be spawned.
    pub(crate) fn upkeep(&self) -> impl Future<Output = ()> + Send + 'static {
        let handle = self.handle();
        async move {
            while let Some(handle) = &handle {
                tokio::time::sleep(Duration::from_secs(5)).await;
                handle.run_upkeep();
            }
        }
    }

    /// What is counted for one route pattern, `None` when nothing is.
    pub(super) fn route(&self, pattern: &str) -> Option<Arc<RouteMetrics>> {
        let inner = self.0.as_ref()?;
        let mut routes = inner.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = routes.get(pattern).cloned();
        Some(known.unwrap_or_else(|| {
            let made = Arc::new(RouteMetrics::new(pattern, Arc::downgrade(inner)));
            routes.insert(pattern.to_owned(), Arc::clone(&made));
            made
        }))
    }

    fn handle(&self) -> Option<PrometheusHandle> {
        self.0.as_ref().map(|inner| inner.recorder.handle())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Metrics(on)" } else { "Metrics(off)" })
    }
}

impl Inner {
    fn new(recorder: PrometheusRecorder) -> Self {
        metrics::with_local_recorder(&recorder, describe);
        let token = |grant| metrics::counter!("tokens_issued_total", "grant" => grant);
        let sign_in = |method| OUTCOMES.map(|outcome| sign_ins(method, outcome)).to_vec();
        let made = metrics::with_local_recorder(&recorder, || {
            (
                grants().into_iter().map(token).collect(),
                methods().into_iter().map(sign_in).collect(),
                metrics::gauge!("outbox_pending"),
                metrics::counter!("store_commits_total"),
                metrics::counter!("store_writes_total"),
                metrics::counter!("store_commit_micros_total"),
            )
        });
        let (tokens, sign_ins, outbox, commits, writes, commit_micros) = made;
        let webhooks = metrics::with_local_recorder(&recorder, WebhookMetrics::new);
        let vault = metrics::with_local_recorder(&recorder, VaultMetrics::new);
        let routes = Mutex::default();
        Self {
            recorder,
            routes,
            tokens,
            sign_ins,
            outbox,
            commits,
            writes,
            commit_micros,
            webhooks,
            vault,
        }
    }
}

fn sign_ins(method: &'static str, outcome: &'static str) -> Counter {
    metrics::counter!("sign_ins_total", "method" => method, "outcome" => outcome)
}

fn describe() {
    metrics::describe_counter!("http_requests_total", "Requests answered.");
    metrics::describe_histogram!("http_request_seconds", "Time to the head of the answer.");
    metrics::describe_counter!("tokens_issued_total", "Token responses by grant type.");
    metrics::describe_counter!("sign_ins_total", "Sign-in attempts by method and outcome.");
    metrics::describe_gauge!("outbox_pending", "Mails that wait to be sent.");
    metrics::describe_counter!("store_commits_total", "Groups of writes made durable.");
    metrics::describe_counter!("store_writes_total", "Writes in those groups.");
    metrics::describe_counter!("store_commit_micros_total", "Microseconds spent on that.");
}

fn grants() -> Vec<&'static str> {
    GrantType::ALL.iter().map(|grant| grant.as_str()).chain([OTHER]).collect()
}

fn methods() -> Vec<&'static str> {
    MethodName::ALL.iter().map(|method| method.as_str()).chain([OTHER]).collect()
}

/// The place of `name` in a list that ends in "other".
fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or(names.len() - 1)
}

/// The numbers of one route, registered when they are first needed and then only counted up.
pub(super) struct RouteMetrics {
    pattern: String,
    owner: std::sync::Weak<Inner>,
    seconds: Histogram,
    requests: [[OnceLock<Counter>; STATUSES.len() + 1]; VERBS.len() + 1],
}

const VERBS: [Method; 2] = [Method::GET, Method::POST];
const STATUSES: [u16; 22] = [
    200, 201, 202, 204, 302, 303, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431,
    500, 502, 503,
];

impl RouteMetrics {
    fn new(pattern: &str, owner: std::sync::Weak<Inner>) -> Self {
        let seconds = owner.upgrade().map(|inner| {
            metrics::with_local_recorder(
                &inner.recorder,
                || metrics::histogram!("http_request_seconds", "route" => pattern.to_owned()),
            )
        });
        Self {
            pattern: pattern.to_owned(),
            owner,
            seconds: seconds.unwrap_or_else(Histogram::noop),
            requests: Default::default(),
        }
    }

    pub(super) fn answered(&self, method: &Method, status: u16, took: Duration) {
        self.seconds.record(took.as_secs_f64());
        let verb = VERBS.iter().position(|known| known == method).unwrap_or(VERBS.len());
        let code = STATUSES.binary_search(&status).unwrap_or(STATUSES.len());
        let counter = self.requests[verb][code].get_or_init(|| self.register(verb, code));
        counter.increment(1);
    }

    fn register(&self, verb: usize, code: usize) -> Counter {
        let Some(inner) = self.owner.upgrade() else {
            return Counter::noop();
        };
        let method = VERBS.get(verb).map_or(OTHER, |m| m.as_str()).to_owned();
        let status = STATUSES.get(code).map_or_else(|| OTHER.to_owned(), u16::to_string);
        metrics::with_local_recorder(&inner.recorder, || {
            metrics::counter!("http_requests_total",
                "route" => self.pattern.clone(), "method" => method, "status" => status)
        })
    }
}

#[cfg(test)]
mod tests {
    use grantor_core::vault::ask::Count as _;

    use super::*;

    fn render(metrics: &Metrics) -> String {
        metrics.handle().map(|handle| handle.render()).unwrap_or_default()
    }

    #[test]
    fn labels_come_from_fixed_sets() {
        let metrics = Metrics::on();
        metrics.token_issued("authorization_code");
        metrics.token_issued("\"} evil");
        metrics.sign_in("password", "failure");
        metrics.outbox_pending(3);
        metrics.webhook(WebhookOutcome::Delivered);
        metrics.webhooks_pending(4);
        metrics.store(2, 9, Duration::from_micros(300));
        let vault = metrics.vault().expect("on");
        metrics.asked(Some("google"), "stored");
        metrics.asked(Some("google"), "\"} evil");
        metrics.asked(None, "stale");
        let of = |status: &str, count| ("google".to_owned(), status.to_owned(), count);
        vault.connections(&[of("active", 2), of("disconnecting", 1), of("active", 3)]);
        let route = metrics.route("/token").expect("on");
        route.answered(&Method::POST, 200, Duration::from_micros(80));
        route.answered(&Method::POST, 200, Duration::from_micros(80));
        route.answered(&Method::from_bytes(b"BREW").expect("a method"), 418, Duration::ZERO);
        let text = render(&metrics);
        for line in [
            "tokens_issued_total{grant=\"authorization_code\"} 1",
            "tokens_issued_total{grant=\"other\"} 1",
            "sign_ins_total{method=\"password\",outcome=\"failure\"} 1",
            "outbox_pending 3",
            "webhooks_total{outcome=\"delivered\"} 1",
            "webhooks_total{outcome=\"given_up\"} 0",
            "webhooks_pending 4",
            "store_writes_total 9",
            "store_commit_micros_total 300",
            "vault_token_requests_total{integration=\"google\",result=\"stored\"} 1",
            "vault_token_requests_total{integration=\"google\",result=\"other\"} 1",
            "vault_token_requests_total{integration=\"other\",result=\"stale\"} 1",
            "stale_served_total 1",
            "connections{status=\"active\"} 5",
            "connections{status=\"reauth_required\"} 0",
            "http_requests_total{route=\"/token\",method=\"POST\",status=\"200\"} 2",
            "http_requests_total{route=\"/token\",method=\"other\",status=\"other\"} 1",
            "http_request_seconds_bucket{route=\"/token\",le=\"0.0001\"} 3",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn off_counts_nothing() {
        let metrics = Metrics::off();
        metrics.token_issued("refresh_token");
        assert!(metrics.route("/token").is_none() && render(&metrics).is_empty());
    }
}
