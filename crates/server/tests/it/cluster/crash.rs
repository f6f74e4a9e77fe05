//! A node ends: killed, or in order.

use std::time::{Duration, Instant};

use grantor_store::contract::servers::PostgresServer;

use super::ledger::Kept;
use super::load::{Expected, WORKERS};
use super::nodes::{Cluster, SOON};
use crate::support::database::Database;

async fn cluster() -> Cluster {
    let database = Database::schema_in(PostgresServer::shared());
    let url = database.setting().to_owned();
    Cluster::start(database, [&url, &url], |setup| setup).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_takes_nothing_with_it() {
    let mut cluster = cluster().await;
    let load = cluster.load(Expected { lost: true, ..Expected::default() });
    for round in 0..4 {
        load.go_on(150, Duration::from_secs(30)).await;
        let node = if round % 2 == 0 { &mut cluster.vault.server } else { &mut cluster.b };
        node.kill();
        // The other one does all of it.
        load.go_on(100, SOON).await;
        node.start_again().await;
        cluster.until_used(cluster.nodes()[round % 2]).await;
    }
    load.go_on(100, SOON).await;
    assert!(load.lost() <= 4 * WORKERS, "only what was in the node's hands: {}", load.lost());
    load.stop().await.check(&cluster, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_no_request() {
    let mut cluster = cluster().await;
    let load = cluster.load(Expected::default());
    for round in 0..4 {
        load.go_on(60, Duration::from_secs(30)).await;
        let node = if round % 2 == 0 { &mut cluster.vault.server } else { &mut cluster.b };
        node.signal("TERM");
        let since = Instant::now();
        while node.get("/readyz").await.status != 503 {
            assert!(since.elapsed() < Duration::from_secs(1), "it does not say that it stops");
        }
        // Away from the threads of the runtime: the load goes on.
        let code = tokio::task::block_in_place(|| node.wait());
        assert_eq!(code, Some(0));
        node.start_again().await;
        cluster.until_used(cluster.nodes()[round % 2]).await;
    }
    load.go_on(60, SOON).await;
    assert_eq!((load.away(), load.lost()), (0, 0));
    load.stop().await.check(&cluster, Kept::All).await;
}
