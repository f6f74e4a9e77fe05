//! The Redis back end.

mod cluster;
mod epochs;
mod guarantees;
mod kill;
mod left_over;
mod nodes;
mod sentinel;
pub(crate) mod servers;
mod tls;

use std::sync::Arc;

use grantor_store::redis::{Options, Redis};

/// A store that is reached at `url`.
async fn open(url: &str) -> Arc<Redis> {
    open_with(url, &Options::default()).await
}

pub(crate) async fn open_with(url: &str, options: &Options) -> Arc<Redis> {
    Arc::new(Redis::open(url, options).await.expect("Redis is there"))
}
