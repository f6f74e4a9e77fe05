//! Rules of `LimitStore`.

use std::sync::Arc;

use grantor_core::store::{Debit, Store};

use super::fixtures::NOW;
use super::{RACERS, race, rules};

rules![
    what_is_spent_adds_up_and_is_earned_again,
    each_limit_is_for_itself_and_answered_in_its_place,
    what_many_spend_at_once_is_all_counted,
    a_debt_is_kept,
    nothing_is_settled_in_no_time,
    many_are_settled_at_once,
];

/// [`NOW`] in milliseconds.
const START: u64 = NOW.epoch().unsigned_abs() * 1_000;

fn key(name: &str) -> [u8; 16] {
    let mut key = [0xff; 16];
    key[..name.len()].copy_from_slice(name.as_bytes());
    key
}

/// What is told of these, as milliseconds after [`START`].
async fn settle(store: &Arc<dyn Store>, spent: &[(&str, u64)], now: u64) -> Vec<u64> {
    let spent = spent.iter().map(|(name, cost_ms)| Debit { key: key(name), cost_ms: *cost_ms });
    let told = store.settle_limits(spent.collect(), START + now).await.expect("settle");
    told.into_iter().map(|moment| moment - START).collect()
}

async fn what_is_spent_adds_up_and_is_earned_again(store: Arc<dyn Store>) {
    assert_eq!(settle(&store, &[("a", 6_000)], 0).await, [6_000]);
    assert_eq!(settle(&store, &[("a", 6_000)], 1).await, [12_000]);
    assert_eq!(settle(&store, &[("a", 0)], 11_999).await, [12_000], "asked only");
    assert_eq!(settle(&store, &[("a", 500)], 12_000).await, [12_500]);
    assert_eq!(settle(&store, &[("a", 1)], 99_999).await, [100_000], "nothing is saved up");
    // A node whose clock is a little behind.
    assert_eq!(settle(&store, &[("a", 7)], 99_000).await, [100_007]);
}

async fn each_limit_is_for_itself_and_answered_in_its_place(store: Arc<dyn Store>) {
    assert_eq!(settle(&store, &[("c", 3), ("a", 1), ("b", 2)], 0).await, [3, 1, 2]);
    let asked = [("b", 20), ("d", 0), ("c", 30), ("a", 10)];
    assert_eq!(settle(&store, &asked, 0).await, [22, 0, 33, 11]);
}

async fn what_many_spend_at_once_is_all_counted(store: Arc<dyn Store>) {
    let told = race(&store, |store, place| async move {
        let mut spent = [("a", 1_000), ("b", 1)];
        if place % 2 == 1 {
            // The other way round, so that each would wait for the other if keys were locked in turn.
            spent.reverse();
        }
        let mut told = settle(&store, &spent, 0).await;
        if place % 2 == 1 {
            told.reverse();
        }
        [told[0], told[1]]
    });
    let mut told = told.await;
    told.sort_unstable();
    let each = 1..=u64::try_from(RACERS).expect("a few");
    assert!(told.iter().map(|[a, _]| *a).eq(each.clone().map(|n| n * 1_000)), "{told:?}");
    let mut small: Vec<_> = told.iter().map(|[_, b]| *b).collect();
    small.sort_unstable();
    assert!(small.iter().copied().eq(each), "{small:?}");
    assert_eq!(settle(&store, &[("a", 0), ("b", 0)], 0).await, [32_000, 32]);
}

async fn a_debt_is_kept(store: Arc<dyn Store>) {
    settle(&store, &[("a", 3_600_000)], 0).await;
    assert_eq!(store.sweep(NOW, 100).await.expect("sweep"), 0);
    assert_eq!(settle(&store, &[("a", 0)], 3_599_000).await, [3_600_000]);
}

async fn nothing_is_settled_in_no_time(store: Arc<dyn Store>) {
    assert!(store.settle_limits(Vec::new(), START).await.expect("settle").is_empty());
}

async fn many_are_settled_at_once(store: Arc<dyn Store>) {
    let names: Vec<String> = (0..2_000).map(|n| format!("key {n}")).collect();
    let spent: Vec<_> = names.iter().zip(1..).map(|(name, cost)| (name.as_str(), cost)).collect();
    for round in 1..=2 {
        let told = settle(&store, &spent, 0).await;
        assert!(told.iter().copied().eq((1..=2_000).map(|cost| cost * round)), "{told:?}");
    }
}
