//! Replicas: waiting for them, and a failover by Sentinel.

use std::time::{Duration, Instant};

use grantor_core::store::{Store as _, StoreError, TokenStore as _};
use grantor_store::contract::fixtures::{NOW, own_access};
use grantor_store::contract::servers::{RedisSentinel, RedisServer};
use grantor_store::redis::{Options, Redis};

use super::open_with;

fn waiting() -> Options {
    let wait_limit = Duration::from_millis(300);
    Options { wait_replicas: 1, wait_limit, ..Options::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_replica_has_is_not_acknowledged() {
    let primary = RedisServer::start(&[]);
    let mut replica = RedisServer::replica_of(&primary);
    let store = open_with(&primary.url(), &waiting()).await;
    store.issue_access(own_access("a")).await.expect("a replica has it");
    replica.kill();
    let told = store.issue_access(own_access("a")).await;
    assert!(
        matches!(&told, Err(StoreError::Unavailable(text)) if text.contains("0 of 1 replicas")),
        "{told:?}"
    );
    let known = own_access("a");
    let read = store.access_token(known.id, &known.digest, NOW).await;
    assert_eq!(read.expect("who reads waits for nobody"), None);
    replica.start_again();
    let since = Instant::now();
    while let Err(error) = store.issue_access(own_access("a")).await {
        assert!(since.elapsed() < Duration::from_secs(20), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinel_may_want_a_password_of_its_own() {
    let primary = RedisServer::start(&[]);
    let sentinel = RedisSentinel::start(primary.port(), &["requirepass watch"]);
    let refused = Redis::open(&sentinel.url(), &Options::default()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "anybody is told");
    let url = format!("{}?sentinel_password=watch", sentinel.url());
    open_with(&url, &Options::default()).await.ping().await.expect("answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_what_a_replica_had_is_there() {
    let mut primary = RedisServer::start(&[]);
    let replica = RedisServer::replica_of(&primary);
    let sentinel = RedisSentinel::start(primary.port(), &[]);
    sentinel.until_it_knows(1);
    let store = open_with(&sentinel.url(), &waiting()).await;
    let mut acknowledged = Vec::new();
    for _ in 0..100 {
        let one = own_access("a");
        store.issue_access(one.clone()).await.expect("issue");
        acknowledged.push(one);
    }
    primary.kill();
    let since = Instant::now();
    // The new primary has no replica to wait for, but reads go on.
    for one in &acknowledged {
        let read = loop {
            match store.access_token(one.id, &one.digest, NOW).await {
                Ok(read) => break read,
                Err(StoreError::Unavailable(_)) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => panic!("{error:?}"),
            }
            assert!(since.elapsed() < Duration::from_secs(60), "no failover");
        };
        assert!(read.is_some(), "one of {} is lost", acknowledged.len());
    }
    assert!(replica.cli(&["info", "replication"]).contains("role:master"));
}
