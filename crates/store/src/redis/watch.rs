//! Notices what other nodes change of the records that are kept in memory: at once by a message,
//! and within half a second without one.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::Inner;
use super::fault::Fault;
use super::fields::{column, items, maybe_column};
use super::script::{Call, Family, scripts};

/// How often the counters are looked at.
const POLL: Duration = Duration::from_millis(500);

/// After a look, for how long what is in memory is served. A change that the look just missed is
/// then seen within a second of its answer, whatever becomes of later looks.
const FRESH: Duration = Duration::from_millis(900);

/// Before the channel is subscribed to again.
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(1);

/// Whose records are kept in memory.
const WATCHED: [Family; 2] = [Family::Oauth, Family::Vault];

scripts! {
    /// With the history: after a failover that lost some changes, others may be counted alike.
    GENERATION = ["return { call('HGET', meta, 'generation'), history() }"];
}

/// Starts the tasks. They hold the store only while they look.
pub(super) fn start(inner: &Arc<Inner>) -> [AbortHandle; 2] {
    let wake = Arc::new(Notify::new());
    let polling = tokio::spawn(poll(Arc::downgrade(inner), Arc::clone(&wake)));
    let listening = tokio::spawn(listen(Arc::downgrade(inner), wake));
    [polling.abort_handle(), listening.abort_handle()]
}

async fn poll(store: Weak<Inner>, wake: Arc<Notify>) {
    let mut known = None;
    while let Some(inner) = store.upgrade() {
        let asked = Instant::now();
        if let Ok(seen) = generations(&inner).await {
            if known.as_ref() != Some(&seen) {
                inner.caches.clear();
                known = Some(seen);
            }
            let mut until = inner.fresh_until.lock().unwrap_or_else(PoisonError::into_inner);
            *until = Some(asked + FRESH);
        }
        drop(inner);
        // A message brings the next look forward.
        let _ = tokio::time::timeout(POLL, wake.notified()).await;
    }
}

/// How often the records of each family were changed, and in which history.
async fn generations(inner: &Inner) -> Result<Vec<(u64, String)>, Fault> {
    let mut seen = Vec::new();
    for family in WATCHED {
        let [count, history] = items(Call::new(inner, &GENERATION, family).read().await?)?;
        seen.push((maybe_column(count)?.unwrap_or(0), column(history)?));
    }
    Ok(seen)
}

async fn listen(store: Weak<Inner>, wake: Arc<Notify>) {
    while let Some(inner) = store.upgrade() {
        let channels = WATCHED.map(|family| format!("{}changed", inner.tag(family)));
        let subscriber = inner.link.subscriber().await;
        drop(inner);
        if let Ok(mut subscriber) = subscriber
            && subscriber.subscribe(&channels[..]).await.is_ok()
        {
            wake.notify_one();
            let mut messages = subscriber.on_message();
            while messages.next().await.is_some() {
                wake.notify_one();
            }
        }
        tokio::time::sleep(SUBSCRIBE_AGAIN).await;
    }
}
