//! Postgres is away, broken, slow or full, or another one takes its place.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use grantor_store::contract::servers::{PostgresServer, Proxy};
use tokio::time::sleep;

use super::ledger::Kept;
use super::load::Expected;
use super::nodes::{Cluster, QUICKLY, SOON};
use crate::support::database::Database;
use crate::support::disk::Small;
use crate::support::server::Setup;

const AWAY: Expected = Expected { away: true, lost: false, forgotten: false };

/// Quicker to give up than a server is by itself.
fn impatient(setup: Setup) -> Setup {
    setup.set("postgres.wait", "1s").set("postgres.statement_timeout", "2s")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_stopped_killed_and_started_again() {
    let server = PostgresServer::start("trust", &[], None);
    let database = Database::schema_in(&server);
    let url = database.setting().to_owned();
    let cluster = Cluster::start(database, [&url, &url], impatient).await;
    let load = cluster.load(AWAY);
    for round in 0..2 {
        load.go_on(150, Duration::from_secs(30)).await;
        tokio::task::block_in_place(|| if round % 2 == 0 { server.stop() } else { server.kill() });
        for node in cluster.nodes() {
            cluster.assert_away(node).await;
        }
        let away = load.away();
        sleep(Duration::from_secs(1)).await;
        assert!(load.away() > away, "clients are told meanwhile");
        tokio::task::block_in_place(|| server.start_again());
        for node in cluster.nodes() {
            cluster.until_ready(node, true, SOON).await;
        }
        load.go_on(100, SOON).await;
    }
    load.stop().await.check(&cluster, Kept::All).await;
    // Its schema is in the server.
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_cannot_reach_it() {
    let database = Database::schema_in(PostgresServer::shared());
    let direct = database.setting().to_owned();
    let proxy = Proxy::to(PostgresServer::shared().socket()).await;
    let host = PostgresServer::shared().host();
    let through = direct.replace(&host, &proxy.address().to_string());
    let cluster = Cluster::start(database, [&through, &direct], impatient).await;
    let load = cluster.load(AWAY);
    // Nothing is said any more, and connections are refused.
    for round in 0..2 {
        load.go_on(150, Duration::from_secs(30)).await;
        if round % 2 == 0 {
            proxy.shut();
        } else {
            proxy.cut();
        }
        cluster.assert_away(cluster.a()).await;
        cluster.until_ready(&cluster.b, true, Duration::from_secs(1)).await;
        let grant = [("grant_type", "client_credentials")];
        let page = cluster.b.token(&cluster.machine, &grant).await;
        assert_eq!(page.status, 200, "the other node goes on: {page:?}");
        load.go_on(50, SOON).await;
        proxy.reopen();
        cluster.until_ready(cluster.a(), true, SOON).await;
        load.go_on(100, SOON).await;
    }
    assert!(load.away() > 0, "clients of the node are told");
    load.stop().await.check(&cluster, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_answers_slowly() {
    let database = Database::schema_in(PostgresServer::shared());
    let direct = database.setting().to_owned();
    let proxy = Proxy::to(PostgresServer::shared().socket()).await;
    let host = PostgresServer::shared().host();
    let through = direct.replace(&host, &proxy.address().to_string());
    let cluster = Cluster::start(database, [&through, &through], impatient).await;
    let load = cluster.load(AWAY);
    load.go_on(100, Duration::from_secs(30)).await;
    // So that it still is an answer.
    proxy.slow(Duration::from_millis(100));
    for node in cluster.nodes() {
        cluster.until_ready(node, true, SOON).await;
    }
    load.go_on(60, Duration::from_secs(30)).await;
    // And later than anybody waits.
    proxy.slow(Duration::from_secs(3));
    for node in cluster.nodes() {
        cluster.assert_away(node).await;
    }
    proxy.reopen();
    for node in cluster.nodes() {
        cluster.until_ready(node, true, SOON).await;
    }
    load.go_on(100, SOON).await;
    load.stop().await.check(&cluster, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_is_in_use() {
    let database = Database::schema_in(PostgresServer::shared());
    let url = database.setting().to_owned();
    let few = |setup| impatient(setup).set("postgres.connections", 2);
    let cluster = Cluster::start(database, [&url, &url], few).await;
    let load = cluster.load(AWAY);
    load.go_on(100, Duration::from_secs(30)).await;
    // Whoever writes to these tables waits for this lock, with one of the two connections.
    let lock = cluster.a().hold("access_token").await;
    let away = load.away();
    let since = Instant::now();
    while load.away() < away + 20 {
        assert!(since.elapsed() < Duration::from_secs(30), "clients are not told");
        sleep(Duration::from_millis(50)).await;
    }
    lock.release().await;
    for node in cluster.nodes() {
        cluster.until_ready(node, true, QUICKLY).await;
    }
    load.go_on(100, SOON).await;
    load.stop().await.check(&cluster, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_synchronous_standby_takes_its_place() {
    let primary = PostgresServer::start("trust", &[], None);
    let standby = tokio::task::block_in_place(|| primary.standby());
    let hosts = format!("{},{}", standby.host(), primary.host());
    let url = format!("postgres://grantor@{hosts}/postgres?target_session_attrs=read-write");
    let cluster = Cluster::start(Database::Elsewhere(url.clone()), [&url, &url], impatient).await;
    set(&primary, "synchronous_standby_names = '*'");
    let load = cluster.load(AWAY);
    load.go_on(200, Duration::from_secs(30)).await;
    tokio::task::block_in_place(|| primary.kill());
    for node in cluster.nodes() {
        cluster.assert_away(node).await;
    }
    tokio::task::block_in_place(|| standby.promote());
    // It waits for a standby of its own until that is set right.
    set(&standby, "synchronous_standby_names = ''");
    for node in cluster.nodes() {
        cluster.until_ready(node, true, SOON).await;
    }
    load.go_on(200, SOON).await;
    load.stop().await.check(&cluster, Kept::All).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_disk_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    // Postgres does not run as root.
    let everybody = Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).expect("set");
    let small = Small::mount(&folder.path().join("disk"), "140m");
    let settings = ["max_wal_size = 32MB", "min_wal_size = 32MB"];
    let server = PostgresServer::start_in(&small.path, &settings);
    let database = Database::schema_in(&server);
    let url = database.setting().to_owned();
    let cluster = Cluster::start(database, [&url, &url], impatient).await;
    let load = cluster.load(AWAY);
    load.go_on(150, Duration::from_secs(30)).await;
    tokio::task::block_in_place(|| small.fill());
    // Until the space in files that are already there is used up, requests go on.
    let (since, away) = (Instant::now(), load.away());
    while load.away() < away + 20 {
        assert!(since.elapsed() < Duration::from_secs(60), "the disk does not get full");
        sleep(Duration::from_millis(50)).await;
    }
    small.free();
    // Where it could not even write its log, somebody has to start it again.
    tokio::task::block_in_place(|| server.start_if_ended());
    for node in cluster.nodes() {
        cluster.until_ready(node, true, SOON).await;
    }
    load.go_on(150, SOON).await;
    load.stop().await.check(&cluster, Kept::All).await;
    drop(cluster);
    drop(server);
    drop(small);
}

/// A setting, from now on.
fn set(server: &PostgresServer, setting: &str) {
    let mut shell = Command::new("psql");
    shell.args(["--no-psqlrc", "--quiet", "--dbname", &server.url()]);
    shell.args(["--command", &format!("ALTER SYSTEM SET {setting}")]);
    shell.args(["--command", "SELECT pg_reload_conf()"]);
    let output = shell.output().expect("psql is there: scripts/test installs it");
    assert!(output.status.success(), "{setting}: {}", String::from_utf8_lossy(&output.stderr));
}
