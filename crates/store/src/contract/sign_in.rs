//! Rules of `SignInStore`.

use std::sync::Arc;

use grantor_core::model::SignInAttempt;
use grantor_core::store::{AttemptLimits, Started, Store, Tried};
use grantor_core::time::{Seconds, Timestamp};

use super::fixtures::{NOW, after, attempt, digest, mail};
use super::{count, race, rules};

rules![
    an_attempt_reads_back_in_its_browser_only,
    an_address_waits_between_two_and_after_many,
    of_many_that_ask_for_one_address_one_is_heard,
    a_new_attempt_ends_the_earlier_of_the_same_browser,
    a_right_token_is_right_once,
    wrong_tokens_use_up_the_tries,
    no_more_wrong_tries_than_there_are,
    an_expired_attempt_is_gone,
];

const LIMITS: AttemptLimits = AttemptLimits { pause: Seconds(60), per_hour: 3 };

async fn started(store: &Arc<dyn Store>, email: &str) -> SignInAttempt {
    let attempt = attempt(email);
    let done = store.start_attempt(attempt.clone(), Some(mail()), LIMITS, NOW).await;
    assert_eq!(done.expect("start"), Started::Done);
    attempt
}

async fn start_at(store: &Arc<dyn Store>, email: &str, now: Timestamp) -> Started {
    let attempt = SignInAttempt { created_at: now, ..attempt(email) };
    store.start_attempt(attempt, Some(mail()), LIMITS, now).await.expect("start")
}

async fn an_attempt_reads_back_in_its_browser_only(store: Arc<dyn Store>) {
    let mut made = attempt("ann@example.com");
    made.request = None;
    let done = store.start_attempt(made.clone(), None, LIMITS, NOW).await.expect("start");
    assert_eq!(done, Started::Done);
    assert_eq!(store.pending_mail().await.expect("count"), 0);
    let read = store.attempt(made.id, &made.browser, NOW).await.expect("read");
    assert_eq!(read, Some(made.clone()));
    assert_eq!(store.attempt(made.id, &digest(), NOW).await.expect("read"), None);
    let foreign = store.try_token(made.id, &digest(), &made.token, NOW).await.expect("try");
    assert_eq!(foreign, Tried::Gone);
}

async fn an_address_waits_between_two_and_after_many(store: Arc<dyn Store>) {
    let ask = |seconds| start_at(&store, "ann@example.com", after(seconds));
    assert_eq!(ask(0).await, Started::Done);
    assert_eq!(ask(59).await, Started::Wait { until: after(60) });
    assert_eq!(ask(60).await, Started::Done);
    assert_eq!(ask(120).await, Started::Done);
    assert_eq!(ask(180).await, Started::Wait { until: after(3_600) });
    assert_eq!(start_at(&store, "bob@example.com", after(180)).await, Started::Done);
    assert_eq!(store.pending_mail().await.expect("count"), 4, "none for those that wait");
    assert_eq!(ask(3_599).await, Started::Wait { until: after(3_600) });
    assert_eq!(ask(3_600).await, Started::Done);
}

async fn of_many_that_ask_for_one_address_one_is_heard(store: Arc<dyn Store>) {
    let asked = race(&store, |store, _| async move {
        store.start_attempt(attempt("ann@example.com"), Some(mail()), LIMITS, NOW).await
    });
    let asked = asked.await;
    assert_eq!(count(&asked, |one| matches!(one, Ok(Started::Done))), 1);
    assert_eq!(count(&asked, |one| matches!(one, Ok(Started::Wait { .. }))), 31);
    assert_eq!(store.pending_mail().await.expect("count"), 1);
}

async fn a_new_attempt_ends_the_earlier_of_the_same_browser(store: Arc<dyn Store>) {
    let first = started(&store, "ann@example.com").await;
    let elsewhere = started(&store, "bob@example.com").await;
    let mut second = attempt("ann@example.com");
    (second.browser, second.created_at) = (first.browser, after(60));
    let done = store.start_attempt(second.clone(), None, LIMITS, after(60)).await.expect("start");
    assert_eq!(done, Started::Done);
    let over = store.try_token(first.id, &first.browser, &first.token, after(60)).await;
    assert_eq!(over.expect("try"), Tried::Gone);
    assert_eq!(store.attempt(first.id, &first.browser, after(60)).await.expect("read"), None);
    for alive in [second, elsewhere] {
        let tried = store.try_token(alive.id, &alive.browser, &alive.token, after(60)).await;
        assert!(matches!(tried, Ok(Tried::Right(_))), "{tried:?}");
    }
}

async fn a_right_token_is_right_once(store: Arc<dyn Store>) {
    let made = started(&store, "ann@example.com").await;
    let tried = race(&store, |store, _| async move {
        store.try_token(made.id, &made.browser, &made.token, NOW).await.expect("try")
    });
    let tried = tried.await;
    assert_eq!(count(&tried, |one| matches!(one, Tried::Right(_))), 1);
    assert_eq!(count(&tried, |one| *one == Tried::Gone), 31);
}

async fn wrong_tokens_use_up_the_tries(store: Arc<dyn Store>) {
    let made = started(&store, "ann@example.com").await;
    for tries_left in [2, 1, 0] {
        let wrong = store.try_token(made.id, &made.browser, &digest(), NOW).await.expect("try");
        assert_eq!(wrong, Tried::Wrong { tries_left });
    }
    assert_eq!(store.attempt(made.id, &made.browser, NOW).await.expect("read"), None);
    let late = store.try_token(made.id, &made.browser, &made.token, NOW).await.expect("try");
    assert_eq!(late, Tried::Gone);
}

async fn no_more_wrong_tries_than_there_are(store: Arc<dyn Store>) {
    let (id, browser) = {
        let made = started(&store, "ann@example.com").await;
        (made.id, made.browser)
    };
    let tried = race(&store, |store, _| async move {
        store.try_token(id, &browser, &digest(), NOW).await.expect("try")
    });
    let tried = tried.await;
    assert_eq!(count(&tried, |one| matches!(one, Tried::Wrong { .. })), 3);
    assert_eq!(count(&tried, |one| *one == Tried::Gone), 29);
}

async fn an_expired_attempt_is_gone(store: Arc<dyn Store>) {
    let made = started(&store, "ann@example.com").await;
    let late = store.try_token(made.id, &made.browser, &made.token, after(600)).await;
    assert_eq!(late.expect("try"), Tried::Gone);
    assert_eq!(store.attempt(made.id, &made.browser, after(600)).await.expect("read"), None);
    let last = store.try_token(made.id, &made.browser, &made.token, after(599)).await;
    assert_eq!(last.expect("try"), Tried::Right(made));
}
