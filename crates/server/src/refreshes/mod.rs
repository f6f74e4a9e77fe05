//! Refreshes beside requests: one at a time for a connection in this process, to its end even when
//! nobody waits for it, and while the server stops.

mod sweep;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use grantor_core::time::Seconds;
use grantor_core::vault::refresh::{self, Background, Outcome, Report, Target, Work};
use tokio::sync::watch;

use crate::app::App;

pub(crate) use sweep::sweep;

/// The refreshes of this process.
pub(crate) struct Refreshes(Arc<Inner>);

struct Inner {
    /// Weak: the application holds the refreshes.
    app: Weak<App>,
    flights: Mutex<HashMap<Target, Flight>>,
    /// How many there are, for whoever waits until there is none.
    running: watch::Sender<usize>,
    /// Becomes true when the server is to stop.
    stop: watch::Receiver<bool>,
}

/// A refresh that others may wait for too. It has ended when there is an outcome.
type Flight = watch::Receiver<Option<Outcome>>;

impl Refreshes {
    /// Those of `app`, which makes them from now on, until `stop`.
    pub(crate) fn of(app: &Arc<App>, stop: watch::Receiver<bool>) -> Arc<Self> {
        let running = watch::Sender::new(0);
        let inner = Inner { app: Arc::downgrade(app), flights: Mutex::default(), running, stop };
        let refreshes = Arc::new(Self(Arc::new(inner)));
        app.server.vault.beside.set(refreshes.clone());
        refreshes
    }

    /// Waits until all that were begun have ended: an answer of a provider is not thrown away.
    pub(crate) async fn finished(&self) {
        let mut running = self.0.running.subscribe();
        let left = *running.borrow();
        if left > 0 {
            tracing::info!(left, "waiting for refreshes to end");
        }
        let _none_left = running.wait_for(|running| *running == 0).await;
    }
}

#[async_trait]
impl Background for Refreshes {
    fn begin(&self, work: Work) {
        drop(self.0.flight(work));
    }

    async fn finish(&self, work: Work, patience: Seconds) -> Option<Outcome> {
        let mut flight = self.0.flight(work);
        let patience = Duration::from_secs(u64::from(patience.0));
        let landed = tokio::time::timeout(patience, flight.wait_for(Option::is_some)).await;
        match landed {
            Ok(Ok(outcome)) => outcome.clone(),
            // It was broken off: what is in the store is what there is.
            Ok(Err(_)) => Some(Outcome::Stored),
            Err(_) => None,
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn is_stopping(&self) -> bool {
        *self.0.stop.borrow()
    }
}

impl Inner {
    /// The refresh of that target that is being made, or a new one.
    fn flight(self: &Arc<Self>, work: Work) -> Flight {
        let target = work.target();
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&target) {
            if let Some(vault) = self.app.upgrade().as_ref().and_then(|app| app.metrics.vault()) {
                vault.joined();
            }
            return flight.clone();
        }
        let (landed, flight) = watch::channel(None);
        flights.insert(target.clone(), flight.clone());
        self.running.send_modify(|running| *running += 1);
        let ended = Ended { inner: Arc::clone(self), target };
        tokio::spawn(async move {
            let outcome = ended.inner.make(&work).await;
            // Whoever comes now begins another one.
            drop(ended);
            landed.send_replace(Some(outcome));
        });
        flight
    }

    async fn make(&self, work: &Work) -> Outcome {
        let Some(app) = self.app.upgrade() else {
            return Outcome::Stored;
        };
        let start = Instant::now();
        match refresh::run(&app.server, work).await {
            Ok(report) => {
                app.notices_queued.notify_one();
                if let Some(vault) = app.metrics.vault() {
                    vault.refreshed(work.integration(), &report, start.elapsed());
                }
                log(work, &report);
                report.outcome
            }
            Err(error) => {
                tracing::error!(target = ?work.target(), cause = %error, "a refresh could not be made");
                Outcome::Stored
            }
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Target, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight out of the list, however it ends.
struct Ended {
    inner: Arc<Inner>,
    target: Target,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.inner.flights().remove(&self.target);
        self.inner.running.send_modify(|running| *running -= 1);
    }
}

/// What the operator should know: once for each call that failed.
fn log(work: &Work, report: &Report) {
    let integration = work.integration();
    let what = match work {
        Work::Renew(renewal) => renewal.connection.shown(),
        Work::Grant { integration } => integration.clone(),
    };
    if let Outcome::Later { reason: "client_changed", why, .. } = report.outcome {
        tracing::warn!(integration, of = %what, cause = why, "a connection cannot be refreshed");
    }
    match (&report.failure, report.result) {
        (Some(failure), Some(result @ ("client_broken" | "bad_request"))) => {
            tracing::error!(integration, of = %what, result, cause = %failure.detail,
                "a provider refuses what this server is set up to ask");
        }
        (Some(failure), Some(result)) => {
            tracing::warn!(integration, of = %what, result, cause = %failure.detail,
                "a refresh has failed");
        }
        (_, _) if report.lease_lost => {
            tracing::warn!(integration, of = %what, "a refresh was taken over by somebody else");
        }
        (_, _) => {}
    }
}
