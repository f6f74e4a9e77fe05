//! kill -9 of Redis under load: with appendfsync always nothing that was acknowledged is lost, and
//! nobody is left waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use grantor_core::model::AccessToken;
use grantor_core::store::{StoreError, TokenStore as _};
use grantor_store::contract::fixtures::{NOW, own_access};
use grantor_store::contract::servers::{RedisCluster, RedisServer};
use grantor_store::redis::Redis;

use super::open;

/// Writers, and what they were told.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<Vec<AccessToken>>,
    refused: AtomicU64,
    over: AtomicBool,
}

impl Ledger {
    fn count(&self) -> usize {
        self.acknowledged.lock().expect("nobody panicked").len()
    }

    /// Waits for `more` acknowledged writes.
    async fn more(&self, more: usize) {
        let (since, goal) = (Instant::now(), self.count() + more);
        while self.count() < goal {
            assert!(since.elapsed() < Duration::from_secs(30), "writes do not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn write(&self, store: &Redis) {
        while !self.over.load(Ordering::Relaxed) {
            let one = own_access("a");
            let asked = Instant::now();
            let told = store.issue_access(one.clone()).await;
            assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
            match told {
                Ok(()) => self.acknowledged.lock().expect("nobody panicked").push(one),
                Err(StoreError::Unavailable(_)) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// Writes with many at once while `break_off` is done now and then; says what was acknowledged.
    async fn under_load(store: &Arc<Redis>, mut break_off: impl FnMut()) -> Vec<AccessToken> {
        let ledger = Arc::new(Self::default());
        let writers: Vec<_> = (0..16)
            .map(|_| {
                let (store, ledger) = (Arc::clone(store), Arc::clone(&ledger));
                tokio::spawn(async move { ledger.write(&store).await })
            })
            .collect();
        for _ in 0..3 {
            ledger.more(300).await;
            break_off();
        }
        ledger.more(300).await;
        ledger.over.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.expect("a writer panicked");
        }
        assert!(ledger.refused.load(Ordering::Relaxed) > 0, "it was never away");
        ledger.acknowledged.lock().expect("nobody panicked").clone()
    }
}

async fn are_there(store: &Redis, acknowledged: &[AccessToken]) {
    for one in acknowledged {
        let read = store.access_token(one.id, &one.digest, NOW).await.expect("read");
        assert!(read.is_some(), "one of {} is lost", acknowledged.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_kill_9_of_redis() {
    let mut server = RedisServer::start(&["--appendfsync", "always"]);
    let store = open(&server.socket()).await;
    let acknowledged = Ledger::under_load(&store, || {
        server.kill();
        server.start_again();
    });
    are_there(&store, &acknowledged.await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_kill_9_of_a_node_of_a_cluster() {
    let mut cluster = RedisCluster::start(&["--appendfsync", "always"]);
    let store = open(&cluster.url()).await;
    let acknowledged = Ledger::under_load(&store, || {
        let node = cluster.node_of("{grantor:oauth}:meta");
        node.kill();
        node.start_again();
        cluster.until_it_works();
    });
    are_there(&store, &acknowledged.await).await;
}
