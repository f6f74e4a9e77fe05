//! Rules of `KeyStore`.

use std::sync::Arc;

use grantor_core::jose::Algorithm;
use grantor_core::model::SealedSigningKey;
use grantor_core::store::{RotationOutcome, Store};

use super::fixtures::{NOW, after, key};
use super::{count, race, rules};

rules![
    a_rotation_overlaps,
    of_two_that_rotate_at_once_one_does,
    a_key_is_sealed_anew_by_one_who_has_read_it,
];

async fn a_rotation_overlaps(store: Arc<dyn Store>) {
    let first = key("k1", Algorithm::Es256);
    let other = key("k2", Algorithm::EdDsa);
    for one in [&first, &other] {
        let added = store.add_signing_key(one.clone(), None, after(100)).await.expect("add");
        assert_eq!(added, RotationOutcome::Done);
    }
    assert_eq!(store.signing_keys(NOW).await.expect("list"), [first.clone(), other.clone()]);
    let next = SealedSigningKey { created_at: after(10), ..key("k3", Algorithm::Es256) };
    let raced = store.add_signing_key(next.clone(), Some("k2"), after(100)).await.expect("add");
    assert_eq!(raced, RotationOutcome::Raced);
    let added = store.add_signing_key(next.clone(), Some("k1"), after(100)).await.expect("add");
    assert_eq!(added, RotationOutcome::Done);
    let ending = SealedSigningKey { retires_at: Some(after(100)), ..first };
    let listed = store.signing_keys(after(99)).await.expect("list");
    assert_eq!(listed, [ending, other.clone(), next.clone()]);
    assert_eq!(store.signing_keys(after(100)).await.expect("list"), [other, next]);
}

async fn of_two_that_rotate_at_once_one_does(store: Arc<dyn Store>) {
    for expected in [None, Some("k0")] {
        let added = race(&store, |store, place| async move {
            let kid = if expected.is_none() { "k0".to_owned() } else { format!("n{place}") };
            store.add_signing_key(key(&kid, Algorithm::Rs256), expected, after(100)).await
        });
        let added = added.await;
        assert_eq!(count(&added, |one| matches!(one, Ok(RotationOutcome::Done))), 1);
        assert_eq!(count(&added, |one| matches!(one, Ok(RotationOutcome::Raced))), 31);
    }
    assert_eq!(store.signing_keys(NOW).await.expect("list").len(), 2);
}

async fn a_key_is_sealed_anew_by_one_who_has_read_it(store: Arc<dyn Store>) {
    let (mine, other) = (key("k1", Algorithm::Es256), key("k2", Algorithm::EdDsa));
    for one in [&mine, &other] {
        store.add_signing_key(one.clone(), None, after(100)).await.expect("add");
    }
    let before = mine.sealed.clone();
    let sealed = race(&store, |store, place| {
        let before = before.clone();
        async move {
            // Unlike what is there, which another one would find as it was.
            let sealed = vec![100 + u8::try_from(place).expect("32 places"); 40];
            store.reseal_signing_key("k1", &before, sealed).await
        }
    });
    assert_eq!(count(&sealed.await, |one| matches!(one, Ok(true))), 1);
    let listed = store.signing_keys(NOW).await.expect("list");
    assert_ne!(listed[0].sealed, mine.sealed);
    assert_eq!((&listed[0].kid, &listed[1]), (&mine.kid, &other));
    assert!(!store.reseal_signing_key("k3", &before, before.clone()).await.expect("none"));
}
