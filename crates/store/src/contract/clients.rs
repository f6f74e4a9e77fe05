//! Rules of `ClientStore`.

use std::sync::Arc;

use grantor_core::model::RefreshPolicy;
use grantor_core::store::{Added, Redeemed, Rotated, Store};

use super::fixtures::{NOW, after, answer, client, code, consent};
use super::tokens::{granted, rotation};
use super::{count, race, rules};

rules![
    a_client_reads_back_as_it_was_added,
    an_id_is_given_once,
    a_replaced_client_is_seen_at_once,
    a_removed_client_takes_everything_with_it,
];

async fn a_client_reads_back_as_it_was_added(store: Arc<dyn Store>) {
    let (mut public, full) = (client("b"), client("a"));
    public.secret = None;
    public.refresh = RefreshPolicy::Rotate;
    public.requests_per_minute = None;
    for one in [&public, &full] {
        assert_eq!(store.add_client(one.clone()).await.expect("add"), Added::Done);
        // Twice: the second read may come from a cache.
        for _ in 0..2 {
            let read = store.client(&one.client_id).await.expect("read").expect("is there");
            assert_eq!(*read, *one);
        }
    }
    assert_eq!(store.clients().await.expect("list"), [full, public]);
    assert!(store.client("A").await.expect("read").is_none(), "ids are case-sensitive");
}

async fn an_id_is_given_once(store: Arc<dyn Store>) {
    let added = race(&store, |store, _| async move { store.add_client(client("a")).await }).await;
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Done))), 1);
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Exists))), 31);
}

async fn a_replaced_client_is_seen_at_once(store: Arc<dyn Store>) {
    let mut changed = client("a");
    assert!(!store.replace_client(changed.clone()).await.expect("no such client"));
    store.add_client(changed.clone()).await.expect("add");
    for name in ["one", "two", "three"] {
        changed.client_name = name.to_owned();
        assert!(store.replace_client(changed.clone()).await.expect("replace"));
        let read = store.client("a").await.expect("read").expect("is there");
        assert_eq!(*read, changed);
    }
}

async fn a_removed_client_takes_everything_with_it(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let other = granted(&store, "b", |_| {}).await;
    let open = code(held.user.id, "a");
    let allowed = consent(held.user.id, "a", "read");
    store.answer_request(answer(open.clone()), None, Some(allowed), NOW).await.expect("issue");

    assert!(store.remove_client("a", after(1)).await.expect("remove"));
    assert!(!store.remove_client("a", after(1)).await.expect("remove again"));
    assert!(store.client("a").await.expect("read").is_none());
    assert!(store.consent(held.user.id, "a").await.expect("read").is_none());
    assert!(held.access_token(&store, after(1)).await.is_none());
    assert!(other.access_token(&store, after(1)).await.is_some(), "another client's");
    let rotated = store.rotate_refresh(held.family.id, rotation(&held.family), after(1)).await;
    assert_eq!(rotated.expect("rotate"), Rotated::Gone);
    let redeemed = store.redeem_code(open.id, &open.digest, held.issue_again(), after(1)).await;
    assert_eq!(redeemed.expect("redeem"), Redeemed::Gone);

    store.add_client(client("a")).await.expect("the id is free");
    assert!(held.access_token(&store, after(1)).await.is_none(), "came back to life");
}
