//! Rules of `CodeStore`.

use std::sync::Arc;

use grantor_core::id::UserId;
use grantor_core::store::{Answered, Issued, Redeemed, Store};

use super::fixtures::{
    self, NOW, after, answer, client, code, consent, digest, family, request, user,
};
use super::tokens::granted;
use super::{count, race, rules};

rules![
    a_code_reads_back_as_it_was_issued,
    a_code_answers_a_request_once,
    an_expired_request_is_not_answered,
    a_consent_is_widened,
    a_code_is_redeemed_once_and_a_replay_revokes_what_it_gave,
    a_code_ends_with_its_time_and_its_digest,
    a_code_spent_for_nothing_is_gone,
    spending_a_redeemed_code_is_a_replay,
    a_code_is_spent_or_redeemed,
];

fn issued(client_id: &str, user: UserId) -> Issued {
    fixtures::issued(family(user, client_id))
}

async fn works(store: &Arc<dyn Store>, issued: &Issued) -> bool {
    let access = issued.access.as_ref().expect("is opaque");
    store.access_token(access.id, &access.digest, NOW).await.expect("read").is_some()
}

async fn a_code_reads_back_as_it_was_issued(store: Arc<dyn Store>) {
    let mut made = code(user("u").id, "a");
    for _ in 0..2 {
        let done =
            store.answer_request(answer(made.clone()), None, None, NOW).await.expect("issue");
        assert_eq!(done, Answered::Done);
        let read = store.code(made.id, &made.digest).await.expect("read");
        assert_eq!(read.map(|view| view.code), Some(made.clone()));
        assert_eq!(store.code(made.id, &digest()).await.expect("read"), None);
        made = code(made.user, "a");
        (made.nonce, made.challenge, made.redirect_uri_given) = (None, None, false);
        made.claims.userinfo.clear();
        made.resource.clear();
        made.authentication.acr = Some("gold".to_owned());
    }
}

async fn a_code_answers_a_request_once(store: Arc<dyn Store>) {
    let asked = request();
    store.add_request(asked.clone()).await.expect("add");
    let user = user("u").id;
    let answered = race(&store, |store, _| async move {
        let code = code(user, "a");
        let done = store
            .answer_request(answer(code.clone()), Some(asked.id), None, NOW)
            .await
            .expect("issue");
        (done, store.code(code.id, &code.digest).await.expect("read").is_some())
    });
    let answered = answered.await;
    assert_eq!(count(&answered, |one| *one == (Answered::Done, true)), 1);
    assert_eq!(count(&answered, |one| *one == (Answered::Gone, false)), 31);
    assert!(!store.take_request(asked.id, NOW).await.expect("take"));
}

async fn an_expired_request_is_not_answered(store: Arc<dyn Store>) {
    let asked = request();
    store.add_request(asked.clone()).await.expect("add");
    let code = code(user("u").id, "a");
    let allowed = consent(code.user, "a", "read");
    let late =
        store.answer_request(answer(code.clone()), Some(asked.id), Some(allowed), after(600)).await;
    assert_eq!(late.expect("issue"), Answered::Gone);
    assert_eq!(store.code(code.id, &code.digest).await.expect("read"), None);
    assert_eq!(store.consent(code.user, "a").await.expect("read"), None);
}

async fn a_consent_is_widened(store: Arc<dyn Store>) {
    let user = user("u").id;
    let first = consent(user, "a", "openid read");
    store
        .answer_request(answer(code(user, "a")), None, Some(first.clone()), NOW)
        .await
        .expect("issue");
    assert_eq!(store.consent(user, "a").await.expect("read"), Some(first));
    let mut second = consent(user, "a", "write openid");
    (second.created_at, second.updated_at) = (after(5), after(5));
    store
        .answer_request(answer(code(user, "a")), None, Some(second), after(5))
        .await
        .expect("issue");
    let mut both = consent(user, "a", "openid read write");
    both.updated_at = after(5);
    assert_eq!(store.consent(user, "a").await.expect("read"), Some(both));
}

async fn a_code_is_redeemed_once_and_a_replay_revokes_what_it_gave(store: Arc<dyn Store>) {
    let other = granted(&store, "b", |_| {}).await;
    store.add_client(client("a")).await.expect("add");
    let code = code(other.user.id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    let (id, digest, user) = (code.id, code.digest, code.user);
    let redeemed = race(&store, |store, _| async move {
        let issued = issued("a", user);
        let redeemed = store.redeem_code(id, &digest, issued.clone(), NOW).await.expect("redeem");
        (redeemed, issued)
    });
    let redeemed = redeemed.await;
    assert_eq!(count(&redeemed, |one| one.0 == Redeemed::Done), 1);
    let winner = redeemed.iter().find(|one| one.0 == Redeemed::Done).expect("counted above");
    let family = winner.1.family.id;
    assert_eq!(count(&redeemed, |one| one.0 == Redeemed::Replayed { family }), 31);
    for (_, issued) in &redeemed {
        assert!(!works(&store, issued).await, "revoked, or never written");
    }
    assert!(other.access_token(&store, NOW).await.is_some(), "what others hold stays");
    let read = store.code(id, &digest).await.expect("read").expect("is kept").code;
    assert_eq!(read.redeemed_as, Some(family));
}

async fn a_code_ends_with_its_time_and_its_digest(store: Arc<dyn Store>) {
    let person = granted(&store, "a", |_| {}).await.user;
    let code = code(person.id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    let one = issued("a", person.id);
    let wrong = store.redeem_code(code.id, &digest(), one.clone(), NOW).await;
    assert_eq!(wrong.expect("redeem"), Redeemed::Gone);
    let late = store.redeem_code(code.id, &code.digest, one.clone(), after(60)).await;
    assert_eq!(late.expect("redeem"), Redeemed::Gone);
    assert!(!works(&store, &one).await);
    let last = store.redeem_code(code.id, &code.digest, one.clone(), after(59)).await;
    assert_eq!(last.expect("redeem"), Redeemed::Done);
    assert!(works(&store, &one).await);
    // RFC 6749 §4.1.2: a replay is noticed even when the code has expired meanwhile.
    let replay = store.redeem_code(code.id, &code.digest, one.clone(), after(61)).await;
    assert_eq!(replay.expect("redeem"), Redeemed::Replayed { family: one.family.id });
    assert!(!works(&store, &one).await);
}

async fn a_code_spent_for_nothing_is_gone(store: Arc<dyn Store>) {
    let code = code(user("u").id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    let wrong = store.spend_code(code.id, &digest(), NOW).await.expect("spend");
    assert_eq!(wrong, Redeemed::Gone);
    for _ in 0..2 {
        let spent = store.spend_code(code.id, &code.digest, NOW).await.expect("spend");
        assert_eq!(spent, Redeemed::Gone);
    }
    let late = store.redeem_code(code.id, &code.digest, issued("a", code.user), NOW).await;
    assert_eq!(late.expect("redeem"), Redeemed::Gone);
}

async fn spending_a_redeemed_code_is_a_replay(store: Arc<dyn Store>) {
    let person = granted(&store, "a", |_| {}).await.user;
    let code = code(person.id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    let one = issued("a", person.id);
    store.redeem_code(code.id, &code.digest, one.clone(), NOW).await.expect("redeem");
    assert!(works(&store, &one).await);
    let spent = store.spend_code(code.id, &code.digest, NOW).await.expect("spend");
    assert_eq!(spent, Redeemed::Replayed { family: one.family.id });
    assert!(!works(&store, &one).await);
}

async fn a_code_is_spent_or_redeemed(store: Arc<dyn Store>) {
    let person = granted(&store, "a", |_| {}).await.user;
    let code = code(person.id, "a");
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue");
    let (id, digest) = (code.id, code.digest);
    let outcomes = race(&store, |store, place| async move {
        if place % 2 == 0 {
            return store.spend_code(id, &digest, NOW).await.expect("spend");
        }
        let issued = issued("a", person.id);
        store.redeem_code(id, &digest, issued, NOW).await.expect("redeem")
    });
    let outcomes = outcomes.await;
    let done = count(&outcomes, |one| *one == Redeemed::Done);
    let replayed = count(&outcomes, |one| matches!(one, Redeemed::Replayed { .. }));
    assert!((done, replayed) == (0, 0) || (done, replayed) == (1, 31), "{outcomes:?}");
}
