//! A standby that takes over, and what is said about databases that promise little.

use std::time::{Duration, Instant};

use grantor_core::store::{ClientStore as _, Store as _, StoreError, TokenStore as _};
use grantor_store::contract::fixtures::{NOW, client, own_access};
use grantor_store::contract::servers::PostgresServer;
use grantor_store::postgres::{Options, Postgres};

/// Waits until the store says about its database what has these beginnings.
async fn says(store: &Postgres, beginnings: &[&str]) {
    let began = Instant::now();
    loop {
        let said = store.guarantees().await.expect("read");
        let same = said.len() == beginnings.len();
        if same && said.iter().zip(beginnings).all(|(said, begins)| said.starts_with(begins)) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{said:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn set(shell: &tokio_postgres::Client, setting: &str) {
    shell.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.expect("set");
    shell.batch_execute("SELECT pg_reload_conf()").await.expect("reload");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_promises_little_is_told_of() {
    let server = PostgresServer::start("trust", &["fsync = on"], None);
    let store = super::open(&server.url()).await;
    let shell = super::shell(&server.url()).await;
    says(&store, &["No standby"]).await;
    set(&shell, "synchronous_commit = off").await;
    says(&store, &["synchronous_commit is off", "No standby"]).await;
    set(&shell, "full_page_writes = off").await;
    set(&shell, "fsync = off").await;
    let all =
        ["fsync is off", "full_page_writes is off", "synchronous_commit is off", "No standby"];
    says(&store, &all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_that_takes_over_has_all_that_was_acknowledged() {
    let primary = PostgresServer::start("trust", &["fsync = on"], None);
    let standby = tokio::task::block_in_place(|| primary.standby());
    let hosts = format!("{},{}", standby.host(), primary.host());
    let url = format!("postgres://grantor@{hosts}/postgres?target_session_attrs=read-write");
    let options = Options { wait: Duration::from_secs(2), ..Options::default() };
    let store = Postgres::open(&url, &options).await.expect("opens");
    says(&store, &["The standbys of the database are not waited for"]).await;
    let shell = super::shell(&primary.url()).await;
    set(&shell, "synchronous_standby_names = '*'").await;
    says(&store, &[]).await;

    store.add_client(client("a")).await.expect("add");
    let tokens: Vec<_> = (0..200).map(|_| own_access("a")).collect();
    for token in &tokens {
        store.issue_access(token.clone()).await.expect("issue");
    }
    tokio::task::block_in_place(|| primary.kill());
    let away = store.issue_access(own_access("a")).await;
    assert!(matches!(away, Err(StoreError::Unavailable(_))), "{away:?}");
    tokio::task::block_in_place(|| standby.promote());
    let began = Instant::now();
    // The new primary waits for a standby of its own until that is set right.
    set(&super::shell(&standby.url()).await, "synchronous_standby_names = ''").await;
    while store.ping().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(15), "it does not work again");
    }
    for token in &tokens {
        let read = store.access_token(token.id, &token.digest, NOW).await.expect("read");
        assert!(read.is_some(), "the token {} is lost", token.id);
    }
    assert!(store.client("a").await.expect("read").is_some());
}
