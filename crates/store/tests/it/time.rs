//! The time of day, which all nodes take from the store that they share.

use std::time::{SystemTime, UNIX_EPOCH};

use grantor_core::store::StoreError;
use grantor_store::contract::servers::{PostgresServer, RedisCluster, RedisServer};
use grantor_store::redis::Options;

use crate::redis::open_with;

/// The servers have the clock of this machine.
#[expect(clippy::disallowed_methods, reason = "it is what the servers' time is compared with")]
fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("in this millennium")
}

/// Told is a moment between the question and the answer.
async fn assert_now<A>(ask: impl Fn() -> A)
where
    A: Future<Output = Result<u64, StoreError>>,
{
    for _ in 0..10 {
        let asked = millis();
        let told = ask().await.expect("the store is there");
        assert!((asked..=millis()).contains(&told), "asked at {asked}, told {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_tells_the_time() {
    let store = crate::postgres::open(&PostgresServer::shared().fresh().await).await;
    assert_now(|| store.time()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_tells_the_time() {
    let mut server = RedisServer::start(&[]);
    let store = open_with(&server.url(), &Options::default()).await;
    assert_now(|| store.time()).await;
    server.kill();
    assert!(matches!(store.time().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_tells_the_time() {
    let cluster = RedisCluster::start(&[]);
    let store = open_with(&cluster.url(), &Options::default()).await;
    assert_now(|| store.time()).await;
}
