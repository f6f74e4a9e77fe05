//! The contract, on one Redis and on a cluster of three.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use grantor_core::store::Store;
use grantor_store::contract::BackEnd;
use grantor_store::contract::servers::{RedisCluster, RedisServer};
use grantor_store::redis::{Options, Redis};

/// Servers, on which each store has keys of its own.
struct Servers {
    url: String,
}

static MADE: AtomicU32 = AtomicU32::new(0);

#[async_trait]
impl BackEnd for Servers {
    async fn fresh(&self) -> Arc<dyn Store> {
        let prefix = format!("test{}", MADE.fetch_add(1, Ordering::Relaxed));
        let options = Options { prefix, ..Options::default() };
        Arc::new(Redis::open(&self.url, &options).await.expect("Redis is there"))
    }
}

/// One server for all groups. It ends with the process.
fn single() -> Servers {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(|| RedisServer::start(&[]));
    Servers { url: SERVER.socket() }
}

/// One cluster for all groups.
fn cluster() -> Servers {
    static CLUSTER: LazyLock<RedisCluster> = LazyLock::new(RedisCluster::start);
    Servers { url: CLUSTER.url() }
}

macro_rules! groups {
    ($servers:ident: $($group:ident),+) => {
        mod $servers {
            use grantor_store::contract;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $group() {
                    contract::$group::check(&super::$servers()).await;
                }
            )+
        }
    };
}

macro_rules! all_groups {
    ($($servers:ident),+) => {$(
        groups![
            $servers: api_keys, audit, clients, codes, connect_sessions, connections, consents,
            devices, external, issuing, notices, once, outbox, refreshes, registration, requests,
            secrets, sessions, sign_in, signing_keys, sweep, tokens, users
        ];
    )+};
}

all_groups![single, cluster];
