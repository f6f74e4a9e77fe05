//! A node of a cluster that does not come back, and slots that move.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor_core::model::AccessToken;
use grantor_core::store::{Store as _, StoreError, TokenStore as _};
use grantor_store::contract::fixtures::{NOW, own_access};
use grantor_store::contract::servers::RedisCluster;
use grantor_store::redis::Redis;

use super::open;

const KEY: &str = "{grantor:oauth}:meta";

/// Asks until there is an answer. While there is none, that is said quickly.
async fn sooner_or_later<T>(mut ask: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    let since = Instant::now();
    loop {
        let asked = Instant::now();
        let told = ask().await;
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        match told {
            Ok(answer) => return answer,
            Err(StoreError::Unavailable(text)) => {
                assert!(since.elapsed() < Duration::from_secs(30), "{text}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn issue(store: &Redis) -> Vec<AccessToken> {
    let mut issued = Vec::new();
    for _ in 0..100 {
        let one = own_access("a");
        store.issue_access(one.clone()).await.expect("issue");
        issued.push(one);
    }
    issued
}

async fn are_there(store: &Arc<Redis>, issued: &[AccessToken]) {
    for one in issued {
        let read = sooner_or_later(|| store.access_token(one.id, &one.digest, NOW)).await;
        assert!(read.is_some(), "one of {} is lost", issued.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_from_a_node_that_does_not_come_back() {
    let mut cluster = RedisCluster::start(&[]);
    let store = open(&cluster.url()).await;
    let replica = cluster.add_replica(KEY);
    let issued = issue(&store).await;
    let node = cluster.node_of(KEY);
    replica.until_in_step_with(node);
    node.kill();
    are_there(&store, &issued).await;
    sooner_or_later(|| store.issue_access(own_access("a"))).await;
    sooner_or_later(|| store.ping()).await;
    are_there(&open(&cluster.url()).await, &issued).await;
    assert!(replica.cli(&["info", "replication"]).contains("role:master"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_moved_to_another_node_is_found_there() {
    let mut cluster = RedisCluster::start(&[]);
    let store = open(&cluster.url()).await;
    let issued = issue(&store).await;
    cluster.move_all_from(KEY);
    are_there(&store, &issued).await;
    sooner_or_later(|| store.issue_access(own_access("a"))).await;
    sooner_or_later(|| store.ping()).await;
}
