//! Rules of `ConnectStore`, and of the session that a grant ends.

use std::sync::Arc;

use grantor_core::id::{ConnectSessionId, ConnectionId};
use grantor_core::model::{ConnectMode, ConnectSession, ConnectState, ConnectStep};
use grantor_core::secret::Digest;
use grantor_core::store::{Granted, Recorded, Store};
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, digest, id};
use super::vault_fixtures::{connect_session, held, recorded, started, waiting, written};
use super::{count, race, rules};

rules![
    a_session_reads_back_in_every_state,
    a_session_is_over_with_its_time,
    of_many_who_make_a_step_one_does,
    a_step_needs_its_digest,
    a_state_expires_before_its_session,
    a_step_goes_from_the_step_that_was_meant,
    a_grant_ends_its_session,
    of_many_grants_for_one_session_one_is_stored,
    a_session_that_is_over_takes_no_grant,
];

async fn added(store: &Arc<dyn Store>, state: ConnectState) -> ConnectSession {
    let session = ConnectSession { state, ..connect_session() };
    store.add_connect_session(session.clone(), recorded("made")).await.expect("add");
    session
}

async fn read(
    store: &Arc<dyn Store>,
    id: ConnectSessionId,
    now: Timestamp,
) -> Option<ConnectSession> {
    store.connect_session(id, now).await.expect("read")
}

async fn step(
    store: &Arc<dyn Store>,
    session: &ConnectSession,
    digest: Option<Digest>,
    to: &ConnectState,
    now: Timestamp,
) -> Option<ConnectSession> {
    let from = session.state.step();
    store.step_connect(session.id, from, digest, to.clone(), now).await.expect("step")
}

/// One state for each step.
fn states() -> [ConnectState; 5] {
    [
        ConnectState::Open,
        started(),
        waiting(),
        ConnectState::Done(ConnectionId(id())),
        ConnectState::Failed("access_denied".to_owned()),
    ]
}

/// What leads out of a state.
fn key(session: &ConnectSession) -> Option<Digest> {
    match &session.state {
        ConnectState::Open => Some(session.digest),
        ConnectState::Started { state, .. } => Some(*state),
        ConnectState::Waiting { code, .. } => Some(*code),
        ConnectState::Done(_) | ConnectState::Failed(_) => None,
    }
}

async fn a_session_reads_back_in_every_state(store: Arc<dyn Store>) {
    for state in states() {
        let session = added(&store, state).await;
        assert_eq!(read(&store, session.id, NOW).await, Some(session));
    }
    assert_eq!(written(&*store).await, ["made"; 5]);
    for mode in ConnectMode::ALL {
        let bare = ConnectSession {
            mode,
            account_hint: None,
            reconnect: None,
            return_url: None,
            ..connect_session()
        };
        store.add_connect_session(bare.clone(), Recorded::default()).await.expect("add");
        assert_eq!(read(&store, bare.id, NOW).await, Some(bare));
    }
}

async fn a_session_is_over_with_its_time(store: Arc<dyn Store>) {
    let session = added(&store, ConnectState::Open).await;
    assert!(read(&store, session.id, after(599)).await.is_some());
    assert!(read(&store, session.id, after(600)).await.is_none());
    assert!(step(&store, &session, None, &started(), after(600)).await.is_none());
    assert!(step(&store, &session, None, &started(), after(599)).await.is_some());
    assert!(read(&store, ConnectSessionId(id()), NOW).await.is_none());
}

async fn of_many_who_make_a_step_one_does(store: Arc<dyn Store>) {
    let ends = [started(), waiting(), ConnectState::Failed("lost".to_owned()), ConnectState::Open];
    for (from, to) in [
        (ConnectState::Open, started()),
        (ConnectState::Open, ConnectState::Failed("denied".to_owned())),
        (started(), waiting()),
        (started(), ConnectState::Failed("denied".to_owned())),
        (waiting(), ConnectState::Done(ConnectionId(id()))),
        (waiting(), ends[2].clone()),
    ] {
        let session = added(&store, from).await;
        let stepped = race(&store, |store, _| {
            let (session, to) = (session.clone(), to.clone());
            async move { step(&store, &session, key(&session), &to, NOW).await }
        });
        let stepped = stepped.await;
        assert_eq!(count(&stepped, Option::is_some), 1);
        assert_eq!(stepped.into_iter().flatten().next().as_ref(), Some(&session), "as it was");
        let now = read(&store, session.id, NOW).await.expect("is there");
        assert_eq!(now, ConnectSession { state: to, ..session });
    }
}

async fn a_step_needs_its_digest(store: Arc<dyn Store>) {
    for state in [ConnectState::Open, started(), waiting()] {
        let session = added(&store, state).await;
        let to = ConnectState::Failed("x".to_owned());
        for wrong in [digest(), Digest::from_bytes([0; 32])] {
            assert!(step(&store, &session, Some(wrong), &to, NOW).await.is_none());
        }
        assert_eq!(read(&store, session.id, NOW).await.as_ref(), Some(&session));
        assert!(step(&store, &session, key(&session), &to, NOW).await.is_some());
    }
    for state in [ConnectState::Done(ConnectionId(id())), ConnectState::Failed("x".to_owned())] {
        let session = added(&store, state).await;
        assert!(step(&store, &session, Some(session.digest), &waiting(), NOW).await.is_none());
    }
}

async fn a_state_expires_before_its_session(store: Arc<dyn Store>) {
    let session = added(&store, started()).await;
    assert!(step(&store, &session, key(&session), &waiting(), after(300)).await.is_none());
    assert!(step(&store, &session, key(&session), &waiting(), after(299)).await.is_some());
    let session = added(&store, started()).await;
    let anew = step(&store, &session, None, &ConnectState::Open, after(300)).await;
    assert!(anew.is_some(), "whoever does not come with the state may begin anew");
}

async fn a_step_goes_from_the_step_that_was_meant(store: Arc<dyn Store>) {
    let steps = [
        ConnectStep::Open,
        ConnectStep::Started,
        ConnectStep::Waiting,
        ConnectStep::Done,
        ConnectStep::Failed,
    ];
    for state in states() {
        let session = added(&store, state).await;
        for from in steps.into_iter().filter(|step| *step != session.state.step()) {
            let stepped = store.step_connect(session.id, from, None, waiting(), NOW).await;
            assert_eq!(stepped.expect("step"), None, "from {from:?}");
        }
        assert_eq!(read(&store, session.id, NOW).await.as_ref(), Some(&session));
        assert_eq!(step(&store, &session, None, &started(), NOW).await, Some(session));
    }
}

async fn store_grant(store: &Arc<dyn Store>, session: ConnectSessionId, now: Timestamp) -> Granted {
    let own = held("google", "user-42");
    store.store_grant(own, None, Some(session), recorded("granted"), now).await.expect("store")
}

async fn a_grant_ends_its_session(store: Arc<dyn Store>) {
    for state in [started(), waiting()] {
        let session = added(&store, state).await;
        let own = held("google", "user-42");
        let id = own.connection.id;
        let stored = store.store_grant(own, None, Some(session.id), recorded("granted"), NOW).await;
        assert_eq!(stored.expect("store"), Granted::Done);
        let over = ConnectSession { state: ConnectState::Done(id), ..session };
        assert_eq!(read(&store, over.id, NOW).await, Some(over));
    }
    assert_eq!(written(&*store).await, ["made", "granted", "made", "granted"]);
}

async fn of_many_grants_for_one_session_one_is_stored(store: Arc<dyn Store>) {
    let session = added(&store, started()).await.id;
    let stored =
        race(&store, |store, _| async move { store_grant(&store, session, NOW).await }).await;
    assert_eq!(count(&stored, |outcome| *outcome == Granted::Done), 1);
    assert_eq!(count(&stored, |outcome| *outcome == Granted::SessionOver), 31);
    let all = store.connections(&grantor_core::store::Selector::default(), None, None, 99).await;
    assert_eq!(all.expect("list").len(), 1);
    assert_eq!(written(&*store).await, ["made", "granted"]);
}

async fn a_session_that_is_over_takes_no_grant(store: Arc<dyn Store>) {
    let [open, _, _, done, failed] = states();
    for state in [open, done, failed] {
        let session = added(&store, state).await;
        assert_eq!(store_grant(&store, session.id, NOW).await, Granted::SessionOver);
        assert_eq!(read(&store, session.id, NOW).await, Some(session));
    }
    let late = added(&store, started()).await;
    assert_eq!(store_grant(&store, late.id, after(600)).await, Granted::SessionOver);
    let unknown = ConnectSessionId(id());
    assert_eq!(store_grant(&store, unknown, NOW).await, Granted::SessionOver);
    assert_eq!(store.count_connections().await.expect("count"), []);
    assert_eq!(store.data_key_uses().await.expect("count"), []);
}
