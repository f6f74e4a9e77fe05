//! Rules of `SessionStore`.

use std::sync::Arc;

use grantor_core::model::User;
use grantor_core::store::Store;

use super::fixtures::{NOW, after, digest, session, user};
use super::rules;

rules![
    a_session_reads_back_with_its_person,
    a_sign_in_replaces_the_session_of_the_browser,
    a_session_ends_idle_or_absolutely,
    use_moves_the_idle_end_but_brings_nothing_back,
    sessions_are_listed_and_ended_by_their_person_only,
];

async fn person(store: &Arc<dyn Store>, name: &str) -> User {
    let user = user(name);
    store.add_user(user.clone()).await.expect("add a user");
    user
}

async fn a_session_reads_back_with_its_person(store: Arc<dyn Store>) {
    let ann = person(&store, "ann").await;
    let mut made = session(ann.id);
    made.authentication.acr = Some("gold".to_owned());
    store.start_session(made.clone(), None).await.expect("start");
    let view = store.session(made.id, &made.digest, NOW).await.expect("read").expect("lives");
    assert_eq!((&view.session, &view.user), (&made, &ann));
    assert!(store.session(made.id, &digest(), NOW).await.expect("read").is_none());
}

async fn a_sign_in_replaces_the_session_of_the_browser(store: Arc<dyn Store>) {
    let ann = person(&store, "ann").await;
    let (first, second) = (session(ann.id), session(ann.id));
    store.start_session(first.clone(), None).await.expect("start");
    store.start_session(second.clone(), Some(first.id)).await.expect("start");
    assert!(store.session(first.id, &first.digest, NOW).await.expect("read").is_none());
    assert!(store.session(second.id, &second.digest, NOW).await.expect("read").is_some());
}

async fn a_session_ends_idle_or_absolutely(store: Arc<dyn Store>) {
    let ann = person(&store, "ann").await;
    let (idle, mut short) = (session(ann.id), session(ann.id));
    short.expires_at = after(100);
    for (one, end) in [(&idle, 600), (&short, 100)] {
        store.start_session(one.clone(), None).await.expect("start");
        let last = store.session(one.id, &one.digest, after(end - 1)).await.expect("read");
        assert!(last.is_some());
        let over = store.session(one.id, &one.digest, after(end)).await.expect("read");
        assert!(over.is_none());
    }
    assert_eq!(store.sessions_of(ann.id, after(100)).await.expect("list"), [idle]);
    assert_eq!(store.sessions_of(ann.id, after(600)).await.expect("list"), []);
}

async fn use_moves_the_idle_end_but_brings_nothing_back(store: Arc<dyn Store>) {
    let ann = person(&store, "ann").await;
    let made = session(ann.id);
    store.start_session(made.clone(), None).await.expect("start");
    store.touch_session(made.id, after(599), after(1_199)).await.expect("touch");
    let read = store.session(made.id, &made.digest, after(1_198)).await.expect("read");
    let read = read.expect("lives").session;
    assert_eq!((read.last_seen_at, read.idle_expires_at), (after(599), after(1_199)));
    store.touch_session(made.id, after(1_199), after(1_800)).await.expect("touch");
    assert!(store.session(made.id, &made.digest, after(1_199)).await.expect("read").is_none());
    assert!(store.end_session(ann.id, made.id).await.expect("end"));
    store.touch_session(made.id, after(600), after(1_200)).await.expect("touch");
    assert!(store.session(made.id, &made.digest, after(600)).await.expect("read").is_none());
}

async fn sessions_are_listed_and_ended_by_their_person_only(store: Arc<dyn Store>) {
    let (ann, bob) = (person(&store, "ann").await, person(&store, "bob").await);
    let hers = [session(ann.id), session(ann.id), session(ann.id)];
    let his = session(bob.id);
    for (seen, one) in (0..).zip(hers.iter().chain([&his])) {
        store.start_session(one.clone(), None).await.expect("start");
        store.touch_session(one.id, after(seen), after(600)).await.expect("touch");
    }
    let listed = store.sessions_of(ann.id, NOW).await.expect("list");
    let listed: Vec<_> = listed.iter().map(|one| one.id).collect();
    assert_eq!(listed, [hers[2].id, hers[1].id, hers[0].id], "last used first");
    assert!(!store.end_session(bob.id, hers[0].id).await.expect("not his"));
    assert!(store.end_session(ann.id, hers[0].id).await.expect("hers"));
    assert!(!store.end_session(ann.id, hers[0].id).await.expect("again"));
    assert_eq!(store.end_other_sessions(ann.id, hers[1].id).await.expect("end"), 1);
    assert_eq!(store.sessions_of(ann.id, NOW).await.expect("list").len(), 1);
    assert_eq!(store.sessions_of(bob.id, NOW).await.expect("list").len(), 1);
}
