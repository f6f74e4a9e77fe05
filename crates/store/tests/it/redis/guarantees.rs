//! What is said of settings that promise little.

use grantor_store::contract::servers::RedisServer;
use grantor_store::redis::Options;

use super::{open, open_with};

/// Whether each warning has the words at its place, and there are no more.
fn say(warnings: &[String], words: &[&str]) {
    assert_eq!(warnings.len(), words.len(), "{warnings:#?}");
    for (warning, words) in warnings.iter().zip(words) {
        assert!(warning.contains(words), "{words}: {warning}");
    }
}

#[tokio::test]
async fn what_can_be_lost_is_said_of_each_setting() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    say(&store.guarantees().await, &["appendfsync everysec", "no replica"]);
    for (setting, value, words) in [
        ("appendfsync", "no", &["appendfsync no", "no replica"][..]),
        ("no-appendfsync-on-rewrite", "yes", &["appendfsync no", "rewrite yes", "no replica"]),
        ("appendonly", "no", &["appendonly no", "no replica"]),
        ("maxmemory-policy", "allkeys-lru", &["appendonly no", "allkeys-lru", "no replica"]),
    ] {
        assert_eq!(server.cli(&["config", "set", setting, value]), "OK");
        say(&store.guarantees().await, words);
    }
}

#[tokio::test]
async fn nothing_is_said_when_nothing_can_be_lost() {
    let always = ["--appendfsync", "always", "--min-replicas-to-write", "1"];
    let primary = RedisServer::start(&always);
    let _replica = RedisServer::replica_of(&primary);
    let store = open(&primary.url()).await;
    say(&store.guarantees().await, &["Wait for at least one replica"]);
    let waiting = |wait_replicas| Options { wait_replicas, ..Options::default() };
    say(&open_with(&primary.url(), &waiting(1)).await.guarantees().await, &[]);
    let none = open_with(&primary.url(), &waiting(2)).await.guarantees().await;
    say(&none, &["none will be acknowledged"]);
    assert_eq!(primary.cli(&["config", "set", "min-replicas-to-write", "0"]), "OK");
    let cut_off = open_with(&primary.url(), &waiting(1)).await.guarantees().await;
    say(&cut_off, &["min-replicas-to-write 0"]);
}
