//! A disk that is full.

use std::collections::HashMap;
use std::sync::Arc;

use grantor_core::model::PendingRequest;
use grantor_core::store::{Bound, RequestStore as _, Store as _, StoreError};
use grantor_store::contract::fixtures::{NOW, after, digest, request};
use grantor_store::sqlite::{Options, Sqlite};

use crate::scratch::Scratch;

/// Adds requests from many tasks until the file is full, and says which were acknowledged.
async fn fill(store: &Arc<Sqlite>) -> HashMap<bool, Vec<PendingRequest>> {
    let mut outcomes: HashMap<bool, Vec<PendingRequest>> = HashMap::new();
    while !outcomes.contains_key(&false) {
        let mut tasks = Vec::new();
        for _ in 0..64 {
            let store = Arc::clone(store);
            tasks.push(tokio::spawn(async move {
                let mut one = request();
                one.parameters = "x".repeat(1_000);
                (store.add_request(one.clone()).await, one)
            }));
        }
        for task in tasks {
            let (added, one) = task.await.expect("a task panicked");
            if let Err(error) = &added {
                assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
                assert!(error.to_string().contains("disk is full"), "{error}");
            }
            outcomes.entry(added.is_ok()).or_default().push(one);
        }
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_disk_is_full_writes_fail_and_reads_go_on() {
    let scratch = Scratch::new();
    let store = scratch.open_with(&Options { max_pages: Some(300), ..Options::default() });
    let outcomes = fill(&store).await;
    let shell = scratch.shell();
    let mut known = shell.prepare("SELECT 1 FROM pending_request WHERE id = ?1").expect("prepare");
    for (acknowledged, requests) in &outcomes {
        for one in requests {
            let there = known.exists([one.id.0.as_bytes()]).expect("read");
            assert_eq!(there, *acknowledged, "{}", one.id);
        }
    }
    assert!(store.stats().failures > 0);

    // Space returns: the dead go, and what they took is used again.
    while store.sweep(after(600), 100).await.expect("sweep on a full disk") > 0 {}
    let one = request();
    store.add_request(one.clone()).await.expect("works again");
    let bound = store.bind_request(one.id, &digest(), NOW).await.expect("bind");
    assert!(matches!(bound, Bound::Done(_)));
}
