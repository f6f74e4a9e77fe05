//! Rules of `ConsentStore`.

use std::sync::Arc;

use grantor_core::store::{Redeemed, Rotated, Store};

use super::fixtures::{NOW, after, answer, code, consent};
use super::rules;
use super::tokens::{granted, rotation};

rules![consents_are_listed_latest_first, a_withdrawn_consent_takes_the_tokens_with_it];

async fn consents_are_listed_latest_first(store: Arc<dyn Store>) {
    let user = granted(&store, "a", |_| {}).await.user.id;
    for (client_id, moment) in [("a", 3), ("b", 1), ("c", 2)] {
        let mut given = consent(user, client_id, "read");
        given.updated_at = after(moment);
        store
            .answer_request(answer(code(user, client_id)), None, Some(given), NOW)
            .await
            .expect("issue");
    }
    let listed = store.consents_of(user).await.expect("list");
    let listed: Vec<_> = listed.iter().map(|one| one.client_id.as_str()).collect();
    assert_eq!(listed, ["a", "c", "b"]);
    assert_eq!(store.consent(user, "d").await.expect("read"), None);
}

async fn a_withdrawn_consent_takes_the_tokens_with_it(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let other = granted(&store, "b", |_| {}).await;
    let (user, open) = (held.user.id, code(held.user.id, "a"));
    let given = consent(user, "a", "read");
    store
        .answer_request(answer(open.clone()), None, Some(given.clone()), NOW)
        .await
        .expect("issue");
    let view = store.family(held.family.id).await.expect("read").expect("is there");
    assert_eq!(view.consent, Some(given));

    assert!(!store.withdraw_consent(user, "b", after(1)).await.expect("none for b"));
    assert!(held.access_token(&store, after(1)).await.is_some());
    assert!(store.withdraw_consent(user, "a", after(1)).await.expect("withdraw"));
    assert!(!store.withdraw_consent(user, "a", after(1)).await.expect("again"));
    assert!(held.access_token(&store, after(1)).await.is_none());
    assert!(other.access_token(&store, after(1)).await.is_some(), "another client's");
    let view = store.family(held.family.id).await.expect("read").expect("is kept");
    assert_eq!((view.consent, view.family.revoked_at), (None, Some(after(1))));
    let rotated = store.rotate_refresh(held.family.id, rotation(&held.family), after(1)).await;
    assert_eq!(rotated.expect("rotate"), Rotated::Gone);
    let redeemed = store.redeem_code(open.id, &open.digest, held.issue_again(), after(1)).await;
    assert_eq!(redeemed.expect("redeem"), Redeemed::Gone);
}
