//! Looks whether another node has changed a record that is kept in memory: several times a second,
//! and at once where the server tells (LISTEN, which not every database of the kind can).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connect::Connector;
use super::rows::Db;
use crate::cache::Caches;
use crate::columns::single;

/// How often the records' generation is read; the port allows a change to be seen after a second.
const LOOK: Duration = Duration::from_millis(400);

/// How old the last look may be for what is in memory to be used.
const FRESH: Duration = Duration::from_millis(950);

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long after a connection was lost, or could not be made, the next one is tried.
const PAUSE: Duration = Duration::from_millis(100);

/// Watches from its start until it is dropped.
pub(super) struct Watch {
    looked: Arc<Looked>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// When the last look began that was answered.
struct Looked {
    start: Instant,
    /// Milliseconds after `start`, and one; 0 for never.
    at: AtomicU64,
}

impl Looked {
    fn at(&self, moment: Instant) {
        let millis = moment.duration_since(self.start).as_millis();
        self.at.store(u64::try_from(millis).unwrap_or(u64::MAX - 1) + 1, Ordering::Release);
    }

    fn is_fresh(&self) -> bool {
        match self.at.load(Ordering::Acquire) {
            0 => false,
            at => self.start.elapsed() < Duration::from_millis(at - 1) + FRESH,
        }
    }
}

impl Watch {
    pub(super) fn start(connector: &Arc<Connector>, caches: &Arc<Caches>) -> Self {
        let looked = Arc::new(Looked { start: Instant::now(), at: AtomicU64::new(0) });
        let changed = Arc::new(Notify::new());
        let watcher = Watcher {
            connector: Arc::clone(connector),
            caches: Arc::clone(caches),
            looked: Arc::clone(&looked),
            changed: Arc::clone(&changed),
            seen: None,
        };
        Self { looked, changed, task: tokio::spawn(watcher.watch()) }
    }

    /// Whether what is in memory is as it was less than a second ago, whatever other nodes do.
    pub(super) fn is_fresh(&self) -> bool {
        self.looked.is_fresh()
    }

    /// Tells the other nodes that a record has changed.
    pub(super) fn tell(&self) {
        self.changed.notify_one();
    }
}

struct Watcher {
    connector: Arc<Connector>,
    caches: Arc<Caches>,
    looked: Arc<Looked>,
    changed: Arc<Notify>,
    /// The generation that was read last.
    seen: Option<i64>,
}

impl Watcher {
    async fn watch(mut self) {
        loop {
            let (told, heard) = mpsc::unbounded_channel();
            if let Ok(Ok(opened)) = timeout(CONNECT, self.connector.open(Some(told))).await {
                self.listen(&ClientWrapper::new(opened.client, opened.task), heard).await;
            }
            sleep(PAUSE).await;
        }
    }

    /// Looks again and again, until the connection breaks.
    async fn listen(&mut self, client: &ClientWrapper, mut heard: mpsc::UnboundedReceiver<()>) {
        let listening = timeout(FRESH, client.batch_execute("LISTEN grantor_records")).await;
        tracing::trace!(?listening, "waits to hear of changes");
        while self.look(client).await {
            tokio::select! {
                told = heard.recv() => if told.is_none() { return },
                () = self.changed.notified() => {
                    // Where it cannot be told, the others find out by looking.
                    let told = timeout(FRESH, client.batch_execute("NOTIFY grantor_records")).await;
                    tracing::trace!(?told, "tells of a change");
                }
                () = sleep(LOOK) => {}
            }
        }
    }

    /// Whether there was an answer.
    async fn look(&mut self, client: &ClientWrapper) -> bool {
        let began = Instant::now();
        let select = "SELECT generation FROM cache_generation WHERE name = 'records'";
        let generation = timeout(FRESH, Db(client).one(select, &[], single::<i64>)).await;
        let Ok(Ok(Some(generation))) = generation else {
            return false;
        };
        if self.seen != Some(generation) {
            self.caches.clear();
        }
        self.seen = Some(generation);
        self.looked.at(began);
        true
    }
}
