//! Rules of `Store` itself: sweeping and answering.

use std::sync::Arc;

use grantor_core::id::AccessTokenId;
use grantor_core::jose::Algorithm;
use grantor_core::model::AccessToken;
use grantor_core::store::{AttemptLimits, Begun, Once, Recorded, Store};
use grantor_core::time::{Seconds, Timestamp};

use super::fixtures::{
    NOW, after, answer, attempt, code, device, digest, external, id, initial_token, key, mail,
    own_access, request, session,
};
use super::rules;
use super::tokens::granted;
use super::vault_fixtures::{connect_session, grant, only, pause, recorded, refresh};

rules![
    it_answers,
    the_living_are_left_alone,
    the_dead_are_removed,
    what_came_later_is_swept_too,
    what_is_over_of_the_vault_is_swept,
    a_sweep_is_bounded,
];

/// One of each kind that came with the token endpoint, over after 600 seconds.
async fn add_further(store: &Arc<dyn Store>) {
    store.add_device(device("a")).await.expect("add");
    store.add_external(external()).await.expect("add");
    store.add_initial_token(initial_token(None)).await.expect("add");
    store.revoke_access(AccessTokenId(id()), after(600)).await.expect("revoke");
    for kind in [Once::ClientAssertion, Once::GrantAssertion] {
        store.first_use(kind, &digest(), after(600), NOW).await.expect("remember");
    }
    let lasting = AccessToken { expires_at: after(600), ..own_access("a") };
    store.issue_access(lasting).await.expect("issue");
}

async fn what_came_later_is_swept_too(store: Arc<dyn Store>) {
    add_further(&store).await;
    assert_eq!(sweep(&store, after(599), 100).await, 0);
    assert_eq!(sweep(&store, after(600), 100).await, 7);
    assert_eq!(store.initial_tokens().await.expect("list"), []);
}

async fn what_is_over_of_the_vault_is_swept(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    store.begin_refresh(refresh(&own), NOW).await.expect("begin");
    store.pause_integration(pause("google"), recorded("paused")).await.expect("pause");
    let session = connect_session();
    store.add_connect_session(session.clone(), Recorded::default()).await.expect("add");
    assert_eq!(sweep(&store, after(599), 100).await, 0);
    assert_eq!(sweep(&store, after(600), 100).await, 1, "the session");
    assert_eq!(store.connect_session(session.id, NOW).await.expect("read"), None);
    assert_eq!(sweep(&store, after(600 + 2_591_999), 100).await, 0);
    assert_eq!(sweep(&store, after(600 + 2_592_000), 100).await, 1, "the webhook");
    assert_eq!(store.pending_notices().await.expect("count"), 0);
    assert_eq!(sweep(&store, after(100_000_000), 100).await, 0);
    assert_eq!(store.held(&only(own.id), 1).await.expect("read").len(), 1);
    assert_eq!(store.pauses().await.expect("list").len(), 1);
    assert_eq!(store.audit(0, 9).await.expect("read").len(), 1);
    let again = store.begin_refresh(refresh(&own), after(100_000_000)).await.expect("begin");
    assert!(matches!(again, Begun::Yes(attempt) if attempt.again), "{own:?}");
}

async fn it_answers(store: Arc<dyn Store>) {
    store.ping().await.expect("answers");
}

/// Sweeps until nothing is left to remove: a back end may look at a part of a table at a time.
async fn sweep(store: &Arc<dyn Store>, now: Timestamp, limit: u32) -> u32 {
    let (mut removed, mut idle) = (0, 0);
    while idle < 20 {
        let one = store.sweep(now, limit).await.expect("sweep");
        idle = if one == 0 { idle + 1 } else { 0 };
        removed += one;
    }
    removed
}

async fn the_living_are_left_alone(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |family| family.expires_at = after(301)).await;
    let (asked, signed_in) = (request(), session(held.user.id));
    let open = code(held.user.id, "a");
    store.add_request(asked.clone()).await.expect("add");
    store.start_session(signed_in.clone(), None).await.expect("start");
    store.answer_request(answer(open.clone()), None, None, NOW).await.expect("issue");
    assert_eq!(sweep(&store, after(59), 100).await, 0);
    assert!(store.code(open.id, &open.digest).await.expect("read").is_some());
    // Of the codes, one has expired; the other was redeemed and is kept to notice a replay.
    assert_eq!(sweep(&store, after(299), 100).await, 1);
    assert!(held.access_token(&store, after(299)).await.is_some());
    assert!(store.take_request(asked.id, after(299)).await.expect("take"));
    let alive = store.session(signed_in.id, &signed_in.digest, after(299)).await.expect("read");
    assert!(alive.is_some());
}

async fn the_dead_are_removed(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    store.add_request(request()).await.expect("add");
    store.start_session(session(held.user.id), None).await.expect("start");
    let limits = AttemptLimits { pause: Seconds(60), per_hour: 1 };
    let asked = store.start_attempt(attempt("a@example.com"), Some(mail()), limits, NOW).await;
    asked.expect("start");
    for (kid, expected) in [("k1", None), ("k2", Some("k1"))] {
        let key = key(kid, Algorithm::Es256);
        store.add_signing_key(key, expected, after(100)).await.expect("add");
    }
    // An access token, a family, a code, a request, a session, an attempt, a mail and a key.
    assert_eq!(sweep(&store, after(100_000), 100).await, 8);
    assert_eq!(store.signing_keys(NOW).await.expect("list").len(), 1);
    assert!(store.family(held.family.id).await.expect("read").is_none());
    assert_eq!(store.pending_mail().await.expect("count"), 0);
    assert!(store.client("a").await.expect("read").is_some());
    assert!(store.user(held.user.id).await.expect("read").is_some());
}

async fn a_sweep_is_bounded(store: Arc<dyn Store>) {
    let mut requests = Vec::new();
    for place in 0..60 {
        let mut one = request();
        one.expires_at = if place % 3 == 0 { after(10) } else { after(1_000) };
        requests.push(one.clone());
        store.add_request(one).await.expect("add");
    }
    assert!(store.sweep(after(10), 7).await.expect("sweep") <= 7);
    sweep(&store, after(10), 7).await;
    for one in requests {
        let dead = one.expires_at == after(10);
        let bound = store.bind_request(one.id, &digest(), NOW).await.expect("bind");
        assert_eq!(bound == grantor_core::store::Bound::Gone, dead);
    }
}
