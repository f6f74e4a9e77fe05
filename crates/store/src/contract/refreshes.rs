//! Rules of `ConnectionStore`: refreshes, their leases, what is due, and data keys.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::id::{ConnectionId, RefreshId};
use grantor_core::model::{Connection, ConnectionStatus, ReauthReason, RefreshAttempt};
use grantor_core::store::{
    Begun, Ended, Granted, Held, Recorded, RefreshEnd, Store, WrappedDataKey,
};
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, id};
use super::vault_fixtures::{
    dead, grant, granted_again, held, only, reauth, recorded, refresh, renewed, trouble, wrapped,
    written,
};
use super::{count, race, rules};

rules![
    of_many_who_begin_one_refreshes,
    a_refresh_is_of_what_was_read,
    who_gives_a_connection_back_is_told_of_a_refresh,
    a_lease_that_ran_out_is_taken_over,
    a_lease_is_extended_by_who_has_it,
    what_a_refresh_brings_is_stored,
    of_many_who_end_a_refresh_one_stores,
    a_rotated_token_is_stored_without_the_lease,
    a_failure_is_stored_only_by_who_began_last,
    a_failure_frees_the_connection,
    an_unknown_outcome_is_remembered,
    a_failure_does_not_tell_what_became_of_an_earlier_attempt,
    a_reconnect_overtakes_a_refresh,
    what_was_said_meanwhile_stays,
    what_a_refresh_learns_of_an_account_is_stored,
    what_is_due_is_given_to_one,
    what_is_being_refreshed_is_not_due,
    what_is_put_off_is_due_later_unless_it_changed,
    data_keys_are_wrapped_anew,
    of_many_who_wrap_anew_one_does,
    a_refresh_keeps_a_data_key_that_was_wrapped_anew,
];

async fn begin(store: &Arc<dyn Store>, attempt: &RefreshAttempt, now: Timestamp) -> Begun {
    store.begin_refresh(attempt.clone(), now).await.expect("begin")
}

/// Begins a refresh, of which nobody is in the way, and says whether it is made again.
async fn begun(store: &Arc<dyn Store>, attempt: &RefreshAttempt, now: Timestamp) -> bool {
    let begun = begin(store, attempt, now).await;
    let Begun::Yes(begun) = begun else { panic!("not begun: {begun:?}") };
    assert_eq!(begun, RefreshAttempt { again: begun.again, ..attempt.clone() });
    begun.again
}

async fn end(
    store: &Arc<dyn Store>,
    attempt: &RefreshAttempt,
    end: RefreshEnd,
    now: Timestamp,
) -> Ended {
    store.end_refresh(attempt, end, recorded("ended"), now).await.expect("end")
}

async fn read(store: &Arc<dyn Store>, id: ConnectionId) -> Held {
    let held = store.held(&only(id), 1).await.expect("read");
    assert_eq!(store.recently_held(&only(id), 1).await.expect("read"), held);
    held.into_iter().next().expect("is there")
}

/// What a refresh says that has failed.
fn failed(connection: &Connection) -> Box<Connection> {
    let due_at = Some(after(20));
    Box::new(Connection { trouble: Some(trouble()), due_at, ..connection.clone() })
}

async fn of_many_who_begin_one_refreshes(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let begun = race(&store, |store, _| {
        let attempt = refresh(&own);
        async move { begin(&store, &attempt, NOW).await }
    });
    let begun = begun.await;
    assert_eq!(count(&begun, |begun| matches!(begun, Begun::Yes(attempt) if !attempt.again)), 1);
    assert_eq!(count(&begun, |begun| *begun == Begun::Busy { until: after(60) }), 31);
}

async fn a_refresh_is_of_what_was_read(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let attempt = refresh(&own);
    for other in [
        RefreshAttempt { generation: 2, ..attempt.clone() },
        RefreshAttempt { version: 2, ..attempt.clone() },
    ] {
        assert_eq!(begin(&store, &other, NOW).await, Begun::Changed);
    }
    let unknown = refresh(&held("google", "ann").connection);
    assert_eq!(begin(&store, &unknown, NOW).await, Begun::Gone);
    let leaving = store.start_disconnect(own.id, &[], Recorded::default(), after(60), NOW).await;
    assert!(leaving.expect("start").is_some());
    assert!(!begun(&store, &attempt, NOW).await, "a living token may be needed to revoke");
    let next = renewed(&Held { connection: own.clone(), ..read_leaving(&store, own.id).await });
    assert_eq!(end(&store, &attempt, RefreshEnd::Renewed(Box::new(next)), NOW).await, Ended::Done);
    let after = read_leaving(&store, own.id).await.connection;
    assert_eq!((after.version, after.status), (2, ConnectionStatus::Disconnecting { since: NOW }));
}

/// A connection that is being given back, with its tokens.
async fn read_leaving(store: &Arc<dyn Store>, id: ConnectionId) -> Held {
    let leaving = store.start_disconnect(id, &[], Recorded::default(), NOW, NOW).await;
    leaving.expect("start").expect("is there").held
}

async fn who_gives_a_connection_back_is_told_of_a_refresh(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    assert!(!begun(&store, &refresh(&own), NOW).await);
    let until = refresh(&own).until;
    for (at, wanted) in [(NOW, Some(until)), (until, None)] {
        let leaving = store.start_disconnect(own.id, &[], Recorded::default(), at, at).await;
        assert_eq!(leaving.expect("start").expect("is there").refreshing_until, wanted);
    }
}

async fn a_lease_that_ran_out_is_taken_over(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    assert!(!begun(&store, &refresh(&own), NOW).await);
    let later = RefreshAttempt { started_at: after(60), until: after(120), ..refresh(&own) };
    assert_eq!(begin(&store, &later, after(59)).await, Begun::Busy { until: after(60) });
    let taken = race(&store, |store, _| {
        let rival = RefreshAttempt { id: RefreshId(id()), ..later.clone() };
        async move { begin(&store, &rival, after(60)).await }
    });
    let taken = taken.await;
    assert_eq!(count(&taken, |begun| matches!(begun, Begun::Yes(attempt) if attempt.again)), 1);
    assert_eq!(count(&taken, |begun| *begun == Begun::Busy { until: after(120) }), 31);
}

async fn a_lease_is_extended_by_who_has_it(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let (first, second) = (refresh(&own), RefreshAttempt { until: after(200), ..refresh(&own) });
    let extend = async |attempt: &RefreshAttempt, until, now| {
        store.extend_refresh(own.id, attempt.id, until, now).await.expect("extend")
    };
    assert!(!extend(&first, after(90), NOW).await, "nobody has it");
    assert!(!begun(&store, &first, NOW).await);
    assert!(extend(&first, after(90), after(59)).await);
    assert!(!extend(&second, after(300), after(59)).await);
    assert_eq!(begin(&store, &second, after(89)).await, Begun::Busy { until: after(90) });
    assert!(!extend(&first, after(300), after(90)).await, "it ran out");
    assert!(begun(&store, &second, after(90)).await);
    assert!(!extend(&first, after(300), after(91)).await, "somebody else has it");
    assert!(extend(&second, after(300), after(91)).await);
}

async fn what_a_refresh_brings_is_stored(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    store.touch_connections(&[(own.connection.id, after(5))]).await.expect("touch");
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let mut next = renewed(&own);
    let done = end(&store, &attempt, RefreshEnd::Renewed(Box::new(next.clone())), NOW).await;
    assert_eq!(done, Ended::Done);
    next.connection.last_used_at = Some(after(5));
    assert_eq!(read(&store, own.connection.id).await, next);
    assert_eq!(written(&*store).await, ["ended"]);
    assert_eq!(begin(&store, &attempt, NOW).await, Begun::Changed);
    assert!(
        !begun(&store, &refresh(&next.connection), NOW).await,
        "the next is the first of its own"
    );
}

async fn of_many_who_end_a_refresh_one_stores(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let ended = race(&store, |store, _| {
        let (attempt, next) = (attempt.clone(), renewed(&own));
        async move {
            let renewed = RefreshEnd::Renewed(Box::new(next.clone()));
            (end(&store, &attempt, renewed, NOW).await, next)
        }
    });
    let ended = ended.await;
    assert_eq!(count(&ended, |one| one.0 == Ended::Done), 1);
    assert_eq!(count(&ended, |one| one.0 == Ended::Overtaken), 31);
    let winner = ended.into_iter().find(|one| one.0 == Ended::Done).map(|one| one.1);
    assert_eq!(Some(read(&store, own.connection.id).await), winner);
    assert_eq!(written(&*store).await, ["ended"]);
}

async fn a_rotated_token_is_stored_without_the_lease(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let (slow, quick) = (
        refresh(&own.connection),
        RefreshAttempt { until: after(200), ..refresh(&own.connection) },
    );
    assert!(!begun(&store, &slow, NOW).await);
    assert!(begun(&store, &quick, after(60)).await);
    let (late, lost) = (renewed(&own), renewed(&own));
    let stored = end(&store, &slow, RefreshEnd::Renewed(Box::new(late.clone())), after(61)).await;
    assert_eq!(stored, Ended::Done, "nobody has stored another version");
    let second = end(&store, &quick, RefreshEnd::Renewed(Box::new(lost)), after(62)).await;
    assert_eq!(second, Ended::Overtaken);
    assert_eq!(read(&store, own.connection.id).await, late);
    let extended = store.extend_refresh(own.connection.id, quick.id, after(300), after(62)).await;
    assert!(!extended.expect("extend"), "there is nothing left to refresh");
    assert!(!begun(&store, &refresh(&late.connection), after(62)).await);
}

async fn a_failure_is_stored_only_by_who_began_last(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let (first, second) = (refresh(&own), RefreshAttempt { until: after(200), ..refresh(&own) });
    let fails = || RefreshEnd::Failed(failed(&own));
    assert_eq!(end(&store, &first, fails(), NOW).await, Ended::Overtaken, "it was never begun");
    assert!(!begun(&store, &first, NOW).await);
    assert!(begun(&store, &second, after(60)).await);
    for stale in [fails(), RefreshEnd::Unknown(failed(&own))] {
        assert_eq!(end(&store, &first, stale, after(61)).await, Ended::Overtaken);
    }
    let over = Connection { status: dead(), due_at: None, ..own.clone() };
    let ended = end(&store, &second, RefreshEnd::Failed(Box::new(over.clone())), after(62)).await;
    assert_eq!(ended, Ended::Done);
    assert_eq!(end(&store, &first, fails(), after(63)).await, Ended::Overtaken);
    assert_eq!(read(&store, own.id).await.connection, over);
    assert_eq!(written(&*store).await, ["ended"]);
}

async fn a_failure_frees_the_connection(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let attempt = refresh(&own);
    assert!(!begun(&store, &attempt, NOW).await);
    // The time of the lease is over, but nobody else has begun.
    let ended = end(&store, &attempt, RefreshEnd::Failed(failed(&own)), after(70)).await;
    assert_eq!(ended, Ended::Done);
    assert_eq!(read(&store, own.id).await.connection, *failed(&own));
    assert!(!begun(&store, &refresh(&own), NOW).await, "the refresh token was not used up");
}

async fn an_unknown_outcome_is_remembered(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let unknown = RefreshEnd::Unknown(failed(&own.connection));
    assert_eq!(end(&store, &attempt, unknown, after(5)).await, Ended::Done);
    assert_eq!(read(&store, own.connection.id).await.connection, *failed(&own.connection));
    let second = refresh(&own.connection);
    assert!(begun(&store, &second, after(5)).await, "at once, and known to be made again");
    let next = renewed(&own);
    let ended = end(&store, &second, RefreshEnd::Renewed(Box::new(next.clone())), after(6)).await;
    assert_eq!(ended, Ended::Done);
    assert!(!begun(&store, &refresh(&next.connection), after(6)).await);
}

async fn a_failure_does_not_tell_what_became_of_an_earlier_attempt(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    assert!(!begun(&store, &refresh(&own), NOW).await);
    let second = RefreshAttempt { until: after(200), ..refresh(&own) };
    assert!(begun(&store, &second, after(60)).await);
    let ended = end(&store, &second, RefreshEnd::Failed(failed(&own)), after(61)).await;
    assert_eq!(ended, Ended::Done);
    assert!(begun(&store, &refresh(&own), after(61)).await, "the first may have used it up");
}

async fn a_reconnect_overtakes_a_refresh(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let next = granted_again(&own.connection);
    let stored =
        store.store_grant(next.clone(), Some((1, 1)), None, Recorded::default(), NOW).await;
    assert_eq!(stored.expect("store"), Granted::Done);
    for late in [
        RefreshEnd::Renewed(Box::new(renewed(&own))),
        RefreshEnd::Failed(failed(&own.connection)),
        RefreshEnd::Unknown(failed(&own.connection)),
    ] {
        assert_eq!(end(&store, &attempt, late, NOW).await, Ended::Overtaken);
    }
    assert_eq!(read(&store, own.connection.id).await, next);
    assert!(!begun(&store, &refresh(&next.connection), NOW).await, "nobody has the new lease");
    assert_eq!(written(&*store).await, [""; 0]);
}

async fn what_was_said_meanwhile_stays(store: Arc<dyn Store>) {
    let by_operator = reauth(ReauthReason::Operator);
    for (said, stays) in [
        (by_operator, true),
        (dead(), false), // by another refresh, which was wrong
        (ConnectionStatus::Disconnecting { since: after(7) }, true),
    ] {
        let own = grant(&*store, "google", "ann").await;
        let connection = own.connection.id;
        let attempt = refresh(&own.connection);
        assert!(!begun(&store, &attempt, NOW).await);
        if matches!(said, ConnectionStatus::Disconnecting { .. }) {
            let leaving = store
                .start_disconnect(connection, &[], Recorded::default(), after(60), after(7))
                .await;
            assert!(leaving.expect("start").is_some());
        } else {
            let set = store.set_status(connection, 1, said.clone(), Recorded::default()).await;
            assert!(set.expect("set"));
        }
        let before = store.connection(connection).await.expect("read").expect("is there");
        let next = renewed(&own);
        let ended = end(&store, &attempt, RefreshEnd::Renewed(Box::new(next.clone())), NOW).await;
        assert_eq!(ended, Ended::Done, "the tokens are kept whatever was said");
        let read = store.connection(connection).await.expect("read").expect("is there");
        let mut expected = next.connection;
        if stays {
            (expected.status, expected.due_at) = (said.clone(), before.due_at);
        }
        assert_eq!(read, expected);
        if matches!(said, ConnectionStatus::Disconnecting { .. }) {
            let leaving =
                store.start_disconnect(connection, &[], Recorded::default(), after(60), NOW).await;
            let leaving = leaving.expect("start").expect("is there");
            assert_eq!(leaving.held.credential, next.credential, "what is revoked is the newest");
        }
    }
}

async fn what_a_refresh_learns_of_an_account_is_stored(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let mut next = renewed(&own);
    next.connection.account.email = Some("ann@new.example".to_owned());
    next.connection.account.organization = None;
    let ended = end(&store, &attempt, RefreshEnd::Renewed(Box::new(next.clone())), NOW).await;
    assert_eq!(ended, Ended::Done);
    assert_eq!(read(&store, own.connection.id).await, next);
}

async fn what_is_due_is_given_to_one(store: Arc<dyn Store>) {
    for place in 0..40 {
        let mut own = held("google", "ann");
        own.connection.due_at = Some(after(place));
        let stored = store.store_grant(own, None, None, Recorded::default(), NOW).await;
        assert_eq!(stored.expect("store"), Granted::Done);
    }
    let mut never = held("google", "ann");
    never.connection.due_at = None;
    let stored = store.store_grant(never, None, None, Recorded::default(), NOW).await;
    assert_eq!(stored.expect("store"), Granted::Done);
    let claim = async |now, limit| store.claim_due(now, after(900), limit).await.expect("claim");
    let first = claim(NOW, 9).await;
    assert_eq!(first.len(), 1);
    let stored = store.connection(first[0].id).await.expect("read").expect("is there");
    assert_eq!((first[0].due_at, stored.due_at), (Some(NOW), Some(after(900))));
    assert_eq!(Connection { due_at: Some(NOW), ..stored }, first[0], "as it was");
    assert_eq!(claim(NOW, 9).await, []);
    let claimed = race(&store, |store, _| async move {
        store.claim_due(after(39), after(900), 2).await.expect("claim")
    });
    let claimed = claimed.await;
    assert!(claimed.iter().all(|some| some.len() <= 2), "no more than asked for");
    let ids: Vec<_> = claimed.iter().flatten().map(|own| own.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "one was given twice");
    assert_eq!(ids.len(), 39);
    assert_eq!(claim(after(899), 90).await, []);
    assert_eq!(claim(after(900), 90).await.len(), 40);
}

async fn what_is_being_refreshed_is_not_due(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await.connection;
    let attempt = RefreshAttempt { until: after(3_060), ..refresh(&own) };
    assert!(!begun(&store, &attempt, after(3_000)).await);
    let claim = async |now| store.claim_due(now, after(9_000), 9).await.expect("claim").len();
    assert_eq!(claim(after(3_059)).await, 0);
    assert_eq!(claim(after(3_060)).await, 1);
}

async fn what_is_put_off_is_due_later_unless_it_changed(store: Arc<dyn Store>) {
    let [off, never, changed, dead, leaving] = [(); 5].map(|()| held("google", "ann"));
    for own in [&off, &never, &changed, &dead, &leaving] {
        let stored = store.store_grant(own.clone(), None, None, Recorded::default(), NOW).await;
        assert_eq!(stored.expect("store"), Granted::Done);
    }
    let [off, never, changed, dead, leaving] =
        [off, never, changed, dead, leaving].map(|own| own.connection);
    let over = reauth(ReauthReason::GrantDead);
    assert!(store.set_status(dead.id, 1, over, Recorded::default()).await.expect("set"));
    let started =
        store.start_disconnect(leaving.id, &[], Recorded::default(), after(60), after(7)).await;
    assert!(started.expect("start").is_some());
    let looks = vec![
        (off.id, off.version, Some(after(50))),
        (never.id, never.version, None),
        (changed.id, changed.version + 1, Some(after(50))),
        (dead.id, dead.version, Some(after(50))),
        (leaving.id, leaving.version, Some(after(50))),
    ];
    store.put_off(looks, recorded("told")).await.expect("put off");
    let due = async |id| store.connection(id).await.expect("read").expect("is there").due_at;
    assert_eq!(due(off.id).await, Some(after(50)));
    assert_eq!(due(never.id).await, None);
    assert_eq!(due(changed.id).await, changed.due_at, "of another version");
    assert_eq!(due(dead.id).await, None);
    assert_eq!(due(leaving.id).await, Some(after(50)));
    assert_eq!(written(&*store).await, ["told"]);
}

async fn data_keys_are_wrapped_anew(store: Arc<dyn Store>) {
    let mut all = Vec::new();
    for key_id in [[1; 8], [2; 8], [1; 8], [3; 8], [2; 8]] {
        let mut own = held("google", "ann");
        own.credential.data_key = wrapped(key_id);
        all.push(WrappedDataKey {
            connection: own.connection.id,
            integration: "google".to_owned(),
            data_key: own.credential.data_key.clone(),
        });
        let stored = store.store_grant(own, None, None, Recorded::default(), NOW).await;
        assert_eq!(stored.expect("store"), Granted::Done);
    }
    let uses = async || store.data_key_uses().await.expect("count");
    assert_eq!(uses().await, [([1; 8], 2), ([2; 8], 2), ([3; 8], 1)]);
    let others = async |key_id: u8, after, limit| {
        store.data_keys_not_under(&[key_id; 8], after, limit).await.expect("list")
    };
    assert_eq!(others(2, None, 9).await, [all[0].clone(), all[2].clone(), all[3].clone()]);
    assert_eq!(others(3, None, 2).await, all[..2]);
    assert_eq!(others(3, Some(all[1].connection), 9).await, [all[2].clone(), all[4].clone()]);
    assert_eq!(others(9, None, 9).await, all);

    let anew: Vec<_> =
        others(2, None, 9).await.into_iter().map(|key| (key, wrapped([2; 8]))).collect();
    let mut stale = anew[0].clone();
    stale.0.data_key = wrapped([1; 8]);
    assert_eq!(store.rewrap(vec![stale]).await.expect("rewrap"), 0, "it is not what was read");
    assert_eq!(store.rewrap(anew.clone()).await.expect("rewrap"), 3);
    assert_eq!(uses().await, [([2; 8], 5)]);
    assert_eq!(others(2, None, 9).await, []);
    for (key, data_key) in anew {
        assert_eq!(read(&store, key.connection).await.credential.data_key, data_key);
    }
}

async fn of_many_who_wrap_anew_one_does(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let key = WrappedDataKey {
        connection: own.connection.id,
        integration: "google".to_owned(),
        data_key: own.credential.data_key,
    };
    let rewrapped = race(&store, |store, _| {
        let anew = vec![(key.clone(), wrapped([2; 8]))];
        async move { store.rewrap(anew).await.expect("rewrap") }
    });
    assert_eq!(rewrapped.await.iter().sum::<u32>(), 1);
}

async fn a_refresh_keeps_a_data_key_that_was_wrapped_anew(store: Arc<dyn Store>) {
    let own = grant(&*store, "google", "ann").await;
    let attempt = refresh(&own.connection);
    assert!(!begun(&store, &attempt, NOW).await);
    let key = store.data_keys_not_under(&[2; 8], None, 1).await.expect("list").remove(0);
    let anew = wrapped([2; 8]);
    assert_eq!(store.rewrap(vec![(key, anew.clone())]).await.expect("rewrap"), 1);
    let ended = end(&store, &attempt, RefreshEnd::Renewed(Box::new(renewed(&own))), NOW).await;
    assert_eq!(ended, Ended::Done);
    assert_eq!(read(&store, own.connection.id).await.credential.data_key, anew);
    assert_eq!(store.data_key_uses().await.expect("count"), [([2; 8], 1)]);
}
