//! Rules of `ExternalStore`.

use std::sync::Arc;

use grantor_core::id::ExternalId;
use grantor_core::model::{ExternalAnswer, ExternalIdentity, ExternalSignIn};
use grantor_core::secret::Digest;
use grantor_core::store::Store;
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, digest, external, id};
use super::{count, race, rules};

rules![
    what_was_handed_over_reads_back_while_it_lives,
    one_answer_counts,
    a_late_answer_does_not_count,
    an_answer_is_taken_once,
    an_answer_is_for_its_browser_and_verifier_only,
    nothing_is_taken_before_there_is_an_answer,
];

fn accepted(subject: &str) -> ExternalAnswer {
    ExternalAnswer::Accepted(ExternalIdentity {
        subject: subject.to_owned(),
        email: Some("ann@example.com".to_owned()),
        email_verified: true,
        name: Some("Ann \"A\"".to_owned()),
        auth_time: Some(NOW),
        amr: vec!["hwk".to_owned()],
        acr: Some("gold".to_owned()),
    })
}

async fn added(store: &Arc<dyn Store>) -> ExternalSignIn {
    let made = external();
    store.add_external(made.clone()).await.expect("add");
    made
}

/// A sign-in with an answer, and the verifier that takes it.
async fn answered(store: &Arc<dyn Store>) -> (ExternalSignIn, Digest) {
    let (made, verifier) = (added(store).await, digest());
    let counts = store.answer_external(made.id, accepted("crm|1"), &verifier, NOW).await;
    assert!(counts.expect("answer"));
    let answer = Some(accepted("crm|1"));
    (ExternalSignIn { answer, verifier: Some(verifier), ..made }, verifier)
}

async fn read(store: &Arc<dyn Store>, id: ExternalId, now: Timestamp) -> Option<ExternalSignIn> {
    store.external(id, now).await.expect("read")
}

async fn what_was_handed_over_reads_back_while_it_lives(store: Arc<dyn Store>) {
    let (asked, mut alone) = (added(&store).await, external());
    (alone.request, alone.then) = (None, Some("/account".to_owned()));
    store.add_external(alone.clone()).await.expect("add");
    for made in [asked, alone] {
        assert_eq!(read(&store, made.id, after(599)).await, Some(made.clone()));
        assert_eq!(read(&store, made.id, after(600)).await, None);
    }
    assert_eq!(read(&store, ExternalId(id()), NOW).await, None);
}

async fn one_answer_counts(store: Arc<dyn Store>) {
    let handed = added(&store).await.id;
    let answers = race(&store, |store, place| async move {
        let answer = match place % 2 {
            0 => accepted(&format!("crm|{place}")),
            _ => ExternalAnswer::Rejected { reason: Some(format!("no {place}")) },
        };
        let verifier = digest();
        let counts = store.answer_external(handed, answer.clone(), &verifier, NOW).await;
        (counts.expect("answer"), answer, verifier)
    });
    let answers = answers.await;
    assert_eq!(count(&answers, |one| one.0), 1);
    let kept = read(&store, handed, NOW).await.expect("lives");
    let winner = answers.into_iter().find(|one| one.0).expect("counted above");
    assert_eq!((kept.answer, kept.verifier), (Some(winner.1), Some(winner.2)));
}

async fn a_late_answer_does_not_count(store: Arc<dyn Store>) {
    let made = added(&store).await;
    for (id, now) in [(made.id, after(600)), (ExternalId(id()), NOW)] {
        let late = store.answer_external(id, accepted("crm|1"), &digest(), now).await;
        assert!(!late.expect("answer"));
    }
    assert_eq!(read(&store, made.id, NOW).await, Some(made));
}

async fn an_answer_is_taken_once(store: Arc<dyn Store>) {
    let (made, verifier) = answered(&store).await;
    let (handed, browser) = (made.id, made.browser);
    let taken = race(&store, |store, _| async move {
        store.take_external(handed, &verifier, &browser, NOW).await.expect("take")
    });
    let taken = taken.await;
    assert_eq!(count(&taken, |one| one.as_ref() == Some(&made)), 1);
    assert_eq!(count(&taken, Option::is_none), 31);
    let again = store.answer_external(handed, accepted("crm|2"), &digest(), NOW).await;
    assert!(!again.expect("answer"), "an answer after the answer was taken");
}

async fn an_answer_is_for_its_browser_and_verifier_only(store: Arc<dyn Store>) {
    let (made, verifier) = answered(&store).await;
    let other = answered(&store).await.1;
    for (verifier, browser, now) in [
        (verifier, digest(), NOW),
        (digest(), made.browser, NOW),
        (other, made.browser, NOW),
        (verifier, made.browser, after(600)),
    ] {
        let foreign = store.take_external(made.id, &verifier, &browser, now).await;
        assert_eq!(foreign.expect("take"), None);
    }
    let own = store.take_external(made.id, &verifier, &made.browser, after(599)).await;
    assert_eq!(own.expect("take"), Some(made), "what others tried has changed nothing");
}

async fn nothing_is_taken_before_there_is_an_answer(store: Arc<dyn Store>) {
    let made = added(&store).await;
    let early = store.take_external(made.id, &digest(), &made.browser, NOW).await;
    assert_eq!(early.expect("take"), None);
    assert_eq!(read(&store, made.id, NOW).await, Some(made));
}
