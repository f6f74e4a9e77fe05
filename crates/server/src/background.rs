//! What goes on beside requests: mail, webhooks, refreshes, clean-up, keys, limits, the audit log,
//! the time.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::keys;
use grantor_core::time::Seconds;
use grantor_core::vault::{api_key, audit};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::clock::StoreClock;
use crate::mail::Mailer;
use crate::refreshes::Refreshes;
use crate::run::stopped;
use crate::{notices, outbox, proxy, refreshes};

/// Rows that one step of the sweeper removes at most, so that it never holds requests up.
const SWEEP_LIMIT: u32 = 500;

/// Between two steps that found nothing.
const SWEEP_PAUSE: Duration = Duration::from_secs(5);

/// Between two entries that vouch for the audit log so far.
const CHECKPOINTS: Duration = Duration::from_secs(300);

/// How far behind the time may be when an API key was last used.
const KEY_USES: Duration = Duration::from_secs(60);

/// How often what was counted of the limits is settled with other nodes.
const SETTLE_LIMITS: Duration = Duration::from_millis(100);

/// The same after the store could not be reached.
const SETTLE_AGAIN: Duration = Duration::from_secs(1);

/// How often the store is asked for the time.
const MEASURE_TIME: Duration = Duration::from_secs(10);

/// How far this machine's clock may be off from the store's, in milliseconds, before that is worth a
/// word.
pub(crate) const CLOCK_OFF: u64 = 1_000;

/// The running tasks.
pub(crate) struct Tasks {
    tasks: JoinSet<()>,
    refreshes: Arc<Refreshes>,
}

impl Tasks {
    /// Waits until each has finished its step, and writes down what is only in memory; called after
    /// the server has stopped answering.
    pub(crate) async fn finish(mut self, app: &App) {
        while self.tasks.join_next().await.is_some() {}
        self.refreshes.finished().await;
        store_key_uses(app).await;
        if let Err(error) = app.calls.store(app).await {
            tracing::error!(cause = %error, "calls through the proxy are missing in the audit log");
        }
        vouch(app).await;
    }
}

/// Starts them all.
pub(crate) fn start(
    app: &Arc<App>,
    mailer: Option<(Arc<dyn Mailer>, Seconds)>,
    stop: watch::Receiver<bool>,
) -> Tasks {
    let refreshes = Refreshes::of(app, stop.clone());
    let mut tasks = JoinSet::new();
    if let Some((mailer, claim)) = mailer {
        tasks.spawn(outbox::deliver(app.clone(), mailer, claim, stop.clone()));
    }
    tasks.spawn(notices::deliver(app.clone(), stop.clone()));
    tasks.spawn(proxy::write_down(app.clone(), stop.clone()));
    tasks.spawn(sweep(app.clone(), stop.clone()));
    tasks.spawn(watch_keys(app.clone(), stop.clone()));
    tasks.spawn(count_writes(app.clone(), stop.clone()));
    tasks.spawn(key_uses(app.clone(), stop.clone()));
    tasks.spawn(checkpoints(app.clone(), stop.clone()));
    tasks.spawn(refreshes::sweep(app.clone(), refreshes.clone(), stop.clone()));
    tasks.spawn(prune_limits(app.clone(), stop.clone()));
    if app.backend.is_shared() {
        tasks.spawn(settle_limits(app.clone(), stop.clone()));
    }
    if let Some(clock) = app.store_clock.clone() {
        tasks.spawn(measure_time(app.clone(), clock, stop));
    }
    Tasks { tasks, refreshes }
}

/// Waits for `pause`; false when the server is to stop.
pub(crate) async fn paused(pause: Duration, stop: &watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = stopped(stop.clone()) => false,
    }
}

/// Small steps, close together while there is something to remove. One step looks at a slice of
/// the rows, so that finding nothing does not mean that there is nothing.
async fn sweep(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut pause = SWEEP_PAUSE;
    while paused(pause, &stop).await {
        let now = app.server.clock.now();
        pause = match app.server.store.sweep(now, SWEEP_LIMIT).await {
            Ok(0) => SWEEP_PAUSE,
            Ok(_) => Duration::from_millis(100),
            Err(error) => {
                tracing::warn!(cause = %error, "clean-up could not run");
                Duration::from_secs(60)
            }
        };
    }
}

/// Learns within a second what another process has rotated, and rotates what is due.
async fn watch_keys(app: Arc<App>, stop: watch::Receiver<bool>) {
    while paused(Duration::from_secs(1), &stop).await {
        let now = app.server.clock.now();
        let step = async {
            keys::reload(&app.server, now).await?;
            if app.server.policy.keys.rotate_after.0 == 0 {
                return Ok(Vec::new());
            }
            keys::rotate_due(&app.server, now).await
        };
        match step.await {
            Ok(rotated) => {
                for algorithm in rotated {
                    tracing::info!(algorithm = algorithm.as_str(), "a signing key was rotated");
                }
            }
            Err(error) => tracing::warn!(cause = %error, "signing keys could not be read"),
        }
    }
}

/// When API keys were last used.
async fn key_uses(app: Arc<App>, stop: watch::Receiver<bool>) {
    while paused(KEY_USES, &stop).await {
        store_key_uses(&app).await;
    }
}

async fn store_key_uses(app: &App) {
    if let Err(error) = api_key::store_uses(&app.server).await {
        tracing::warn!(cause = %error, "the last use of API keys was not written down");
    }
}

async fn checkpoints(app: Arc<App>, stop: watch::Receiver<bool>) {
    while paused(CHECKPOINTS, &stop).await {
        vouch(&app).await;
    }
}

/// What is logged is a copy that nobody changes who has only the database.
async fn vouch(app: &App) {
    match audit::checkpoint(&app.server, app.server.clock.now()).await {
        Ok(Some(mark)) => tracing::info!(%mark, "the audit log so far"),
        Ok(None) => {}
        Err(error) => tracing::warn!(cause = %error, "nothing vouches for the audit log yet"),
    }
}

async fn prune_limits(app: Arc<App>, stop: watch::Receiver<bool>) {
    while paused(Duration::from_secs(60), &stop).await {
        app.limits.prune();
    }
}

/// Counts with the other nodes; alone while the store is away. Ends with what was counted last.
async fn settle_limits(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut pause = SETTLE_LIMITS;
    loop {
        let goes_on = paused(pause, &stop).await;
        let settled = app.limits.settle(&*app.server.store, &*app.server.clock).await;
        if let Err(error) = &settled
            && pause == SETTLE_LIMITS
        {
            tracing::warn!(cause = %error, "this node counts rate limits by itself for now");
        }
        if !goes_on {
            return;
        }
        pause = if settled.is_ok() { SETTLE_LIMITS } else { SETTLE_AGAIN };
    }
}

/// Keeps to the store's time. While the store is away, the clock goes on by what it told last.
async fn measure_time(app: Arc<App>, clock: Arc<StoreClock>, stop: watch::Receiver<bool>) {
    let mut told = false;
    loop {
        if let Err(error) = clock.measure(&app.backend).await {
            tracing::debug!(cause = %error, "the store could not be asked for the time");
        }
        let ahead = clock.machine_ahead();
        let off = ahead.unsigned_abs() > CLOCK_OFF;
        if off && !told {
            tracing::warn!(
                milliseconds_ahead = ahead,
                "the clock of this machine is off; the store's is used. Have NTP set it (chrony, \
                 systemd-timesyncd)"
            );
        }
        told = off;
        if !paused(MEASURE_TIME, &stop).await {
            return;
        }
    }
}

/// Publishes what the store has done.
async fn count_writes(app: Arc<App>, stop: watch::Receiver<bool>) {
    while paused(Duration::from_secs(1), &stop).await {
        if let Some(written) = app.backend.written() {
            app.metrics.store(written.commits, written.writes, written.commit_time);
        }
    }
}
