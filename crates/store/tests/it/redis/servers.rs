//! Servers that the tests of the contract share: one, one that Sentinel names, and a cluster. They
//! end with the process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use grantor_core::store::Store;
use grantor_store::contract::BackEnd;
use grantor_store::contract::servers::{RedisCluster, RedisSentinel, RedisServer};
use grantor_store::redis::{Options, Redis};

use super::open_with;

/// Servers, on which each store has keys of its own.
pub(crate) struct Servers {
    url: String,
    options: Options,
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Servers {
    /// A store with keys of its own.
    pub(crate) async fn store(&self) -> Arc<Redis> {
        let prefix = format!("test{}", MADE.fetch_add(1, Ordering::Relaxed));
        open_with(&self.url, &Options { prefix, ..self.options.clone() }).await
    }
}

#[async_trait]
impl BackEnd for Servers {
    async fn fresh(&self) -> Arc<dyn Store> {
        self.store().await
    }
}

/// For a machine that is busy with other tests.
fn patient() -> Options {
    Options {
        time_limit: Duration::from_secs(30),
        connect_limit: Duration::from_secs(10),
        wait_limit: Duration::from_secs(20),
        ..Options::default()
    }
}

pub(crate) fn single() -> Servers {
    static SERVER: LazyLock<RedisServer> = LazyLock::new(|| RedisServer::start(&[]));
    Servers { url: SERVER.socket(), options: patient() }
}

/// A primary with a replica that has to have each write.
pub(crate) fn sentinel() -> Servers {
    static SERVERS: LazyLock<(RedisSentinel, [RedisServer; 2])> = LazyLock::new(|| {
        let primary = RedisServer::start(&[]);
        let replica = RedisServer::replica_of(&primary);
        let sentinel = RedisSentinel::start(primary.port(), &[]);
        sentinel.until_it_knows(1);
        (sentinel, [primary, replica])
    });
    let options = Options { wait_replicas: 1, ..patient() };
    Servers { url: SERVERS.0.url(), options }
}

pub(crate) fn cluster() -> Servers {
    static CLUSTER: LazyLock<RedisCluster> = LazyLock::new(|| RedisCluster::start(&[]));
    Servers { url: CLUSTER.url(), options: patient() }
}
