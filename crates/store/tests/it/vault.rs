//! The vault on SQLite: two servers on one file, what stays in it, and what cannot be changed.

use std::sync::Arc;

use grantor_core::id::ConnectionId;
use grantor_core::model::RefreshAttempt;
use grantor_core::store::{
    AuditStore as _, Begun, ConnectionStore as _, Ended, Granted, Recorded, RefreshEnd,
};
use grantor_store::contract::audit::verified;
use grantor_store::contract::fixtures::{NOW, after};
use grantor_store::contract::vault_fixtures::{
    audit_event, grant, granted_again, only, recorded, refresh, renewed,
};
use grantor_store::sqlite::Sqlite;

use crate::scratch::Scratch;

/// Two servers, and what one of 32 tasks gets of its own.
fn servers(scratch: &Scratch) -> [Arc<Sqlite>; 2] {
    [scratch.open(), scratch.open()]
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_two_servers_add_are_one_chain() {
    let scratch = Scratch::new();
    let servers = servers(&scratch);
    let tasks = (0..32).map(|place| {
        let server = Arc::clone(&servers[place % 2]);
        tokio::spawn(async move {
            for _ in 0..5 {
                let events = vec![audit_event("a"), audit_event("b")];
                server.append_audit(events).await.expect("append");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("a task panicked");
    }
    for server in &servers {
        assert_eq!(verified(&**server).await.len(), 320);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_refreshes() {
    let scratch = Scratch::new();
    let [one, two] = servers(&scratch);
    let own = grant(&*one, "google", "ann").await;
    let tasks = (0..32).map(|place| {
        let server = Arc::clone([&one, &two][place % 2]);
        let attempt = refresh(&own.connection);
        tokio::spawn(async move { server.begin_refresh(attempt, NOW).await.expect("begin") })
    });
    let mut winners = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("a task panicked") {
            Begun::Yes(attempt) => winners.push(attempt),
            other => assert_eq!(other, Begun::Busy { until: after(60) }),
        }
    }
    let [winner] = winners.try_into().expect("one has the lease");

    // The first one is slow; the second takes over, and hears that the first has answered after all.
    let extended = two.extend_refresh(own.connection.id, winner.id, after(70), after(50)).await;
    assert!(extended.expect("extend"), "whoever knows the attempt has the lease");
    let next = RefreshAttempt { until: after(200), ..refresh(&own.connection) };
    let taken = two.begin_refresh(next.clone(), after(70)).await.expect("begin");
    assert!(matches!(taken, Begun::Yes(attempt) if attempt.again));
    let answer = renewed(&own);
    let end = RefreshEnd::Renewed(Box::new(answer.clone()));
    let ended = one.end_refresh(&winner, end, recorded("late"), after(71)).await;
    assert_eq!(ended.expect("end"), Ended::Done);
    let end = RefreshEnd::Renewed(Box::new(renewed(&own)));
    let ended = two.end_refresh(&next, end, recorded("lost"), after(72)).await;
    assert_eq!(ended.expect("end"), Ended::Overtaken);
    let read = two.held(&only(own.connection.id), 9).await.expect("read");
    assert_eq!(read, [answer]);
}

#[tokio::test]
async fn an_entry_cannot_be_changed_or_removed() {
    let scratch = Scratch::new();
    let store = scratch.open();
    store.append_audit(vec![audit_event("a"), audit_event("b")]).await.expect("append");
    let shell = scratch.shell();
    for (statement, told) in [
        ("UPDATE audit_event SET actor = 'nobody' WHERE sequence = 1", "cannot be changed"),
        ("DELETE FROM audit_event WHERE sequence = 2", "cannot be removed"),
        ("DELETE FROM audit_event", "cannot be removed"),
        ("INSERT OR REPLACE INTO audit_event SELECT 1, id, at, action, actor, target, details, mac,
            hash FROM audit_event WHERE sequence = 2", "comes after the last"),
        ("INSERT INTO audit_event SELECT 4, id, at, action, actor, target, details, mac, hash
            FROM audit_event WHERE sequence = 2", "comes after the last"),
    ] {
        let refused = shell.execute(statement, ()).expect_err(statement).to_string();
        assert!(refused.contains("the audit log is only added to"), "{refused}");
        assert!(refused.contains(told), "{refused}");
    }
    assert_eq!(verified(&*store).await.len(), 2);
}

/// Whether `needle` is anywhere in the database or its log.
fn found(scratch: &Scratch, needle: &[u8]) -> bool {
    ["", "-wal"].iter().any(|end| {
        let path = format!("{}{end}", scratch.path().display());
        let file = std::fs::read(path).unwrap_or_default();
        file.windows(needle.len()).any(|window| window == needle)
    })
}

/// Rows are made, grow, shrink and are replaced, so that SQLite moves them between pages.
async fn worn(store: &Sqlite, place: usize) -> (ConnectionId, Vec<Vec<u8>>) {
    let own = grant(store, "google", &format!("user-{place}")).await;
    let mut next = renewed(&own);
    next.credential.access_token = vec![7; place * 7919 % 3_000];
    let attempt = refresh(&own.connection);
    store.begin_refresh(attempt.clone(), NOW).await.expect("begin");
    let end = RefreshEnd::Renewed(Box::new(next.clone()));
    let ended = store.end_refresh(&attempt, end, Recorded::default(), NOW).await;
    assert_eq!(ended.expect("end"), Ended::Done);
    let mut keys = vec![own.credential.data_key];
    if place.is_multiple_of(3) {
        let again = granted_again(&next.connection);
        keys.push(again.credential.data_key.clone());
        let stored = store.store_grant(again, Some((1, 2)), None, Recorded::default(), NOW).await;
        assert_eq!(stored.expect("store"), Granted::Done);
    }
    (own.connection.id, keys)
}

#[tokio::test]
async fn nothing_is_left_of_the_data_key_of_a_removed_connection() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut all = Vec::new();
    for place in 0..60 {
        all.push(worn(&store, place).await);
    }
    assert!(found(&scratch, all[1].1.last().expect("has one")), "what is in use is there");
    let (kept, removed): (Vec<_>, Vec<_>) =
        all.into_iter().enumerate().partition(|(place, _)| place.is_multiple_of(5));
    for (_, (id, _)) in &removed {
        let leaving = store.start_disconnect(*id, &[], Recorded::default(), NOW, NOW).await;
        assert!(leaving.expect("start").is_some());
        assert!(store.remove_connection(*id, Recorded::default()).await.expect("remove"));
    }
    store.close();
    let keys: Vec<_> = removed.into_iter().flat_map(|(_, (_, keys))| keys).collect();
    let left = keys.iter().filter(|key| found(&scratch, key)).count();
    assert_eq!((keys.len(), left), (64, 0), "data keys that are in the file still");
    assert!(kept.iter().all(|(_, (_, keys))| found(&scratch, keys.last().expect("has one"))));
}
