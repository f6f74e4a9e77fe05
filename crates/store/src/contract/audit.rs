//! Rules of `AuditStore`.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::model::{AuditEntry, AuditEvent};
use grantor_core::store::Store;

use super::vault_fixtures::audit_event;
use super::{race, rules};

rules![
    entries_read_back_in_their_order,
    a_part_is_read_after_a_sequence_number,
    entries_of_many_at_once_have_no_gap,
];

/// All entries, after their chain was checked.
pub async fn verified(store: &dyn Store) -> Vec<AuditEntry> {
    let entries = store.audit(0, u32::MAX).await.expect("read");
    let (mut sequence, mut hash) = (0, [0; 32]);
    for entry in &entries {
        sequence += 1;
        hash = AuditEntry::hash_of(&hash, sequence, &entry.event.mac);
        assert_eq!((entry.sequence, entry.hash), (sequence, hash), "{entry:?}");
    }
    assert_eq!(store.last_audit().await.expect("read").as_ref(), entries.last());
    entries
}

async fn entries_read_back_in_their_order(store: Arc<dyn Store>) {
    assert_eq!(verified(&*store).await, []);
    let first = vec![audit_event("a"), audit_event("b")];
    let second = vec![AuditEvent { target: String::new(), ..audit_event("c") }];
    store.append_audit(first.clone()).await.expect("append");
    store.append_audit(Vec::new()).await.expect("append nothing");
    store.append_audit(second.clone()).await.expect("append");
    let read: Vec<_> = verified(&*store).await.into_iter().map(|entry| entry.event).collect();
    assert_eq!(read, [first, second].concat());
}

async fn a_part_is_read_after_a_sequence_number(store: Arc<dyn Store>) {
    let events: Vec<_> = ["a", "b", "c", "d"].map(audit_event).into();
    store.append_audit(events.clone()).await.expect("append");
    let part = async |after, limit| {
        let entries = store.audit(after, limit).await.expect("read");
        entries.into_iter().map(|entry| entry.event.action).collect::<String>()
    };
    assert_eq!(part(0, 2).await, "ab");
    assert_eq!(part(2, 1).await, "c");
    assert_eq!(part(2, 9).await, "cd");
    assert_eq!(part(4, 9).await + &part(u64::MAX, 9).await, "");
}

async fn entries_of_many_at_once_have_no_gap(store: Arc<dyn Store>) {
    let appended = race(&store, |store, place| async move {
        let events = vec![audit_event(&format!("{place}")), audit_event(&format!("{place}"))];
        store.append_audit(events.clone()).await.expect("append");
        events
    });
    let appended = appended.await;
    let read: Vec<_> = verified(&*store).await.into_iter().map(|entry| entry.event).collect();
    assert_eq!(read.len(), 64);
    for pair in read.chunks(2) {
        assert_eq!(pair[0].action, pair[1].action, "those of one caller are together");
    }
    let ids: HashSet<_> = read.iter().map(|event| event.id).collect();
    assert!(appended.iter().flatten().all(|event| ids.contains(&event.id)));
}
