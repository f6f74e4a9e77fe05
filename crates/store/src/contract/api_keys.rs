//! Rules of `ApiKeyStore`.

use std::sync::Arc;

use grantor_core::model::{ApiKey, ApiKeyRights, PreviousSecret};
use grantor_core::store::{Added, Recorded, Store};

use super::fixtures::{NOW, after, digest};
use super::vault_fixtures::{api_key, recorded, written};
use super::{count, race, rules};

rules![
    a_key_reads_back,
    of_many_with_one_id_one_is_added,
    keys_are_listed_in_the_order_of_their_making,
    a_key_is_replaced_if_it_is_what_was_read,
    of_many_who_replace_a_key_one_does,
    last_use_only_moves_on,
];

async fn added(store: &Arc<dyn Store>, key: &ApiKey) {
    let added = store.add_api_key(key.clone(), Recorded::default()).await;
    assert_eq!(added.expect("add"), Added::Done);
}

async fn read(store: &Arc<dyn Store>, id: &str) -> Option<ApiKey> {
    store.api_key(id).await.expect("read").map(|key| (*key).clone())
}

async fn a_key_reads_back(store: Arc<dyn Store>) {
    let full = api_key("ab12cd34");
    let used =
        ApiKey { revoked_at: Some(after(9)), last_used_at: Some(after(8)), ..api_key("ab12cd35") };
    let bare = ApiKey {
        previous: None,
        rights: ApiKeyRights::default(),
        expires_at: None,
        ..api_key("AB12CD34")
    };
    for key in [&full, &used, &bare] {
        added(&store, key).await;
        assert_eq!(read(&store, &key.id).await.as_ref(), Some(key));
    }
    assert_eq!(read(&store, "ab12cd36").await, None);
}

async fn of_many_with_one_id_one_is_added(store: Arc<dyn Store>) {
    let added = race(&store, |store, _| async move {
        let key = api_key("ab12cd34");
        (store.add_api_key(key.clone(), recorded("created")).await.expect("add"), key)
    });
    let added = added.await;
    assert_eq!(count(&added, |one| one.0 == Added::Done), 1);
    assert_eq!(count(&added, |one| one.0 == Added::Exists), 31);
    let winner = added.into_iter().find(|one| one.0 == Added::Done).map(|one| one.1);
    assert_eq!(read(&store, "ab12cd34").await, winner);
    assert_eq!(written(&*store).await, ["created"]);
}

async fn keys_are_listed_in_the_order_of_their_making(store: Arc<dyn Store>) {
    let keys = ["c", "a", "b"].map(|name| {
        let made = u32::from(name == "a");
        ApiKey { created_at: after(made), ..api_key(name) }
    });
    for key in &keys {
        added(&store, key).await;
    }
    let listed = store.api_keys().await.expect("list");
    let ids: Vec<_> = listed.iter().map(|key| &*key.id).collect();
    assert_eq!(ids, ["b", "c", "a"]);
    while store.sweep(after(1_000_000), 100).await.expect("sweep") > 0 {}
    assert_eq!(store.api_keys().await.expect("list"), listed, "the audit log names them");
}

async fn a_key_is_replaced_if_it_is_what_was_read(store: Arc<dyn Store>) {
    let first = api_key("ab12cd34");
    added(&store, &first).await;
    let rotated = ApiKey {
        service: "post robot".to_owned(),
        digest: digest(),
        previous: Some(PreviousSecret { digest: first.digest, until: after(90) }),
        rights: ApiKeyRights::default(),
        expires_at: None,
        revoked_at: Some(after(9)),
        ..first.clone()
    };
    let replace = async |before: &ApiKey, action| {
        store.replace_api_key(before, rotated.clone(), recorded(action)).await.expect("replace")
    };
    assert!(!replace(&rotated, "stale").await);
    assert!(!replace(&api_key("ab12cd35"), "unknown").await);
    // That it is used does not get in the way, and is kept.
    store.touch_api_keys(&[(first.id.clone(), after(5))]).await.expect("touch");
    assert!(replace(&first, "rotated").await);
    assert_eq!(read(&store, &first.id).await.map(|key| key.digest), Some(rotated.digest));
    let expected = ApiKey { last_used_at: Some(after(5)), ..rotated.clone() };
    assert_eq!(store.api_keys().await.expect("list"), [expected]);
    assert!(!replace(&first, "twice").await);
    assert_eq!(written(&*store).await, ["rotated"]);
}

async fn of_many_who_replace_a_key_one_does(store: Arc<dyn Store>) {
    let first = api_key("ab12cd34");
    added(&store, &first).await;
    let replaced = race(&store, |store, _| {
        let before = first.clone();
        async move {
            let after = ApiKey { digest: digest(), previous: None, ..before.clone() };
            let done = store.replace_api_key(&before, after.clone(), recorded("rotated")).await;
            (done.expect("replace"), after)
        }
    });
    let replaced = replaced.await;
    assert_eq!(count(&replaced, |one| one.0), 1);
    let winner = replaced.into_iter().find(|one| one.0).map(|one| one.1);
    assert_eq!(read(&store, "ab12cd34").await, winner);
    assert_eq!(written(&*store).await, ["rotated"]);
}

async fn last_use_only_moves_on(store: Arc<dyn Store>) {
    for key in ["a", "b"] {
        added(&store, &api_key(key)).await;
    }
    let use_at = |a, b| [("a".to_owned(), a), ("gone".to_owned(), NOW), ("b".to_owned(), b)];
    store.touch_api_keys(&use_at(after(60), after(9))).await.expect("touch");
    store.touch_api_keys(&use_at(after(59), after(10))).await.expect("touch");
    let mut keys = store.api_keys().await.expect("list");
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    let used: Vec<_> = keys.iter().map(|key| key.last_used_at).collect();
    assert_eq!(used, [Some(after(60)), Some(after(10))]);
}
