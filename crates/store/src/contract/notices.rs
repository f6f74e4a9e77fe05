//! Rules of `NoticeStore`.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::id::NoticeId;
use grantor_core::model::Notice;
use grantor_core::store::{Recorded, Store};
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, id};
use super::vault_fixtures::{connect_session, notice};
use super::{race, rules};

rules![
    a_notice_is_claimed_tried_again_and_removed,
    each_notice_is_given_to_one_caller,
    an_endpoint_is_not_held_up_by_another,
    one_that_was_never_tried_is_given_out_although_it_has_expired,
];

/// Notices come with what they tell of.
async fn queue(store: &Arc<dyn Store>, notices: &[&Notice]) {
    let notices = notices.iter().map(|notice| (*notice).clone()).collect();
    let recorded = Recorded { notices, ..Recorded::default() };
    store.add_connect_session(connect_session(), recorded).await.expect("add");
}

async fn claim(store: &Arc<dyn Store>, now: Timestamp, until: Timestamp) -> Vec<Notice> {
    store.claim_notices("crm", now, until, 10).await.expect("claim")
}

async fn a_notice_is_claimed_tried_again_and_removed(store: Arc<dyn Store>) {
    let (first, mut second) = (notice("a"), notice("b"));
    second.due_at = after(1);
    queue(&store, &[&second, &first]).await;
    assert_eq!(store.pending_notices().await.expect("count"), 2);
    let claimed = claim(&store, NOW, after(30)).await;
    assert_eq!(claimed, [Notice { attempts: 1, due_at: after(30), ..first.clone() }]);
    let claimed = claim(&store, after(1), after(40)).await;
    assert_eq!(claimed, [Notice { attempts: 1, due_at: after(40), ..second.clone() }]);
    assert_eq!(claim(&store, after(29), after(60)).await, []);
    store.remove_notice(second.id).await.expect("remove");
    store.retry_notice(first.id, after(100)).await.expect("retry");
    store.retry_notice(second.id, after(5)).await.expect("retry what is gone");
    store.remove_notice(NoticeId(id())).await.expect("remove what never was");
    assert_eq!(store.pending_notices().await.expect("count"), 1);
    assert_eq!(claim(&store, after(99), after(130)).await, []);
    let claimed = claim(&store, after(100), after(130)).await;
    assert_eq!(claimed, [Notice { attempts: 2, due_at: after(130), ..first }]);
}

async fn each_notice_is_given_to_one_caller(store: Arc<dyn Store>) {
    let notices: Vec<_> = (0..40).map(|_| notice("a")).collect();
    queue(&store, &notices.iter().collect::<Vec<_>>()).await;
    let claimed = race(&store, |store, _| async move {
        store.claim_notices("crm", NOW, after(30), 2).await.expect("claim")
    });
    let claimed = claimed.await;
    assert!(claimed.iter().all(|notices| notices.len() <= 2), "no more than asked for");
    let ids: Vec<_> = claimed.iter().flatten().map(|notice| notice.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "one notice was given twice");
    assert_eq!(ids.len(), 40);
}

async fn an_endpoint_is_not_held_up_by_another(store: Arc<dyn Store>) {
    let slow: Vec<_> =
        (0..20).map(|_| Notice { endpoint: "slow".to_owned(), ..notice("a") }).collect();
    queue(&store, &slow.iter().collect::<Vec<_>>()).await;
    let own = [3, 1, 2].map(|late| Notice { due_at: after(late), ..notice("b") });
    queue(&store, &own.iter().collect::<Vec<_>>()).await;
    let claimed = store.claim_notices("crm", after(9), after(30), 2).await.expect("claim");
    let ids: Vec<_> = claimed.iter().map(|notice| notice.id).collect();
    assert_eq!(ids, [own[1].id, own[2].id], "the oldest first");
    assert_eq!(store.claim_notices("other", after(9), after(30), 2).await.expect("claim"), []);
}

async fn one_that_was_never_tried_is_given_out_although_it_has_expired(store: Arc<dyn Store>) {
    let own = notice("a");
    queue(&store, &[&own]).await;
    let claimed = claim(&store, after(900), after(930)).await;
    assert_eq!(claimed, [Notice { attempts: 1, due_at: after(930), ..own.clone() }]);
    assert_eq!(claim(&store, after(929), after(999)).await, []);
    store.remove_notice(own.id).await.expect("remove");
    assert_eq!(store.pending_notices().await.expect("count"), 0);
}
