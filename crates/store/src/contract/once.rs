//! Rules of `OnceStore`.

use std::sync::Arc;

use grantor_core::secret::Digest;
use grantor_core::store::{Once, Store};
use grantor_core::time::Timestamp;

use super::fixtures::{NOW, after, digest};
use super::{count, race, rules};

rules![a_use_is_first_once, each_kind_is_for_itself, a_use_is_forgotten_in_time];

async fn used(store: &Arc<dyn Store>, kind: Once, digest: &Digest, now: Timestamp) -> bool {
    store.first_use(kind, digest, after(60), now).await.expect("remember")
}

async fn a_use_is_first_once(store: Arc<dyn Store>) {
    let digest = digest();
    let first =
        race(
            &store,
            |store, _| async move { used(&store, Once::ClientAssertion, &digest, NOW).await },
        );
    assert_eq!(count(&first.await, |first| *first), 1);
    assert!(!used(&store, Once::ClientAssertion, &digest, after(59)).await);
}

async fn each_kind_is_for_itself(store: Arc<dyn Store>) {
    let (one, other) = (digest(), digest());
    for kind in [Once::ClientAssertion, Once::GrantAssertion] {
        assert!(used(&store, kind, &one, NOW).await, "{kind:?}");
        assert!(used(&store, kind, &other, NOW).await, "{kind:?}");
        assert!(!used(&store, kind, &one, NOW).await, "{kind:?}");
    }
}

async fn a_use_is_forgotten_in_time(store: Arc<dyn Store>) {
    let digest = digest();
    assert!(used(&store, Once::GrantAssertion, &digest, NOW).await);
    let again = race(&store, |store, _| async move {
        let kept = store.first_use(Once::GrantAssertion, &digest, after(90), after(60)).await;
        kept.expect("remember")
    });
    assert_eq!(count(&again.await, |first| *first), 1);
    let kept = store.first_use(Once::GrantAssertion, &digest, after(99), after(89)).await;
    assert!(!kept.expect("remember"), "remembered until the later end");
}
