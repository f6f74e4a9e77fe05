//! What is written down of a call, when it has ended: also when the caller went away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use grantor_core::id::ConnectionId;
use grantor_core::model::AuditEvent;
use grantor_core::store::StoreError;
use grantor_core::vault::audit::Actor;
use grantor_core::vault::proxy::{self, Made, Passed};
use tokio::sync::{Notify, watch};

use super::download::Cut;
use super::upload::Progress;
use crate::app::App;
use crate::background::paused;

/// Entries that wait for a store that is away, at most.
const MOST_WAITING: usize = 10_000;

/// A call that goes on. Dropping it writes it down.
pub(super) struct Record {
    app: Arc<App>,
    actor: Actor,
    connection: ConnectionId,
    made: Made,
    sent: Arc<Progress>,
}

impl Record {
    pub(super) fn new(
        app: &Arc<App>,
        actor: Actor,
        passed: &Passed,
        method: &Method,
        sent: &Arc<Progress>,
    ) -> Self {
        let made = Made {
            integration: passed.integration.clone(),
            method: method.to_string(),
            host: passed.host.clone(),
            path: passed.url.path().to_owned(),
            ..Made::default()
        };
        let (app, sent) = (Arc::clone(app), Arc::clone(sent));
        Self { app, actor, connection: passed.connection, made, sent }
    }

    /// The provider has answered.
    pub(super) fn answered(&mut self, status: u16) {
        self.made.status = Some(status);
    }

    /// More of the answer has come.
    pub(super) fn received(&mut self, bytes: u64) {
        self.made.received += bytes;
    }

    /// The whole answer has come.
    pub(super) fn complete(&mut self) {
        self.made.complete = true;
    }

    /// The answer was not passed on to its end.
    pub(super) fn cut(&mut self, why: Cut) {
        self.made.complete = false;
        let (connection, host) = (self.connection, &self.made.host);
        tracing::warn!(%connection, %host, cause = %why, "an answer of a provider was cut off");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.made.sent = self.sent.bytes();
        let (server, now) = (&self.app.server, self.app.server.clock.now());
        let entry = proxy::entry(server, &self.actor, self.connection, &self.made, now);
        self.app.calls.add(entry);
    }
}

/// Calls that have ended and are not in the audit log yet.
#[derive(Default)]
pub(crate) struct Calls {
    entries: Mutex<Vec<AuditEvent>>,
    added: Notify,
}

impl Calls {
    fn add(&self, entry: AuditEvent) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        self.added.notify_one();
    }

    fn take(&self) -> Vec<AuditEvent> {
        std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what has ended so far.
    pub(crate) async fn store(&self, app: &App) -> Result<(), StoreError> {
        let entries = self.take();
        if entries.is_empty() {
            return Ok(());
        }
        let stored = app.server.store.append_audit(entries.clone()).await;
        if stored.is_err() {
            let mut waiting = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            let left = MOST_WAITING.saturating_sub(waiting.len()).min(entries.len());
            if left < entries.len() {
                let lost = entries.len() - left;
                tracing::error!(lost, "calls through the proxy are missing in the audit log");
            }
            waiting.splice(0..0, entries.into_iter().take(left));
        }
        stored
    }
}

/// Writes calls down as they end, until the server stops.
pub(crate) async fn write_down(app: Arc<App>, stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = app.calls.added.notified() => {}
            () = crate::run::stopped(stop.clone()) => return,
        }
        if let Err(error) = app.calls.store(&app).await {
            tracing::warn!(cause = %error, "calls through the proxy could not be written down");
            app.calls.added.notify_one();
            if !paused(Duration::from_secs(1), &stop).await {
                return;
            }
        }
    }
}
