//! Rules of `ConnectionStore`: grants, selectors, status, and giving back.

use std::sync::Arc;

use grantor_core::id::ConnectionId;
use grantor_core::model::{Connection, ConnectionStatus, ReauthReason};
use grantor_core::store::{Granted, Held, Recorded, Selector, Store};
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, id};
use super::vault_fixtures::{
    dead, grant, granted_again, held, only, pause, reauth, recorded, trouble, written,
};
use super::{count, race, rules};

rules![
    a_grant_reads_back,
    what_a_provider_does_not_tell_reads_back_as_nothing,
    of_many_first_grants_for_an_account_one_is_stored,
    of_many_next_grants_one_is_stored,
    a_grant_of_something_else_changes_nothing,
    a_next_grant_keeps_when_it_was_made_and_used,
    connections_are_selected_by_each_of_their_names,
    a_list_goes_on_after_an_id,
    last_use_only_moves_on,
    a_status_is_set_for_one_generation,
    a_connection_that_is_given_back_is_served_no_more,
    of_many_who_give_back_one_is_written_down_and_one_removes,
    connections_of_one_account_are_siblings,
    a_connection_may_be_granted_again_while_it_is_given_back,
    connections_are_counted,
    a_pause_is_kept_until_it_ends,
];

async fn store_grant(store: &Arc<dyn Store>, held: &Held, before: Option<(u32, u64)>) -> Granted {
    let done = store.store_grant(held.clone(), before, None, recorded("granted"), NOW).await;
    done.expect("store a grant")
}

async fn read(store: &Arc<dyn Store>, id: ConnectionId) -> Option<Held> {
    let found = store.held(&only(id), 9).await.expect("read");
    assert!(found.len() <= 1);
    assert_eq!(store.recently_held(&only(id), 9).await.expect("read"), found);
    let found = found.into_iter().next();
    let alone = store.connection(id).await.expect("read");
    if let Some(found) = &found {
        assert_eq!(alone.as_ref(), Some(&found.connection));
    }
    found
}

async fn a_grant_reads_back(store: Arc<dyn Store>) {
    let mut own = held("google", "user-42");
    own.connection.trouble = Some(trouble());
    own.connection.rotates = Some(false);
    own.connection.last_used_at = Some(NOW);
    assert_eq!(store_grant(&store, &own, None).await, Granted::Done);
    assert_eq!(read(&store, own.connection.id).await, Some(own));
    assert_eq!(read(&store, ConnectionId(id())).await, None);
    assert_eq!(written(&*store).await, ["granted"]);
}

async fn what_a_provider_does_not_tell_reads_back_as_nothing(store: Arc<dyn Store>) {
    let mut bare = held("github", "");
    let connection = &mut bare.connection;
    (connection.account.email, connection.account.name) = (None, None);
    (connection.account.organization, connection.expires_at) = (None, None);
    (connection.refresh_expires_at, connection.due_at) = (None, None);
    (connection.refreshable, connection.status) = (false, dead());
    connection.variables.clear();
    (bare.credential.refresh_token, bare.credential.id_token) = (None, None);
    assert_eq!(store_grant(&store, &bare, None).await, Granted::Done);
    assert_eq!(read(&store, bare.connection.id).await, Some(bare));
}

async fn of_many_first_grants_for_an_account_one_is_stored(store: Arc<dyn Store>) {
    let stored = race(&store, |store, _| async move {
        let mut own = held("google", "user-42");
        own.connection.account.sub = "10769150350006150715113082367".to_owned();
        (store_grant(&store, &own, None).await, own)
    });
    let stored = stored.await;
    assert_eq!(count(&stored, |one| one.0 == Granted::Done), 1);
    assert_eq!(count(&stored, |one| one.0 == Granted::Changed), 31);
    for (outcome, own) in stored {
        let expected = (outcome == Granted::Done).then(|| own.clone());
        assert_eq!(read(&store, own.connection.id).await, expected);
    }
    assert_eq!(written(&*store).await.len(), 1);
}

async fn of_many_next_grants_one_is_stored(store: Arc<dyn Store>) {
    let first = grant(&*store, "google", "user-42").await;
    let stored = race(&store, |store, _| {
        let next = granted_again(&first.connection);
        async move { (store_grant(&store, &next, Some((1, 1))).await, next) }
    });
    let stored = stored.await;
    assert_eq!(count(&stored, |one| one.0 == Granted::Done), 1);
    assert_eq!(count(&stored, |one| one.0 == Granted::Changed), 31);
    let winner = stored.into_iter().find(|one| one.0 == Granted::Done).map(|one| one.1);
    assert_eq!(read(&store, first.connection.id).await, winner);
    assert_eq!(written(&*store).await, ["granted"]);
}

async fn a_grant_of_something_else_changes_nothing(store: Arc<dyn Store>) {
    let first = grant(&*store, "google", "user-42").await;
    let next = granted_again(&first.connection);
    let unknown = granted_again(&held("google", "user-43").connection);
    assert_eq!(store_grant(&store, &unknown, Some((1, 1))).await, Granted::Changed);
    for before in [None, Some((2, 1)), Some((1, 2))] {
        assert_eq!(store_grant(&store, &next, before).await, Granted::Changed);
    }
    for change in [
        |own: &mut Connection| own.integration = "github".to_owned(),
        |own: &mut Connection| own.subject = "user-43".to_owned(),
        |own: &mut Connection| own.account.sub = "somebody else".to_owned(),
    ] {
        let mut other = next.clone();
        change(&mut other.connection);
        assert_eq!(store_grant(&store, &other, Some((1, 1))).await, Granted::Changed);
    }
    assert_eq!(read(&store, first.connection.id).await, Some(first));
    assert_eq!(written(&*store).await, [""; 0]);
}

async fn a_next_grant_keeps_when_it_was_made_and_used(store: Arc<dyn Store>) {
    let first = grant(&*store, "google", "user-42").await;
    let mut next = granted_again(&first.connection);
    let own = &mut next.connection;
    (own.account.email, own.account.name) = (Some("new@example.com".to_owned()), None);
    (own.created_at, own.connected_at) = (after(9), after(9));
    (own.scope, own.variables) = (own.requested.clone(), [].into());
    store.touch_connections(&[(own.id, after(7))]).await.expect("touch");
    assert_eq!(store_grant(&store, &next, Some((1, 1))).await, Granted::Done);
    let kept = (NOW, Some(after(7)));
    (next.connection.created_at, next.connection.last_used_at) = kept;
    assert_eq!(read(&store, first.connection.id).await.as_ref(), Some(&next));
    let by_address =
        Selector { account: Some("NEW@example.com".to_owned()), ..Selector::default() };
    assert_eq!(store.held(&by_address, 9).await.expect("read"), [next]);
}

/// A selector, of names that are separated by spaces.
fn selector(integrations: Option<&str>, subjects: Option<&str>, account: Option<&str>) -> Selector {
    let list = |names: &str| names.split(' ').map(str::to_owned).collect();
    Selector {
        connections: None,
        integrations: integrations.map(list),
        subjects: subjects.map(list),
        account: account.map(str::to_owned),
    }
}

async fn connections_are_selected_by_each_of_their_names(store: Arc<dyn Store>) {
    let mut all = Vec::new();
    for (integration, subject) in
        [("google", "ann"), ("github", "ann"), ("google", "bob"), ("google", "ann"), ("slack", "")]
    {
        all.push(grant(&*store, integration, subject).await);
    }
    let (sub, email) = (&all[3].connection.account.sub, all[3].connection.account.email.clone());
    let email = email.expect("has an address").to_lowercase();
    for (integrations, subjects, account, expected) in [
        (None, None, None, vec![0, 1, 2, 3, 4]),
        (Some("google"), None, None, vec![0, 2, 3]),
        (Some("slack google slack"), None, None, vec![0, 2, 3, 4]),
        (None, Some("ann"), None, vec![0, 1, 3]),
        (Some("google"), Some("ann"), None, vec![0, 3]),
        (Some("github google"), Some("bob ann"), None, vec![0, 1, 2, 3]),
        (Some("google"), Some("ann"), Some(&**sub), vec![3]),
        (Some("google"), Some("ann"), Some(&*email), vec![3]),
        (Some("google github"), None, Some(&*email), vec![3]),
        (Some("github"), None, Some(sub), vec![]),
        (None, None, Some(sub), vec![3]),
        (None, None, Some(&*email), vec![3]),
        (None, Some("ann bob"), Some(&*email), vec![3]),
        (Some("gitlab"), None, None, vec![]),
    ] {
        let selector = selector(integrations, subjects, account);
        let expected: Vec<_> = expected.into_iter().map(|place| all[place].clone()).collect();
        selects(&store, &selector, &expected).await;
        let ids = all.iter().rev().map(|held| held.connection.id).collect();
        selects(&store, &Selector { connections: Some(ids), ..selector }, &expected).await;
    }
    selects(&store, &Selector { integrations: Some(Vec::new()), ..Selector::default() }, &[]).await;
    let some = vec![all[2].connection.id, ConnectionId(id()), all[2].connection.id];
    let some = Selector { connections: Some(some), ..Selector::default() };
    selects(&store, &some, &all[2..3]).await;
}

/// Checks both ways to read, each with a limit too.
async fn selects(store: &Arc<dyn Store>, selector: &Selector, expected: &[Held]) {
    let found = store.held(selector, 9).await.expect("read");
    assert_eq!(found, expected, "{selector:?}");
    let found = store.recently_held(selector, 9).await.expect("read");
    assert_eq!(found, expected, "{selector:?}");
    let found = store.held(selector, 1).await.expect("read");
    assert_eq!(found, expected[..expected.len().min(1)], "{selector:?}");
    let mut listed = Vec::new();
    while let [next] = &store
        .connections(selector, None, listed.last().map(|own: &Connection| own.id), 1)
        .await
        .expect("list")[..]
    {
        listed.push(next.clone());
    }
    let expected: Vec<_> = expected.iter().map(|held| held.connection.clone()).collect();
    assert_eq!(listed, expected, "{selector:?}");
}

async fn a_list_goes_on_after_an_id(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for place in 0..6 {
        let own = grant(&*store, "google", "ann").await.connection;
        if place % 2 == 0 {
            let set = store.set_status(own.id, 1, dead(), Recorded::default()).await;
            assert!(set.expect("set"));
        }
        ids.push(own.id);
    }
    let list = async |selector: Selector, status, after| {
        let found = store.connections(&selector, status, after, 2).await.expect("list");
        found.iter().map(|own| own.id).collect::<Vec<_>>()
    };
    let by_ids = Selector { connections: Some(ids.clone()), ..Selector::default() };
    for selector in [
        Selector::default(),
        selector(Some("google"), None, None),
        selector(None, Some("ann"), None),
        selector(Some("google"), Some("ann"), None),
        by_ids,
    ] {
        assert_eq!(list(selector.clone(), None, None).await, ids[..2]);
        assert_eq!(list(selector.clone(), None, Some(ids[2])).await, ids[3..5]);
        let dead = Some("reauth_required");
        assert_eq!(list(selector.clone(), dead, None).await, [ids[0], ids[2]]);
        assert_eq!(list(selector.clone(), dead, Some(ids[2])).await, [ids[4]]);
        assert_eq!(list(selector.clone(), Some("active"), Some(ids[2])).await, [ids[3], ids[5]]);
        assert_eq!(list(selector, Some("disconnecting"), None).await, []);
    }
}

async fn last_use_only_moves_on(store: Arc<dyn Store>) {
    let (one, two) = (grant(&*store, "a", "x").await, grant(&*store, "a", "y").await);
    let (one, two) = (one.connection.id, two.connection.id);
    let unknown = (ConnectionId(id()), NOW);
    store.touch_connections(&[(one, after(60)), unknown, (two, after(9))]).await.expect("touch");
    store.touch_connections(&[(one, after(59)), (two, after(10))]).await.expect("touch");
    let used = async |id| store.connection(id).await.expect("read").expect("is there").last_used_at;
    assert_eq!((used(one).await, used(two).await), (Some(after(60)), Some(after(10))));
}

async fn a_status_is_set_for_one_generation(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let set = async |generation, status: &ConnectionStatus, action| {
        store.set_status(own.id, generation, status.clone(), recorded(action)).await.expect("set")
    };
    let (dead, operator) = (dead(), reauth(ReauthReason::Operator));
    assert!(!set(2, &dead, "wrong").await);
    assert!(set(1, &dead, "dead").await);
    let read = async || store.connection(own.id).await.expect("read").expect("is there");
    assert_eq!((read().await.status, read().await.due_at), (dead, None));
    assert!(set(1, &operator, "again").await);
    assert_eq!(read().await.status, operator);
    assert!(set(1, &ConnectionStatus::Active, "active").await);
    let active = read().await;
    assert_eq!(active.status, ConnectionStatus::Active);
    assert_eq!(claimed(&store, NOW).await, [own.id], "is due at once");
    assert_eq!(written(&*store).await, ["dead", "again", "active"]);
    let unknown = store.set_status(ConnectionId(id()), 1, active.status, recorded("none")).await;
    assert!(!unknown.expect("set"));
}

async fn claimed(store: &Arc<dyn Store>, now: Timestamp) -> Vec<ConnectionId> {
    let due = store.claim_due(now, after(100_000), 9).await.expect("claim");
    due.iter().map(|own| own.id).collect()
}

async fn a_connection_that_is_given_back_is_served_no_more(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let id = own.connection.id;
    assert!(!store.remove_connection(id, recorded("too soon")).await.expect("remove"));
    let leaving = store.start_disconnect(id, &[], recorded("leaving"), after(50), after(5)).await;
    let leaving = leaving.expect("start").expect("is there");
    let connection = Connection {
        status: ConnectionStatus::Disconnecting { since: after(5) },
        due_at: Some(after(50)),
        ..own.connection.clone()
    };
    assert_eq!(leaving.held, Held { connection: connection.clone(), ..own });
    assert_eq!(leaving.siblings, 0);
    for selector in [only(id), selector(Some("google"), Some("ann"), None), Selector::default()] {
        assert_eq!(store.held(&selector, 9).await.expect("read"), []);
        let listed = store.connections(&selector, None, None, 9).await.expect("list");
        assert_eq!(listed, std::slice::from_ref(&connection));
    }
    let set = store.set_status(id, 1, ConnectionStatus::Active, recorded("back")).await;
    assert!(!set.expect("set"), "it is not taken back");
    assert_eq!(claimed(&store, after(49)).await, []);
    assert_eq!(claimed(&store, after(50)).await, [id]);
    let again = store
        .start_disconnect(id, &[], recorded("again"), after(60), after(9))
        .await
        .expect("start");
    let again = again.expect("is there").held.connection;
    assert_eq!((again.due_at, again.status), (Some(after(100_000)), connection.status));
    assert!(store.remove_connection(id, recorded("removed")).await.expect("remove"));
    assert_eq!(store.connection(id).await.expect("read"), None);
    assert_eq!(store.data_key_uses().await.expect("count"), []);
    let gone = store
        .start_disconnect(id, &[], recorded("gone"), after(60), after(9))
        .await
        .expect("start");
    assert_eq!(gone, None);
    assert_eq!(written(&*store).await, ["leaving", "removed"]);
}

async fn of_many_who_give_back_one_is_written_down_and_one_removes(store: Arc<dyn Store>) {
    let id = grant(&*store, "google", "ann").await.connection.id;
    let started = race(&store, |store, _| async move {
        store.start_disconnect(id, &[], recorded("leaving"), after(60), NOW).await.expect("start")
    });
    assert_eq!(count(&started.await, Option::is_some), 32);
    assert_eq!(written(&*store).await, ["leaving"]);
    let removed = race(&store, |store, _| async move {
        store.remove_connection(id, recorded("removed")).await.expect("remove")
    });
    assert_eq!(count(&removed.await, |removed| *removed), 1);
    assert_eq!(written(&*store).await, ["leaving", "removed"]);
}

async fn connections_of_one_account_are_siblings(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for (integration, subject, sub) in [
        ("google", "ann", "1"),
        ("google", "ann's robot", "1"),
        ("google_work", "ann", "1"),
        ("microsoft", "ann", "1"),
        ("google", "bob", "2"),
        ("google", "carol", "1"),
    ] {
        let mut own = held(integration, subject);
        own.connection.account.sub = sub.to_owned();
        ids.push(own.connection.id);
        assert_eq!(store_grant(&store, &own, None).await, Granted::Done);
    }
    let sharing = ["google".to_owned(), "google_work".to_owned()];
    let none = store.start_disconnect(ids[5], &[], Recorded::default(), NOW, NOW).await;
    assert_eq!(none.expect("start").expect("is there").siblings, 0, "without names there are none");
    for (place, siblings) in [(0, 2), (4, 0), (1, 1), (2, 0)] {
        let leaving =
            store.start_disconnect(ids[place], &sharing, Recorded::default(), after(60), NOW).await;
        let leaving = leaving.expect("start").expect("is there");
        assert_eq!(leaving.siblings, siblings, "those that leave too do not count");
    }
}

async fn a_connection_may_be_granted_again_while_it_is_given_back(store: Arc<dyn Store>) {
    let first = grant(&*store, "google", "ann").await;
    let id = first.connection.id;
    let leaving = store.start_disconnect(id, &[], Recorded::default(), after(60), NOW).await;
    assert!(leaving.expect("start").is_some());
    let next = granted_again(&first.connection);
    assert_eq!(store_grant(&store, &next, None).await, Granted::Changed, "it is there still");
    assert_eq!(store_grant(&store, &next, Some((1, 1))).await, Granted::Done);
    assert!(!store.remove_connection(id, Recorded::default()).await.expect("remove"));
    assert_eq!(read(&store, id).await, Some(next));
}

async fn connections_are_counted(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for integration in ["google", "google", "google", "github"] {
        ids.push(grant(&*store, integration, "ann").await.connection.id);
    }
    let set = store.set_status(ids[0], 1, dead(), Recorded::default()).await;
    assert!(set.expect("set"));
    let start =
        async |id| store.start_disconnect(id, &[], Recorded::default(), after(60), NOW).await;
    assert!(start(ids[1]).await.expect("start").is_some());
    let counted = async || {
        let counts = store.count_connections().await.expect("count");
        counts.into_iter().map(|(a, b, n)| format!("{a} {b} {n}")).collect::<Vec<_>>()
    };
    let all = [
        "github active 1",
        "google active 1",
        "google disconnecting 1",
        "google reauth_required 1",
    ];
    assert_eq!(counted().await, all);
    assert!(store.remove_connection(ids[1], Recorded::default()).await.expect("remove"));
    let set = store.set_status(ids[0], 1, ConnectionStatus::Active, Recorded::default()).await;
    assert!(set.expect("set"));
    assert_eq!(counted().await, ["github active 1", "google active 2"]);
}

async fn a_pause_is_kept_until_it_ends(store: Arc<dyn Store>) {
    let (one, mut two) = (pause("google"), pause("github"));
    for pause in [&one, &two] {
        store.pause_integration(pause.clone(), recorded("paused")).await.expect("pause");
    }
    (two.detail, two.next_at) = ("still".to_owned(), after(900));
    store.pause_integration(two.clone(), Recorded::default()).await.expect("pause");
    assert_eq!(store.pauses().await.expect("list"), [two, one.clone()]);
    assert!(store.resume_integration("github", recorded("resumed")).await.expect("resume"));
    assert!(!store.resume_integration("github", recorded("twice")).await.expect("resume"));
    assert_eq!(store.pauses().await.expect("list"), [one]);
    assert_eq!(written(&*store).await, ["paused", "paused", "resumed"]);
}
