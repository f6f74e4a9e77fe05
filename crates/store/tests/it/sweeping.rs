//! Sweeping large tables.

use grantor_core::id::AccessTokenId;
use grantor_core::store::{Debit, Store, TokenStore as _};
use grantor_store::contract::fixtures::{NOW, after, id};
use grantor_store::contract::servers::PostgresServer;

use crate::scratch::{Scratch, digest_of, ordered};

#[tokio::test]
async fn the_dead_are_found_among_many_that_live() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut shell = scratch.shell();
    let filling = shell.transaction().expect("begin");
    for n in 0..20_000 {
        let id = ordered(1, n);
        let dead = n % 10 == 3;
        let expires_at = if dead { after(10) } else { after(1_000) };
        filling
            .prepare_cached(
                "INSERT INTO access_token (id, digest, family_id, client_id, scope, issued_at,
                                           expires_at)
                 VALUES (?1, ?2, ?3, 'a', 'read', 0, ?4)",
            )
            .expect("prepare")
            .execute(rusqlite::params![
                id.as_bytes(),
                digest_of(id).as_bytes(),
                grantor_store::contract::fixtures::id().as_bytes(),
                expires_at.epoch()
            ])
            .expect("insert");
    }
    filling.commit().expect("commit");

    let mut sweeps = 0;
    let mut removed = 0;
    while removed < 2_000 {
        let one = store.sweep(after(10), 500).await.expect("sweep");
        assert!(one <= 500, "a sweep is bounded");
        removed += one;
        sweeps += 1;
        assert!(sweeps <= 10, "{removed} after {sweeps} sweeps");
    }
    let left = "SELECT count(*), min(expires_at) FROM access_token";
    let left = shell.query_row(left, (), |row| Ok((row.get(0)?, row.get(1)?))).expect("count");
    assert_eq!(left, (18_000, after(1_000).epoch()));
    let unknown = store.access_token(AccessTokenId(id()), &digest_of(id()), after(0)).await;
    assert!(unknown.expect("read").is_none());
}

/// Redis removes them by itself.
async fn assert_that_limits_are_forgotten(store: &dyn Store) {
    let spent = [Debit { key: [1; 16], cost_ms: 1_000 }, Debit { key: [2; 16], cost_ms: 2_500 }];
    let now_ms = NOW.epoch().unsigned_abs() * 1_000;
    store.settle_limits(spent.to_vec(), now_ms).await.expect("settle");
    for (seconds, whole) in [(0, 0), (1, 1), (2, 0), (3, 1), (9, 0)] {
        let mut removed = 0;
        for _ in 0..3 {
            removed += store.sweep(after(seconds), 100).await.expect("sweep");
        }
        assert_eq!(removed, whole, "after {seconds} s");
    }
}

#[tokio::test]
async fn limits_are_forgotten_when_nothing_of_them_is_spent() {
    assert_that_limits_are_forgotten(&*Scratch::new().open()).await;
    let url = PostgresServer::shared().fresh().await;
    assert_that_limits_are_forgotten(&crate::postgres::open(&url).await).await;
}
