//! Rules of `DeviceStore`.

use std::sync::Arc;

use grantor_core::id::{DeviceId, UserId};
use grantor_core::model::{DeviceAuthorization, DeviceState, OnNewToken, UserStatus};
use grantor_core::store::{Added, Issued, Polled, Store};
use grantor_core::time::{Seconds, Timestamp};

use super::fixtures::{
    self, NOW, after, approval, client, consent, device, digest, family, id, user,
};
use super::{count, race, rules};

rules![
    a_device_is_found_by_its_user_code_while_it_waits,
    of_many_with_one_user_code_one_is_added,
    a_user_code_is_taken_for_as_long_as_it_is_kept,
    polls_that_come_too_soon_slow_down,
    of_many_polls_at_once_one_is_in_time,
    only_its_own_client_polls_a_device,
    a_yes_reads_back_with_the_consent,
    a_no_is_told_to_the_device,
    one_answer_counts,
    a_device_is_over_with_its_time,
    tokens_are_fetched_once,
    a_second_fetch_is_noticed_after_the_time_is_over,
    tokens_are_fetched_only_after_a_yes,
    tokens_of_a_device_may_replace_earlier_ones,
    a_yes_that_is_taken_back_gives_no_tokens,
];

const SLOWER: Seconds = Seconds(5);

async fn added(store: &Arc<dyn Store>, client_id: &str) -> DeviceAuthorization {
    let device = device(client_id);
    assert_eq!(store.add_device(device.clone()).await.expect("add"), Added::Done);
    device
}

/// A person, and a device that the person has said yes to.
async fn approved(store: &Arc<dyn Store>, client_id: &str) -> (UserId, DeviceAuthorization) {
    let user = user(&format!("user_of_{client_id}"));
    store.add_user(user.clone()).await.expect("add a user");
    store.add_client(client(client_id)).await.expect("add a client");
    let device = added(store, client_id).await;
    let agreed = consent(user.id, client_id, "openid read");
    assert!(answer(store, device.id, Some(user.id), Some(agreed)).await);
    (user.id, device)
}

async fn answer(
    store: &Arc<dyn Store>,
    device: DeviceId,
    user: Option<UserId>,
    consent: Option<grantor_core::model::Consent>,
) -> bool {
    store.answer_device(device, user.map(approval), consent, NOW).await.expect("answer")
}

async fn poll(store: &Arc<dyn Store>, device: &DeviceAuthorization, now: Timestamp) -> Polled {
    let (id, digest, client_id) = (device.id, &device.digest, &device.client_id);
    store.poll_device(id, digest, client_id, SLOWER, now).await.expect("poll")
}

async fn redeem(store: &Arc<dyn Store>, device: DeviceId, with: &Issued, now: Timestamp) -> bool {
    store.redeem_device(device, with.clone(), now).await.expect("redeem")
}

async fn works(store: &Arc<dyn Store>, issued: &Issued) -> bool {
    let access = issued.access.as_ref().expect("is opaque");
    store.access_token(access.id, &access.digest, NOW).await.expect("read").is_some()
}

fn issued(user: UserId, client_id: &str) -> Issued {
    fixtures::issued(family(user, client_id))
}

async fn waiting(
    store: &Arc<dyn Store>,
    code: &str,
    now: Timestamp,
) -> Option<DeviceAuthorization> {
    store.device_by_user_code(code, now).await.expect("read")
}

async fn a_device_is_found_by_its_user_code_while_it_waits(store: Arc<dyn Store>) {
    let (plain, mut bare) = (added(&store, "a").await, device("a"));
    bare.resource.clear();
    store.add_device(bare.clone()).await.expect("add");
    for made in [&plain, &bare] {
        let read = waiting(&store, &made.user_code, after(599)).await;
        assert_eq!(read.as_ref(), Some(made));
        assert_eq!(waiting(&store, &made.user_code, after(600)).await, None);
    }
    assert_eq!(waiting(&store, "BCDFGHJK", NOW).await, None);
    assert!(answer(&store, plain.id, None, None).await);
    assert_eq!(waiting(&store, &plain.user_code, NOW).await, None, "was answered");
}

async fn of_many_with_one_user_code_one_is_added(store: Arc<dyn Store>) {
    let added = race(&store, |store, _| async move {
        let one = DeviceAuthorization { user_code: "BCDFGHJK".to_owned(), ..device("a") };
        (store.add_device(one.clone()).await.expect("add"), one)
    });
    let added = added.await;
    assert_eq!(count(&added, |one| one.0 == Added::Done), 1);
    assert_eq!(count(&added, |one| one.0 == Added::Exists), 31);
    for (outcome, one) in added {
        let polled = poll(&store, &one, NOW).await;
        let expected = if outcome == Added::Done { Polled::Pending } else { Polled::Gone };
        assert_eq!(polled, expected);
    }
}

async fn a_user_code_is_taken_for_as_long_as_it_is_kept(store: Arc<dyn Store>) {
    let first = added(&store, "a").await;
    assert!(answer(&store, first.id, None, None).await);
    let second = DeviceAuthorization { user_code: first.user_code.clone(), ..device("b") };
    assert_eq!(store.add_device(second.clone()).await.expect("add"), Added::Exists);
    while store.sweep(after(600), 100).await.expect("sweep") > 0 {}
    assert_eq!(store.add_device(second).await.expect("add"), Added::Done);
}

async fn polls_that_come_too_soon_slow_down(store: Arc<dyn Store>) {
    let made = added(&store, "a").await;
    for (moment, outcome, interval) in [
        (0, Polled::Pending, 5),
        (5, Polled::Pending, 5),
        (9, Polled::SlowDown, 10),
        (18, Polled::SlowDown, 15),
        (33, Polled::Pending, 15),
    ] {
        assert_eq!(poll(&store, &made, after(moment)).await, outcome, "after {moment} s");
        let read = waiting(&store, &made.user_code, NOW).await.expect("waits");
        assert_eq!((read.interval, read.polled_at), (Seconds(interval), Some(after(moment))));
    }
}

async fn of_many_polls_at_once_one_is_in_time(store: Arc<dyn Store>) {
    let made = added(&store, "a").await;
    let user_code = made.user_code.clone();
    let polled = race(&store, move |store, _| {
        let made = made.clone();
        async move { poll(&store, &made, NOW).await }
    });
    let polled = polled.await;
    assert_eq!(count(&polled, |one| *one == Polled::Pending), 1);
    assert_eq!(count(&polled, |one| *one == Polled::SlowDown), 31);
    let read = waiting(&store, &user_code, NOW).await.expect("waits");
    assert_eq!(read.interval, Seconds(5 + 31 * 5), "each of them made it longer");
}

async fn only_its_own_client_polls_a_device(store: Arc<dyn Store>) {
    let (user, made) = approved(&store, "a").await;
    let foreign = [
        DeviceAuthorization { digest: digest(), ..made.clone() },
        DeviceAuthorization { client_id: "b".to_owned(), ..made.clone() },
        DeviceAuthorization { id: DeviceId(id()), ..made.clone() },
    ];
    for one in &foreign {
        assert_eq!(poll(&store, one, NOW).await, Polled::Gone);
    }
    let with = issued(user, "a");
    assert!(redeem(&store, made.id, &with, NOW).await);
    for one in &foreign {
        assert_eq!(poll(&store, one, NOW).await, Polled::Gone);
    }
    assert!(works(&store, &with).await, "a foreign poll revokes nothing");
}

async fn a_yes_reads_back_with_the_consent(store: Arc<dyn Store>) {
    let ann = user("ann").id;
    let (made, yes, agreed) = (added(&store, "a").await, approval(ann), consent(ann, "a", "read"));
    let counts = store.answer_device(made.id, Some(yes.clone()), Some(agreed.clone()), NOW).await;
    assert!(counts.expect("answer"));
    let expected = DeviceAuthorization { state: DeviceState::Approved(yes), ..made.clone() };
    for _ in 0..2 {
        // However soon: the device shall have its tokens.
        assert_eq!(
            poll(&store, &made, after(1)).await,
            Polled::Approved(Box::new(expected.clone()))
        );
    }
    assert_eq!(store.consent(ann, "a").await.expect("read"), Some(agreed));
}

async fn a_no_is_told_to_the_device(store: Arc<dyn Store>) {
    let made = added(&store, "a").await;
    assert!(answer(&store, made.id, None, None).await);
    assert_eq!(poll(&store, &made, NOW).await, Polled::Denied);
    assert!(!redeem(&store, made.id, &issued(user("ann").id, "a"), NOW).await);
}

async fn one_answer_counts(store: Arc<dyn Store>) {
    let made = added(&store, "a").await;
    let device = made.id;
    let answered = race(&store, |store, place| async move {
        let ann = user("ann").id;
        let agreed = consent(ann, "a", "read");
        let yes = place % 2 == 0;
        let (approval, consent) = (yes.then(|| approval(ann)), yes.then_some(agreed));
        let counts = store.answer_device(device, approval, consent, NOW).await.expect("answer");
        let remembered = store.consent(ann, "a").await.expect("read").is_some();
        assert_eq!(remembered, counts && yes, "the consent of an answer that does not count");
        (counts, yes)
    });
    let answered = answered.await;
    assert_eq!(count(&answered, |one| one.0), 1);
    let yes = answered.contains(&(true, true));
    assert_eq!(matches!(poll(&store, &made, NOW).await, Polled::Approved(_)), yes);
}

async fn a_device_is_over_with_its_time(store: Arc<dyn Store>) {
    let (made, denied) = (added(&store, "a").await, added(&store, "a").await);
    assert!(answer(&store, denied.id, None, None).await);
    let late = store.answer_device(made.id, Some(approval(user("ann").id)), None, after(600)).await;
    assert!(!late.expect("answer"));
    assert_eq!(poll(&store, &made, after(599)).await, Polled::Pending);
    assert_eq!(poll(&store, &made, after(600)).await, Polled::Expired);
    assert_eq!(poll(&store, &denied, after(600)).await, Polled::Expired);

    let (ann, yes) = approved(&store, "b").await;
    assert_eq!(poll(&store, &yes, after(600)).await, Polled::Expired);
    let with = issued(ann, "b");
    assert!(!redeem(&store, yes.id, &with, after(600)).await);
    assert!(!works(&store, &with).await);
    assert!(redeem(&store, yes.id, &with, after(599)).await);
}

async fn tokens_are_fetched_once(store: Arc<dyn Store>) {
    let (ann, made) = approved(&store, "a").await;
    let device = made.id;
    let redeemed = race(&store, |store, _| async move {
        let with = issued(ann, "a");
        let redeemed = redeem(&store, device, &with, NOW).await;
        (redeemed, works(&store, &with).await, with)
    });
    let redeemed = redeemed.await;
    assert_eq!(count(&redeemed, |one| one.0 && one.1), 1);
    assert_eq!(count(&redeemed, |one| !one.0 && !one.1), 31);
    let winner = redeemed.into_iter().find(|one| one.0).expect("counted above").2;
    let family = winner.family.id;
    for _ in 0..2 {
        assert_eq!(poll(&store, &made, after(1)).await, Polled::Replayed { family });
    }
    assert!(!works(&store, &winner).await, "a second fetch revokes");
    let view = store.family(family).await.expect("read").expect("is kept");
    assert_eq!(view.family.revoked_at, Some(after(1)));
}

async fn a_second_fetch_is_noticed_after_the_time_is_over(store: Arc<dyn Store>) {
    let (ann, made) = approved(&store, "a").await;
    let with = issued(ann, "a");
    assert!(redeem(&store, made.id, &with, NOW).await);
    while store.sweep(after(600 + 3_599), 100).await.expect("sweep") > 0 {}
    let family = with.family.id;
    assert_eq!(poll(&store, &made, after(600 + 3_599)).await, Polled::Replayed { family });
}

async fn tokens_are_fetched_only_after_a_yes(store: Arc<dyn Store>) {
    let made = added(&store, "a").await;
    let with = issued(user("ann").id, "a");
    assert!(!redeem(&store, made.id, &with, NOW).await, "nobody has answered");
    assert!(!redeem(&store, DeviceId(id()), &with, NOW).await, "unknown");
    assert!(!works(&store, &with).await);
    assert_eq!(poll(&store, &made, NOW).await, Polled::Pending);
}

async fn tokens_of_a_device_may_replace_earlier_ones(store: Arc<dyn Store>) {
    let (ann, made) = approved(&store, "a").await;
    let first = issued(ann, "a");
    store.issue_tokens(first.clone(), None, NOW).await.expect("issue");
    let second = Issued { previous: OnNewToken::RevokePrevious, ..issued(ann, "a") };
    assert!(redeem(&store, made.id, &second, NOW).await);
    assert_eq!((works(&store, &first).await, works(&store, &second).await), (false, true));
}

async fn a_yes_that_is_taken_back_gives_no_tokens(store: Arc<dyn Store>) {
    let (ann, withdrawn) = approved(&store, "a").await;
    let (bob, disabled) = approved(&store, "b").await;
    let (cid, removed) = approved(&store, "c").await;
    let (dan, untouched) = approved(&store, "d").await;
    assert!(store.withdraw_consent(ann, "a", NOW).await.expect("withdraw"));
    let off = store.set_user_status(bob, UserStatus::Disabled, NOW).await;
    assert!(off.expect("disable"));
    let open = added(&store, "c").await;
    let own = store.client("c").await.expect("read").expect("is there");
    assert!(store.remove_client(&own, NOW).await.expect("remove"));
    for (user, device, outcome) in [
        (ann, &withdrawn, Polled::Denied),
        (bob, &disabled, Polled::Denied),
        (cid, &removed, Polled::Gone),
        (cid, &open, Polled::Gone),
    ] {
        assert_eq!(poll(&store, device, NOW).await, outcome, "{}", device.client_id);
        let with = issued(user, &device.client_id);
        assert!(!redeem(&store, device.id, &with, NOW).await, "{}", device.client_id);
        assert!(!works(&store, &with).await);
    }
    assert!(redeem(&store, untouched.id, &issued(dan, "d"), NOW).await);
}
