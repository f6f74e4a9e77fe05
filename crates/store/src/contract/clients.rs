//! Rules of `ClientStore`.

use std::sync::Arc;

use grantor_core::model::{AuthMethod, Client, ClientSecret, RefreshPolicy};
use grantor_core::store::{Added, Redeemed, Rotated, Store};

use super::fixtures::{NOW, after, answer, client, code, consent, digest};
use super::tokens::{granted, rotation};
use super::{count, race, rules};

rules![
    a_client_reads_back_as_it_was_added,
    a_secret_reads_back_in_each_form,
    an_id_is_given_once,
    a_replaced_client_is_seen_at_once,
    of_changes_on_the_same_ground_one_counts,
    a_removed_client_takes_everything_with_it,
];

async fn a_client_reads_back_as_it_was_added(store: Arc<dyn Store>) {
    let full = client("a");
    assert!(full.jwks.is_some() && !full.other_metadata.is_empty(), "the fixture has everything");
    let public = Client::new("b", NOW);
    assert_eq!(public.token_endpoint_auth_method, AuthMethod::None);
    assert_eq!(public.refresh, RefreshPolicy::Rotate);
    for one in [&public, &full] {
        assert_eq!(store.add_client(one.clone()).await.expect("add"), Added::Done);
        // Twice: the second read may come from a cache.
        for _ in 0..2 {
            let read = store.client(&one.client_id).await.expect("read").expect("is there");
            assert_eq!(*read, *one);
        }
    }
    assert_eq!(store.clients().await.expect("list"), [full, public]);
    assert!(store.client("A").await.expect("read").is_none(), "ids are case-sensitive");
}

async fn a_secret_reads_back_in_each_form(store: Arc<dyn Store>) {
    let phc = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA".to_owned();
    for (place, secret) in [
        ClientSecret::Argon2id(phc),
        ClientSecret::Sealed(vec![0, 255, 7]),
        ClientSecret::Sealed(Vec::new()),
        ClientSecret::Sha256(digest()),
    ]
    .into_iter()
    .enumerate()
    {
        let one = Client { secret: Some(secret), ..client(&format!("client{place}")) };
        store.add_client(one.clone()).await.expect("add");
        let read = store.client(&one.client_id).await.expect("read").expect("is there");
        assert_eq!(*read, one);
    }
}

async fn an_id_is_given_once(store: Arc<dyn Store>) {
    let added = race(&store, |store, _| async move { store.add_client(client("a")).await }).await;
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Done))), 1);
    assert_eq!(count(&added, |one| matches!(one, Ok(Added::Exists))), 31);
}

async fn a_replaced_client_is_seen_at_once(store: Arc<dyn Store>) {
    let mut changed = client("a");
    let absent = store.replace_client(&changed, changed.clone()).await;
    assert!(!absent.expect("no such client"));
    store.add_client(changed.clone()).await.expect("add");
    for name in ["one", "two", "three"] {
        let before = changed.clone();
        changed.client_name = name.to_owned();
        assert!(store.replace_client(&before, changed.clone()).await.expect("replace"));
        let late = Client { client_name: "late".to_owned(), ..before.clone() };
        assert!(!store.replace_client(&before, late).await.expect("replace"), "it has changed");
        assert!(!store.remove_client(&before, NOW).await.expect("remove"), "it has changed");
        let read = store.client("a").await.expect("read").expect("is there");
        assert_eq!(*read, changed);
    }
}

async fn of_changes_on_the_same_ground_one_counts(store: Arc<dyn Store>) {
    let before = client("a");
    store.add_client(before.clone()).await.expect("add");
    let changed = race(&store, |store, place| {
        let before = before.clone();
        let after = Client { client_name: format!("{place}"), ..before.clone() };
        async move { store.replace_client(&before, after).await }
    });
    assert_eq!(count(&changed.await, |one| matches!(one, Ok(true))), 1);
}

async fn a_removed_client_takes_everything_with_it(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let other = granted(&store, "b", |_| {}).await;
    let open = code(held.user.id, "a");
    let allowed = consent(held.user.id, "a", "read");
    store.answer_request(answer(open.clone()), None, Some(allowed), NOW).await.expect("issue");

    let own = store.client("a").await.expect("read").expect("is there");
    assert!(store.remove_client(&own, after(1)).await.expect("remove"));
    assert!(!store.remove_client(&own, after(1)).await.expect("remove again"));
    assert!(store.client("a").await.expect("read").is_none());
    assert!(store.consent(held.user.id, "a").await.expect("read").is_none());
    assert!(held.access_token(&store, after(1)).await.is_none());
    assert!(other.access_token(&store, after(1)).await.is_some(), "another client's");
    let rotated = store.rotate_refresh(held.family.id, rotation(&held.family), after(1)).await;
    assert_eq!(rotated.expect("rotate"), Rotated::Gone);
    let redeemed = store.redeem_code(open.id, &open.digest, held.issue_again(), after(1)).await;
    assert_eq!(redeemed.expect("redeem"), Redeemed::Gone);

    let again = Client { created_at: after(1), ..client("a") };
    store.add_client(again).await.expect("the id is free");
    let next = store.client("a").await.expect("read").expect("is there");
    assert_eq!(next.created_at, after(2), "tokens of the same second are the other one's");
    assert!(held.access_token(&store, after(1)).await.is_none(), "came back to life");
}
