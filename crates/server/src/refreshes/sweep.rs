//! The sweeper of connections: tokens that are in use are renewed before anybody waits for it,
//! refresh tokens are kept alive, and what was begun and not finished is finished.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::error::Failure;
use grantor_core::id::ConnectionId;
use grantor_core::model::Connection;
use grantor_core::store::Recorded;
use grantor_core::time::{Seconds, Timestamp};
use grantor_core::vault::ask;
use grantor_core::vault::disconnect::{self, Disconnected, Upstream};
use grantor_core::vault::refresh::{self, Background as _, Found, Outcome, Work};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Refreshes;
use crate::app::App;
use crate::background::paused;

/// Between two looks that found nothing.
const PAUSE: Duration = Duration::from_secs(1);
/// After a look that found as much as it wanted.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// After a look that the store did not answer.
const LONG_PAUSE: Duration = Duration::from_secs(10);
/// How many looks there are between two counts of connections.
const COUNT_EVERY: u32 = 10;
/// How much longer a claim is than a refresh may take.
const SPARE: Seconds = Seconds(60);
/// Before a connection is looked at again whose integration has enough to do.
const ITS_TURN: Seconds = Seconds(2);

/// Looks after connections until the server stops.
pub(crate) async fn sweep(app: Arc<App>, refreshes: Arc<Refreshes>, stop: watch::Receiver<bool>) {
    let mut running = Running::default();
    let (mut pause, mut looks) = (PAUSE, 0u32);
    while paused(pause, &stop).await {
        while running.tasks.try_join_next().is_some() {}
        pause = match step(&app, &refreshes, &mut running).await {
            Ok(true) => SHORT_PAUSE,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(cause = %error, "connections could not be looked after");
                LONG_PAUSE
            }
        };
        if looks.is_multiple_of(COUNT_EVERY) {
            count(&app).await;
        }
        looks = looks.wrapping_add(1);
    }
    if let Err(error) = ask::store_uses(&app.server).await {
        tracing::warn!(cause = %error, "when connections were last used could not be written");
    }
}

/// What is being done, and for which integrations: one whose provider hangs does not take the places
/// of the others.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    /// Held by each task of the integration.
    turns: HashMap<String, Arc<()>>,
}

impl Running {
    /// Leave for another task, unless the integration has as many as it may make calls at once.
    fn turn(&mut self, app: &App, integration: &str) -> Option<Arc<()>> {
        let known = app.server.policy.vault.integrations.get(integration);
        let most = known.map_or(1, |own| own.concurrency.max(1));
        let turn = self.turns.entry(integration.to_owned()).or_default();
        let held = Arc::strong_count(turn).saturating_sub(1);
        (held < most as usize).then(|| turn.clone())
    }
}

/// Claims connections that are due and does what there is to do, beside; whether there may be more.
async fn step(
    app: &Arc<App>,
    refreshes: &Arc<Refreshes>,
    running: &mut Running,
) -> Result<bool, Failure> {
    let server = &app.server;
    // Which ones are in use is known before it is asked.
    ask::store_uses(server).await?;
    let policy = &server.policy.vault.refresh;
    let free = policy.batch.saturating_sub(u32::try_from(running.tasks.len()).unwrap_or(u32::MAX));
    if free == 0 {
        return Ok(true);
    }
    let now = server.clock.now();
    let until = now.plus(policy.deadline).plus(policy.deadline).plus(SPARE);
    let claimed = server.store.claim_due(now, until, free).await?;
    let mut looks = Vec::new();
    for connection in &claimed {
        match refresh::look(server, connection, now).await? {
            Found::Refresh(work) => {
                let Some(turn) = running.turn(app, &connection.integration) else {
                    looks.push((connection, Some(later(app, ITS_TURN, now))));
                    continue;
                };
                let (app, refreshes) = (app.clone(), refreshes.clone());
                let connection = connection.clone();
                running.tasks.spawn(async move {
                    renew(&app, &refreshes, connection, work, now).await;
                    drop(turn);
                });
            }
            Found::Leaving(id) => {
                let Some(turn) = running.turn(app, &connection.integration) else {
                    looks.push((connection, Some(later(app, ITS_TURN, now))));
                    continue;
                };
                let app = app.clone();
                running.tasks.spawn(async move {
                    leave(&app, id).await;
                    drop(turn);
                });
            }
            Found::Nothing(next) => looks.push((connection, next)),
        }
    }
    if !looks.is_empty() {
        refresh::put_off(server, &looks, now, Recorded::default()).await?;
    }
    Ok(claimed.len() == free as usize)
}

/// Renews a connection that was looked at `now`, and looks again later if that could not be done.
async fn renew(
    app: &App,
    refreshes: &Refreshes,
    connection: Connection,
    work: Work,
    now: Timestamp,
) {
    let patience = app.server.policy.vault.refresh.deadline;
    let outcome = refreshes.finish(work, Seconds(patience.0.saturating_mul(2))).await;
    let Some(Outcome::Later { wait, .. }) = outcome else {
        return;
    };
    let next = later(app, wait, app.server.clock.now());
    let looks = [(&connection, Some(next))];
    let put_off = refresh::put_off(&app.server, &looks, now, Recorded::default()).await;
    if let Err(error) = put_off {
        tracing::warn!(cause = %error, "a refresh could not be put off");
    }
}

/// Goes on giving a connection back, which is due again if it does not come to an end.
async fn leave(app: &App, id: ConnectionId) {
    let now = app.server.clock.now();
    match disconnect::resume(&app.server, id, now).await {
        Ok(Some(Disconnected::Done(Upstream::GivenUp(why)))) => {
            tracing::warn!(connection = %id.shown(), cause = %why,
                "a connection is removed, and its grant may still be alive at the provider");
        }
        Ok(Some(Disconnected::Done(_)) | None) => {}
        Ok(Some(Disconnected::Pending { why })) => {
            tracing::warn!(connection = %id.shown(), cause = %why,
                "a provider could not be told that a connection is over");
        }
        Err(error) => tracing::warn!(cause = %error, "a connection could not be given back"),
    }
}

/// Not all at once.
fn later(app: &App, wait: Seconds, now: Timestamp) -> Timestamp {
    let mut byte = [0];
    app.server.entropy.fill(&mut byte);
    let spread = wait.0.max(8) / 4 * u32::from(byte[0]) / 255;
    now.plus(wait).plus(Seconds(spread))
}

async fn count(app: &App) {
    let Some(vault) = app.metrics.vault() else {
        return;
    };
    match app.server.store.count_connections().await {
        Ok(counted) => vault.connections(&counted),
        Err(error) => tracing::warn!(cause = %error, "connections could not be counted"),
    }
}
