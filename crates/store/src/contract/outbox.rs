//! Rules of `OutboxStore`.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::model::OutboxMail;
use grantor_core::store::{AttemptLimits, Started, Store};
use grantor_core::time::Seconds;

use super::fixtures::{NOW, after, attempt, mail};
use super::{race, rules};

rules![
    a_mail_is_claimed_tried_again_and_removed,
    each_mail_is_given_to_one_caller,
    a_mail_of_no_use_is_not_given_out,
];

async fn queue(store: &Arc<dyn Store>, mail: &OutboxMail) {
    let limits = AttemptLimits { pause: Seconds(0), per_hour: 1_000 };
    let attempt = attempt("ann@example.com");
    let done = store.start_attempt(attempt, Some(mail.clone()), limits, NOW).await;
    assert_eq!(done.expect("start"), Started::Done);
}

async fn a_mail_is_claimed_tried_again_and_removed(store: Arc<dyn Store>) {
    let (first, mut nobody) = (mail(), mail());
    (nobody.deliver, nobody.due_at) = (false, after(1));
    queue(&store, &nobody).await;
    queue(&store, &first).await;
    assert_eq!(store.pending_mail().await.expect("count"), 2);
    let claimed = store.claim_mail(NOW, after(30), 10).await.expect("claim");
    assert_eq!(claimed, [OutboxMail { attempts: 1, due_at: after(30), ..first.clone() }]);
    let claimed = store.claim_mail(after(1), after(40), 10).await.expect("claim");
    assert_eq!(claimed, [OutboxMail { attempts: 1, due_at: after(40), ..nobody.clone() }]);
    assert_eq!(store.claim_mail(after(29), after(60), 10).await.expect("claim"), []);
    store.remove_mail(nobody.id).await.expect("remove");
    store.retry_mail(first.id, after(100)).await.expect("retry");
    store.retry_mail(nobody.id, after(5)).await.expect("retry what is gone");
    assert_eq!(store.pending_mail().await.expect("count"), 1);
    assert_eq!(store.claim_mail(after(99), after(130), 10).await.expect("claim"), []);
    let claimed = store.claim_mail(after(100), after(130), 10).await.expect("claim");
    assert_eq!(claimed, [OutboxMail { attempts: 2, due_at: after(130), ..first }]);
}

async fn each_mail_is_given_to_one_caller(store: Arc<dyn Store>) {
    for _ in 0..40 {
        queue(&store, &mail()).await;
    }
    let claimed = race(&store, |store, _| async move {
        store.claim_mail(NOW, after(30), 2).await.expect("claim")
    });
    let claimed = claimed.await;
    assert!(claimed.iter().all(|mails| mails.len() <= 2), "no more than asked for");
    let ids: Vec<_> = claimed.iter().flatten().map(|mail| mail.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "one mail was given twice");
    assert_eq!(ids.len(), 40);
}

async fn a_mail_of_no_use_is_not_given_out(store: Arc<dyn Store>) {
    queue(&store, &mail()).await;
    assert_eq!(store.claim_mail(after(600), after(700), 10).await.expect("claim"), []);
    assert_eq!(store.claim_mail(after(599), after(700), 10).await.expect("claim").len(), 1);
}
