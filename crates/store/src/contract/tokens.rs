//! Rules of `TokenStore`.

use std::sync::Arc;

use grantor_core::model::{AccessToken, Family, User};
use grantor_core::secret::Digest;
use grantor_core::store::{AccessView, Issued, Redeemed, Renewal, Rotated, Rotation, Spent, Store};
use grantor_core::time::{Seconds, Timestamp};

use super::fixtures::{
    NOW, access, after, answer, client, code, digest, family, issued, renewal, user,
};
use super::{count, race, rules};

rules![
    what_was_issued_reads_back,
    an_access_token_ends_with_its_time_its_digest_and_its_family,
    a_family_is_revoked_once,
    a_rotation_moves_on,
    a_retry_gets_the_same_successor_until_it_is_used,
    a_retry_after_the_grace_revokes,
    a_foreign_successor_is_no_retry,
    a_dead_refresh_token_is_gone,
    of_parallel_rotations_all_get_one_successor,
    of_forking_rotations_one_wins_and_the_family_falls,
    uses_are_counted,
    as_many_callers_spend_as_there_are_uses,
    a_family_lasts_as_long_as_what_it_gave_out,
];

/// A person, a client and what the client holds.
pub(super) struct Granted {
    pub(super) user: User,
    pub(super) family: Family,
    pub(super) access: AccessToken,
}

impl Granted {
    pub(super) async fn access_token(
        &self,
        store: &Arc<dyn Store>,
        now: Timestamp,
    ) -> Option<AccessView> {
        let read = store.access_token(self.access.id, &self.access.digest, now).await;
        read.expect("the store reads")
    }

    /// A second grant of the same kind.
    pub(super) fn issue_again(&self) -> Issued {
        issued(family(self.user.id, &self.family.client_id))
    }

    async fn spend(&self, store: &Arc<dyn Store>, presented: &Digest, now: Timestamp) -> Spent {
        let renewal = renewal(&self.family);
        let spent = store.spend_refresh_use(self.family.id, presented, renewal, now).await;
        spent.expect("the store spends")
    }

    async fn rotate(&self, store: &Arc<dyn Store>, with: &Rotation, now: Timestamp) -> Rotated {
        store.rotate_refresh(self.family.id, with.clone(), now).await.expect("the store rotates")
    }
}

/// Registers a client and a person and redeems a code for a family that `change` has changed.
pub(super) async fn granted(
    store: &Arc<dyn Store>,
    client_id: &str,
    change: impl FnOnce(&mut Family),
) -> Granted {
    let user = user(&format!("user_of_{client_id}"));
    store.add_user(user.clone()).await.expect("add a user");
    store.add_client(client(client_id)).await.expect("add a client");
    let mut family = family(user.id, client_id);
    change(&mut family);
    let access = access(&family);
    let code = code(user.id, client_id);
    let issued = Issued { access: Some(access.clone()), ..issued(family.clone()) };
    store.answer_request(answer(code.clone()), None, None, NOW).await.expect("issue a code");
    let redeemed = store.redeem_code(code.id, &code.digest, issued, NOW).await;
    assert_eq!(redeemed.expect("redeem a code"), Redeemed::Done);
    Granted { user, family, access }
}

/// A rotation of the refresh token that `family` began with.
pub(super) fn rotation(family: &Family) -> Rotation {
    Rotation {
        presented: family.refresh.expect("has a refresh token").current,
        successor: digest(),
        grace: Seconds(60),
        renewal: renewal(family),
    }
}

/// Whether the access token of `renewal` does.
async fn works(store: &Arc<dyn Store>, renewal: &Renewal, now: Timestamp) -> bool {
    let access = renewal.access.as_ref().expect("is opaque");
    store.access_token(access.id, &access.digest, now).await.expect("read").is_some()
}

fn reusable(uses: Option<u32>) -> impl FnOnce(&mut Family) {
    move |family| {
        if let Some(refresh) = &mut family.refresh {
            refresh.uses_left = uses;
        }
    }
}

async fn what_was_issued_reads_back(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |family| {
        family.claims.id_token.push("email".to_owned());
    })
    .await;
    let view = held.access_token(&store, NOW).await.expect("works");
    let (family, user) = (Some(held.family.clone()), Some(held.user.clone()));
    assert_eq!((&view.token, &view.family, &view.user), (&held.access, &family, &user));
    let view = store.family(held.family.id).await.expect("read").expect("is there");
    assert_eq!((view.family, view.user, view.consent), (held.family, user, None));

    let bare = granted(&store, "b", |family| family.refresh = None).await;
    let view = store.family(bare.family.id).await.expect("read").expect("is there");
    assert_eq!(view.family, bare.family);
}

async fn an_access_token_ends_with_its_time_its_digest_and_its_family(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    assert!(held.access_token(&store, after(299)).await.is_some());
    assert!(held.access_token(&store, after(300)).await.is_none());
    let wrong = store.access_token(held.access.id, &digest(), NOW).await;
    assert!(wrong.expect("read").is_none());
    assert!(store.revoke_family(held.family.id, after(1)).await.expect("revoke"));
    assert!(held.access_token(&store, after(1)).await.is_none());
    let view = store.family(held.family.id).await.expect("read").expect("is kept");
    assert_eq!(view.family.revoked_at, Some(after(1)));
}

async fn a_family_is_revoked_once(store: Arc<dyn Store>) {
    let family = granted(&store, "a", |_| {}).await.family.id;
    let revoke = |store: Arc<dyn Store>, _| async move { store.revoke_family(family, NOW).await };
    let revoked = race(&store, revoke).await;
    assert_eq!(count(&revoked, |one| matches!(one, Ok(true))), 1);
    assert_eq!(count(&revoked, |one| matches!(one, Ok(false))), 31);
}

async fn a_rotation_moves_on(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = rotation(&held.family);
    assert_eq!(held.rotate(&store, &first, after(10)).await, Rotated::Done);
    let view = store.family(held.family.id).await.expect("read").expect("is there");
    let refresh = view.family.refresh.expect("has a refresh token");
    assert_eq!((refresh.current, refresh.previous), (first.successor, Some(first.presented)));
    assert_eq!((refresh.generation, refresh.rotated_at), (1, after(10)));
    assert_eq!((refresh.idle_expires_at, refresh.expires_at), (after(1_200), after(3_600)));
    assert!(works(&store, &first.renewal, after(10)).await);
    assert!(held.access_token(&store, after(10)).await.is_some(), "the earlier one works on");
    let second = Rotation { presented: first.successor, ..rotation(&held.family) };
    assert_eq!(held.rotate(&store, &second, after(1_199)).await, Rotated::Done);
}

async fn a_retry_gets_the_same_successor_until_it_is_used(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = rotation(&held.family);
    assert_eq!(held.rotate(&store, &first, NOW).await, Rotated::Done);
    let retry = Rotation { renewal: renewal(&held.family), ..first.clone() };
    assert_eq!(held.rotate(&store, &retry, after(59)).await, Rotated::SameAgain);
    assert!(works(&store, &retry.renewal, after(59)).await);

    let second = Rotation { presented: first.successor, ..rotation(&held.family) };
    assert_eq!(held.rotate(&store, &second, after(59)).await, Rotated::Done);
    let late = Rotation { renewal: renewal(&held.family), ..first };
    assert_eq!(held.rotate(&store, &late, after(59)).await, Rotated::Reused);
    let view = store.family(held.family.id).await.expect("read").expect("is kept");
    assert_eq!(view.family.revoked_at, Some(after(59)));
    assert!(held.access_token(&store, after(59)).await.is_none());
    assert_eq!(held.rotate(&store, &late, after(59)).await, Rotated::Gone);
}

async fn a_retry_after_the_grace_revokes(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = rotation(&held.family);
    assert_eq!(held.rotate(&store, &first, NOW).await, Rotated::Done);
    let retry = Rotation { renewal: renewal(&held.family), ..first };
    assert_eq!(held.rotate(&store, &retry, after(60)).await, Rotated::Reused);
    assert!(held.access_token(&store, after(60)).await.is_none());
    assert!(!works(&store, &retry.renewal, after(60)).await, "never written");
}

async fn a_foreign_successor_is_no_retry(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let first = rotation(&held.family);
    assert_eq!(held.rotate(&store, &first, NOW).await, Rotated::Done);
    let forked = Rotation { successor: digest(), renewal: renewal(&held.family), ..first };
    assert_eq!(held.rotate(&store, &forked, after(1)).await, Rotated::Reused);
}

async fn a_dead_refresh_token_is_gone(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let next = rotation(&held.family);
    assert_eq!(held.rotate(&store, &next, after(600)).await, Rotated::Gone, "idle");
    let over = granted(&store, "b", |family| {
        family.refresh.iter_mut().for_each(|refresh| refresh.expires_at = after(100));
    });
    let over = over.await;
    assert_eq!(over.rotate(&store, &rotation(&over.family), after(100)).await, Rotated::Gone);
    assert_eq!(over.rotate(&store, &rotation(&over.family), after(99)).await, Rotated::Done);
    let bare = granted(&store, "c", |family| family.refresh = None).await;
    let with = Rotation { renewal: renewal(&bare.family), ..next.clone() };
    assert_eq!(bare.rotate(&store, &with, NOW).await, Rotated::Gone, "none there");
    let unknown = family(held.user.id, "a");
    let rotated = store.rotate_refresh(unknown.id, rotation(&unknown), NOW).await;
    assert_eq!(rotated.expect("rotate"), Rotated::Gone, "unknown");
    assert_eq!(held.rotate(&store, &next, after(599)).await, Rotated::Done, "nothing was done");
}

async fn of_parallel_rotations_all_get_one_successor(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let (family, first) = (held.family.id, rotation(&held.family));
    let rotated = race(&store, |store, _| {
        let with = Rotation { renewal: renewal(&held.family), ..first.clone() };
        async move { store.rotate_refresh(family, with, after(1)).await }
    });
    let rotated = rotated.await;
    assert_eq!(count(&rotated, |one| matches!(one, Ok(Rotated::Done))), 1);
    assert_eq!(count(&rotated, |one| matches!(one, Ok(Rotated::SameAgain))), 31);
    let view = store.family(family).await.expect("read").expect("is there");
    let refresh = view.family.refresh.expect("has a refresh token");
    assert_eq!((refresh.current, refresh.generation), (first.successor, 1));
    assert_eq!(view.family.revoked_at, None);
}

async fn of_forking_rotations_one_wins_and_the_family_falls(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |_| {}).await;
    let family = held.family.id;
    let rotated = race(&store, |store, _| {
        let with = Rotation { successor: digest(), ..rotation(&held.family) };
        async move { store.rotate_refresh(family, with, after(1)).await }
    });
    let rotated = rotated.await;
    assert_eq!(count(&rotated, |one| matches!(one, Ok(Rotated::Done))), 1);
    assert_eq!(count(&rotated, |one| matches!(one, Ok(Rotated::Reused))), 1);
    assert_eq!(count(&rotated, |one| matches!(one, Ok(Rotated::Gone))), 30);
}

async fn uses_are_counted(store: Arc<dyn Store>) {
    let held = granted(&store, "a", reusable(Some(2))).await;
    let token = held.family.refresh.expect("has one").current;
    assert_eq!(held.spend(&store, &digest(), NOW).await, Spent::Gone, "wrong");
    assert_eq!(held.spend(&store, &token, after(600)).await, Spent::Gone, "idle");
    assert_eq!(held.spend(&store, &token, after(599)).await, Spent::Done { left: Some(1) });
    assert_eq!(held.spend(&store, &token, after(1_199)).await, Spent::Done { left: Some(0) });
    assert_eq!(held.spend(&store, &token, NOW).await, Spent::Gone, "used up");

    let endless = granted(&store, "b", reusable(None)).await;
    let token = endless.family.refresh.expect("has one").current;
    assert_eq!(endless.spend(&store, &token, NOW).await, Spent::Done { left: None });
    store.revoke_family(endless.family.id, NOW).await.expect("revoke");
    assert_eq!(endless.spend(&store, &token, NOW).await, Spent::Gone, "revoked");
}

async fn as_many_callers_spend_as_there_are_uses(store: Arc<dyn Store>) {
    let held = granted(&store, "a", reusable(Some(5))).await;
    let (family, token) = (held.family.id, held.family.refresh.expect("has one").current);
    let spent = race(&store, |store, _| {
        let with = renewal(&held.family);
        async move {
            let spent = store.spend_refresh_use(family, &token, with.clone(), NOW).await;
            (spent.expect("spend"), works(&store, &with, NOW).await)
        }
    });
    let spent = spent.await;
    assert_eq!(count(&spent, |one| matches!(one, (Spent::Done { .. }, true))), 5);
    assert_eq!(count(&spent, |one| matches!(one, (Spent::Gone, false))), 27);
}

async fn a_family_lasts_as_long_as_what_it_gave_out(store: Arc<dyn Store>) {
    let held = granted(&store, "a", |family| family.expires_at = after(600)).await;
    let mut late = rotation(&held.family);
    late.renewal.access_expires_at = after(9_000);
    assert_eq!(held.rotate(&store, &late, after(599)).await, Rotated::Done);
    let view = store.family(held.family.id).await.expect("read").expect("is there");
    assert!(view.family.expires_at >= after(9_000), "{:?}", view.family.expires_at);
}
