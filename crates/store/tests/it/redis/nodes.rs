//! Several nodes on one Redis, and one that does not answer.

use std::process::Command;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use grantor_core::model::{AuditEntry, Client};
use grantor_core::store::{
    ApiKeyStore as _, AuditStore as _, ClientStore as _, Debit, LimitStore as _, Recorded,
    Store as _, StoreError, UserStore as _,
};
use grantor_store::contract::fixtures::{NOW, client, user};
use grantor_store::contract::servers::RedisServer;
use grantor_store::contract::vault_fixtures::{api_key, audit_event};
use grantor_store::redis::{Options, Redis};

use super::{open, open_with};

/// Waits until `node` serves the client under this name, and says how long that took.
async fn seen(node: &Redis, name: &str) -> Duration {
    let since = Instant::now();
    while node.client("a").await.expect("read").expect("is there").client_name != name {
        assert!(since.elapsed() < Duration::from_secs(1), "{name} is not seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    since.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_changes_another_sees_within_a_second() {
    let server = RedisServer::start(&[]);
    let (one, other) = (open(&server.url()).await, open(&server.url()).await);
    let mut changed = client("a");
    one.add_client(changed.clone()).await.expect("add");
    assert!(other.client("a").await.expect("read").is_some());
    for name in ["one", "two", "three"] {
        let before = changed.clone();
        changed.client_name = name.to_owned();
        assert!(one.replace_client(&before, changed.clone()).await.expect("replace"));
        assert_eq!(one.client("a").await.expect("read").expect("is there").client_name, name);
        seen(&other, name).await;
        // Without messages, the counter is looked at.
        server.cli(&["client", "kill", "type", "pubsub"]);
    }
    assert!(one.remove_client(&changed, NOW).await.expect("remove"));
    let since = Instant::now();
    while other.client("a").await.expect("read").is_some() {
        assert!(since.elapsed() < Duration::from_secs(1), "the removal is not seen");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_memory_is_not_served_when_nobody_knows_whether_it_changed() {
    let mut server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.add_api_key(api_key("ab12cd34"), Recorded::default()).await.expect("add");
    assert!(store.api_key("ab12cd34").await.expect("read").is_some());
    server.kill();
    let since = Instant::now();
    while store.api_key("ab12cd34").await.is_ok() {
        assert!(since.elapsed() < Duration::from_secs(1), "a revocation would not be seen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_are_counted_alike_in_another_history_are_seen() {
    let mut server = RedisServer::start(&["--appendonly", "no"]);
    let store = open(&server.url()).await;
    let first = client("a");
    store.add_client(first.clone()).await.expect("add");
    assert_eq!(server.cli(&["save"]), "OK");
    let lost = Client { client_name: "lost".to_owned(), ..first.clone() };
    assert!(store.replace_client(&first, lost).await.expect("replace"));
    seen(&store, "lost").await;
    server.kill();
    server.start_again();
    // So soon that the store has hardly looked in between.
    let other = open(&server.url()).await;
    let changed = Client { client_name: "changed".to_owned(), ..first.clone() };
    assert!(other.replace_client(&first, changed).await.expect("replace"));
    let since = Instant::now();
    while store.client("a").await.ok().flatten().is_none_or(|own| own.client_name != "changed") {
        assert!(since.elapsed() < Duration::from_secs(2), "what was lost is still served");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_goes_by_itself_when_nothing_of_it_is_spent() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let now_ms = NOW.epoch().unsigned_abs() * 1_000;
    let spent = vec![Debit { key: [0xab; 16], cost_ms: 600_000 }];
    store.settle_limits(spent, now_ms).await.expect("settle");
    let key = format!("{{grantor:limits}}:limit:{}", "ab".repeat(16));
    let left: u64 = server.cli(&["pttl", &key]).parse().expect("milliseconds");
    assert!((600_000..=660_000).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_finished_before_the_store_is_closed() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let mut appends: Vec<_> =
        (0..300).map(|_| store.append_audit(vec![audit_event("a"), audit_event("b")])).collect();
    for append in &mut appends {
        assert!(append.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    store.close().await;
    for append in appends {
        append.await.expect("was begun");
    }
    let told = store.append_audit(vec![audit_event("c")]).await;
    assert!(matches!(&told, Err(StoreError::Unavailable(text)) if text.contains("closed")));
    let entries = open(&server.url()).await.audit(0, u32::MAX).await.expect("read");
    assert_eq!(entries.len(), 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entries_of_two_nodes_are_one_chain() {
    let server = RedisServer::start(&[]);
    let nodes = [open(&server.url()).await, open(&server.url()).await];
    let mut tasks = Vec::new();
    for place in 0..100 {
        let node = std::sync::Arc::clone(&nodes[place % 2]);
        let events = vec![audit_event("a"), audit_event("b")];
        tasks.push(tokio::spawn(async move { node.append_audit(events).await }));
    }
    for task in tasks {
        task.await.expect("a task panicked").expect("append");
    }
    is_one_chain(&nodes[0], 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_goes_on_after_entries_that_are_lost() {
    let mut server = RedisServer::start(&["--appendonly", "no"]);
    let store = open(&server.url()).await;
    store.append_audit(vec![audit_event("kept")]).await.expect("append");
    assert_eq!(server.cli(&["save"]), "OK");
    store.append_audit(vec![audit_event("lost")]).await.expect("append");
    server.kill();
    server.start_again();
    let other = open(&server.url()).await;
    other.append_audit(vec![audit_event("in its place")]).await.expect("append");
    store.append_audit(vec![audit_event("after it")]).await.expect("append");
    is_one_chain(&store, 3).await;
}

/// Whether each entry has its place and the hash of the one before it.
async fn is_one_chain(store: &Redis, length: usize) {
    let entries = store.audit(0, u32::MAX).await.expect("read");
    assert_eq!(entries.len(), length);
    let (mut sequence, mut hash) = (0, [0; 32]);
    for entry in entries {
        sequence += 1;
        hash = AuditEntry::hash_of(&hash, sequence, &entry.event.mac);
        assert_eq!((entry.sequence, entry.hash), (sequence, hash));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_with_different_prefixes_share_a_redis() {
    let server = RedisServer::start(&[]);
    let with = |prefix: &str| Options { prefix: prefix.to_owned(), ..Options::default() };
    let one = open_with(&server.url(), &with("one")).await;
    let two = open_with(&server.url(), &with("two")).await;
    one.add_user(user("ann")).await.expect("add");
    assert_eq!(two.users().await.expect("list"), []);
    assert!(server.cli(&["keys", "{one:oauth}:user:*"]).contains("{one:oauth}:user:"));
}

/// Sends a signal to the server.
fn signal(server: &RedisServer, name: &str) {
    let info = server.cli(&["info", "server"]);
    let process = info.lines().find_map(|line| line.strip_prefix("process_id:"));
    send(name, process.expect("it says which").trim());
}

fn send(name: &str, process: &str) {
    let sent = Command::new("kill").args([name, process]).status().expect("kill starts");
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_does_not_answer_is_unavailable_and_comes_back() {
    let mut server = RedisServer::start(&[]);
    let options = Options { time_limit: Duration::from_secs(1), ..Options::default() };
    let store = open_with(&server.url(), &options).await;
    let info = server.cli(&["info", "server"]);
    let process = info.lines().find_map(|line| line.strip_prefix("process_id:"));
    let process = process.expect("it says which").trim().to_owned();
    send("-STOP", &process);
    for _ in 0..3 {
        unavailable(&store, Duration::from_secs(3)).await;
    }
    send("-CONT", &process);
    answers(&store).await;
    server.kill();
    unavailable(&store, Duration::from_secs(1)).await;
    server.start_again();
    answers(&store).await;
    signal(&server, "-TERM");
    unavailable(&store, Duration::from_secs(2)).await;
}

async fn unavailable(store: &Redis, within: Duration) {
    let since = Instant::now();
    loop {
        let asked = Instant::now();
        let told = store.ping().await;
        assert!(asked.elapsed() < within, "{:?}", asked.elapsed());
        match told {
            Err(StoreError::Unavailable(_)) => return,
            // It may take a moment to end.
            Ok(()) => assert!(since.elapsed() < within, "it answers"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn answers(store: &Redis) {
    let since = Instant::now();
    while let Err(error) = store.ping().await {
        assert!(since.elapsed() < Duration::from_secs(5), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn who_is_not_there_or_lets_nobody_in_is_told_without_the_password() {
    let server = RedisServer::start(&["--requirepass", "right"]);
    let port = server.port();
    for url in [
        format!("redis://:secret@127.0.0.1:{port}"),
        "redis://:secret@127.0.0.1:1".to_owned(),
        "redis+cluster://:secret@127.0.0.1:1".to_owned(),
        "redis+sentinel://:secret@127.0.0.1:1/grantor".to_owned(),
    ] {
        let Err(error) = Redis::open(&url, &Options::default()).await else {
            panic!("{url} was opened");
        };
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(
        Redis::open(&format!("redis://:right@127.0.0.1:{port}"), &Options::default()).await.is_ok()
    );
}
