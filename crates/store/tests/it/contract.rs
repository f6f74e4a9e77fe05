//! The contract, on each back end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use grantor_core::store::Store;
use grantor_store::contract::BackEnd;
use grantor_store::contract::servers::PostgresServer;
use grantor_store::sqlite::{Options, Sqlite};
use tempfile::TempDir;

/// A folder of databases, one for each store.
struct Folder {
    folder: TempDir,
    made: AtomicU32,
}

impl Folder {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder"), made: AtomicU32::new(0) }
    }
}

#[async_trait]
impl BackEnd for Folder {
    async fn fresh(&self) -> Arc<dyn Store> {
        let name = format!("{}.db", self.made.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.path().join(name);
        Arc::new(Sqlite::open(&path, &Options::default()).expect("a fresh database opens"))
    }
}

/// A server of schemas, one for each store.
struct Server;

#[async_trait]
impl BackEnd for Server {
    async fn fresh(&self) -> Arc<dyn Store> {
        Arc::new(crate::postgres::open(&PostgresServer::shared().fresh().await).await)
    }
}

macro_rules! groups {
    ($back_end:expr; $($group:ident),+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn $group() {
            grantor_store::contract::$group::check(&$back_end).await;
        }
    )+};
}

macro_rules! contract {
    ($name:ident, $back_end:expr) => {
        mod $name {
            groups![
                $back_end;
                api_keys,
                audit,
                clients,
                codes,
                connect_sessions,
                connections,
                consents,
                devices,
                external,
                issuing,
                limits,
                notices,
                once,
                outbox,
                refreshes,
                registration,
                requests,
                secrets,
                sessions,
                sign_in,
                signing_keys,
                sweep,
                tokens,
                users
            ];
        }
    };
}

contract!(sqlite, super::Folder::new());
contract!(postgres, super::Server);
contract!(redis_single, crate::redis::servers::single());
contract!(redis_sentinel, crate::redis::servers::sentinel());
contract!(redis_cluster, crate::redis::servers::cluster());
