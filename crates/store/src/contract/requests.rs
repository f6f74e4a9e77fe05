//! Rules of `RequestStore`.

use std::sync::Arc;

use grantor_core::id::RequestId;
use grantor_core::model::PendingRequest;
use grantor_core::store::{Bound, Store};

use super::fixtures::{NOW, after, digest, id, request};
use super::{count, race, rules};

rules![
    a_request_belongs_to_the_browser_that_came_first,
    of_many_browsers_one_gets_it,
    an_account_is_chosen_while_the_request_lives,
    a_request_ends_once,
    an_expired_request_is_gone,
];

async fn added(store: &Arc<dyn Store>) -> PendingRequest {
    let request = request();
    store.add_request(request.clone()).await.expect("add");
    request
}

async fn a_request_belongs_to_the_browser_that_came_first(store: Arc<dyn Store>) {
    let made = added(&store).await;
    let (first, second) = (digest(), digest());
    let bound = PendingRequest { browser: Some(first), ..made.clone() };
    for _ in 0..2 {
        let own = store.bind_request(made.id, &first, NOW).await.expect("bind");
        assert_eq!(own, Bound::Done(bound.clone()));
        let other = store.bind_request(made.id, &second, NOW).await.expect("bind");
        assert_eq!(other, Bound::Foreign);
    }
    let unknown = store.bind_request(RequestId(id()), &first, NOW).await.expect("bind");
    assert_eq!(unknown, Bound::Gone);
}

async fn of_many_browsers_one_gets_it(store: Arc<dyn Store>) {
    let id = added(&store).await.id;
    let bound = race(&store, |store, _| async move {
        store.bind_request(id, &digest(), NOW).await.expect("bind")
    });
    let bound = bound.await;
    assert_eq!(count(&bound, |one| matches!(one, Bound::Done(_))), 1);
    assert_eq!(count(&bound, |one| matches!(one, Bound::Foreign)), 31);
}

async fn an_account_is_chosen_while_the_request_lives(store: Arc<dyn Store>) {
    let (made, browser) = (added(&store).await, digest());
    store.choose_account(made.id, after(600)).await.expect("too late");
    for (now, chosen) in [(NOW, false), (after(599), true)] {
        if chosen {
            store.choose_account(made.id, now).await.expect("choose");
        }
        let bound = store.bind_request(made.id, &browser, now).await.expect("bind");
        let read =
            PendingRequest { browser: Some(browser), account_chosen: chosen, ..made.clone() };
        assert_eq!(bound, Bound::Done(read));
    }
}

async fn a_request_ends_once(store: Arc<dyn Store>) {
    let id = added(&store).await.id;
    let take = |store: Arc<dyn Store>, _| async move { store.take_request(id, NOW).await };
    let taken = race(&store, take).await;
    assert_eq!(count(&taken, |one| matches!(one, Ok(true))), 1);
    assert_eq!(count(&taken, |one| matches!(one, Ok(false))), 31);
    assert_eq!(store.bind_request(id, &digest(), NOW).await.expect("bind"), Bound::Gone);
}

async fn an_expired_request_is_gone(store: Arc<dyn Store>) {
    let (made, browser) = (added(&store).await, digest());
    let late = store.bind_request(made.id, &browser, after(600)).await.expect("bind");
    assert_eq!(late, Bound::Gone);
    let last = store.bind_request(made.id, &browser, after(599)).await.expect("bind");
    assert!(matches!(last, Bound::Done(_)));
    let late = store.bind_request(made.id, &browser, after(600)).await.expect("bind");
    assert_eq!(late, Bound::Gone, "though it was bound");
    assert!(!store.take_request(made.id, after(600)).await.expect("take"));
}
