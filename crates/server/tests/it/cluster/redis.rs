//! Redis is restarted: what `docs/redis.md` says of it, and no more, is lost.

use std::time::Duration;

use grantor_store::contract::servers::RedisServer;

use super::ledger::Kept;
use super::load::Expected;
use super::nodes::{Cluster, SOON};
use crate::support::database::Database;
use crate::support::server::Setup;

async fn cluster(url: &str, change: impl FnOnce(Setup) -> Setup) -> Cluster {
    let database = Database::Elsewhere(url.to_owned());
    Cluster::start(database, [url, url], |setup| change(setup.set("redis.timeout", "2s"))).await
}

/// Kills the server under load and starts it again.
async fn restarted(redis: &mut RedisServer, cluster: &Cluster, expected: Expected, kept: Kept) {
    let load = cluster.load(expected);
    load.go_on(150, Duration::from_secs(30)).await;
    tokio::task::block_in_place(|| redis.kill());
    for node in cluster.nodes() {
        cluster.assert_away(node).await;
    }
    tokio::task::block_in_place(|| redis.start_again());
    for node in cluster.nodes() {
        cluster.until_ready(node, true, SOON).await;
    }
    load.go_on(150, SOON).await;
    assert!(load.away() > 0, "clients are told meanwhile");
    load.stop().await.check(cluster, kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_nothing_where_every_write_is_on_disk() {
    let mut redis = RedisServer::start(&["--appendfsync", "always"]);
    let keeps = |setup: Setup| setup.set("redis.keeps_acknowledged", true);
    let cluster = cluster(&redis.url(), keeps).await;
    let expected = Expected { away: true, ..Expected::default() };
    restarted(&mut redis, &cluster, expected, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_with_the_settings_of_redis_what_is_for_one_use_is_refused() {
    let mut redis = RedisServer::start(&[]);
    let cluster = cluster(&redis.url(), |setup| setup).await;
    let expected = Expected { away: true, forgotten: true, ..Expected::default() };
    restarted(&mut redis, &cluster, expected, Kept::NothingSingleUse).await;
}
