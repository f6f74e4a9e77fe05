use std::path::Path;

use grantor_core::jose::seal::DerivationRoot;
use grantor_store::sqlite::{Options, Sqlite};
use tempfile::TempDir;

use super::*;
use crate::clock::SystemClock;

fn limits(rates: Rates, shared: bool) -> Limits {
    Limits::new(rates, &DerivationRoot::new(&[7; 32]).derive("limits"), shared)
}

fn alone(rates: Rates) -> Limits {
    limits(rates, false)
}

/// A store as two nodes have it in common, a file here.
struct Common {
    folder: TempDir,
    store: Sqlite,
}

impl Common {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        Self { store: Self::open(folder.path()), folder }
    }

    fn open(folder: &Path) -> Sqlite {
        Sqlite::open(&folder.join("grantor.db"), &Options::default()).expect("it opens")
    }

    async fn settle(&self, limits: &Limits) {
        limits.settle(&self.store, &SystemClock).await.expect("settled");
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn each_client_has_its_own_rate() {
    let limits = alone(Rates::default());
    for used in 1..=10 {
        let left = Allowance { per_minute: 10, left: 10 - used, reset: used * 6 };
        assert_eq!(limits.client("machine", None, 10), Ok(Some(left)));
    }
    assert_eq!(limits.client("machine", None, 10), Err(RetryAfter(6)));
    assert!(limits.client("other", None, 10).is_ok());
    assert!((0..600).all(|_| limits.client("busy", None, 600).is_ok()));
    assert_eq!(limits.client("busy", None, 600), Err(RetryAfter(1)));
    assert!((0..10_000).all(|_| limits.client("free", None, 0).is_ok()));
}

#[test]
fn sources_are_addresses_or_networks() {
    let limits = alone(Rates { sign_in: 1, pages: 1, ..Rates::default() });
    assert_eq!(limits.sign_in(address("192.0.2.1")), Ok(()));
    assert_eq!(limits.sign_in(address("::ffff:192.0.2.1")), Err(RetryAfter(60)));
    assert_eq!(limits.sign_in(address("192.0.2.2")), Ok(()));
    assert_eq!(limits.page(address("192.0.2.1")), Ok(()), "counted apart");
    assert_eq!(limits.sign_in(address("2001:db8::1")), Ok(()));
    assert!(limits.sign_in(address("2001:db8::2:3:4:5")).is_err(), "the same /64");
    assert_eq!(limits.sign_in(address("2001:db8:0:1::1")), Ok(()));
}

#[test]
fn only_failures_block_and_only_their_source() {
    let limits = alone(Rates { failed_client_auth: 10, ..Rates::default() });
    let (bad, good) = (address("192.0.2.1"), address("192.0.2.2"));
    for _ in 0..10 {
        assert_eq!(limits.client_auth(bad), Ok(()));
        limits.client_auth_failed(bad);
    }
    assert_eq!(limits.client_auth(bad), Err(RetryAfter(6)));
    assert_eq!(limits.client_auth(good), Ok(()));
    limits.prune();
    assert!(limits.client_auth(bad).is_err(), "pruning forgives nothing");
}

#[test]
fn wrong_user_codes_are_counted_for_ten_minutes() {
    let limits = alone(Rates { user_codes: 10, ..Rates::default() });
    let source = address("192.0.2.1");
    for _ in 0..10 {
        assert_eq!(limits.user_code(source), Ok(()));
        limits.user_code_wrong(source);
    }
    assert_eq!(limits.user_code(source), Err(RetryAfter(60)));
    // Many at once, before one of them is found to be wrong.
    let other = address("192.0.2.2");
    assert!((0..100).all(|_| limits.user_code(other).is_ok()));
    assert!(limits.user_code(other).is_err());
}

#[tokio::test]
async fn what_one_node_let_pass_another_does_not() {
    let common = Common::new();
    let [one, other] = [(); 2].map(|()| limits(Rates::default(), true));
    assert!((0..10).all(|_| one.client("machine", None, 10).is_ok()));
    common.settle(&one).await;
    assert!(other.client("machine", None, 10).is_ok(), "decided by what is known");
    assert!(other.client("another", None, 10).is_ok());
    common.settle(&other).await;
    // What was let pass too much is paid back.
    assert_eq!(other.client("machine", None, 10), Err(RetryAfter(12)));
    let left = Allowance { per_minute: 10, left: 8, reset: 12 };
    assert_eq!(other.client("another", None, 10), Ok(Some(left)), "counted once");
    assert!(other.client("machine", None, 20).is_ok(), "another rate is another limit");
    // Who has nothing to tell learns nothing.
    assert_eq!(one.client("machine", None, 10), Err(RetryAfter(6)));
}

#[tokio::test]
async fn what_is_counted_while_it_is_settled_stays_counted() {
    let common = Common::new();
    let [one, other] = [(); 2].map(|()| limits(Rates::default(), true));
    for limits in [&one, &other] {
        assert!((0..4).all(|_| limits.client("machine", None, 10).is_ok()));
    }
    common.settle(&one).await;
    common.settle(&other).await;
    let left = |left| Ok(Some(Allowance { per_minute: 10, left, reset: (10 - left) * 6 }));
    assert_eq!(other.client("machine", None, 10), left(1));
    assert_eq!(one.client("machine", None, 10), left(5), "it knows of its own");
    common.settle(&one).await;
    assert_eq!(one.client("machine", None, 10), left(0));
    common.settle(&other).await;
    assert_eq!(other.client("machine", None, 10), Err(RetryAfter(6)));
}

#[tokio::test]
async fn nodes_that_count_at_the_same_moment_know_of_each_other() {
    let common = Common::new();
    let [one, other] = [(); 2].map(|()| limits(Rates::default(), true));
    for limits in [&one, &other] {
        assert!((0..10).all(|_| limits.client("machine", None, 10).is_ok()));
    }
    common.settle(&one).await;
    assert_eq!(one.client("machine", None, 10), Err(RetryAfter(6)));
    common.settle(&other).await;
    common.settle(&one).await;
    for limits in [&one, &other] {
        assert_eq!(limits.client("machine", None, 10), Err(RetryAfter(66)));
    }
}

#[tokio::test]
async fn who_fails_at_one_node_is_not_listened_to_at_another() {
    let common = Common::new();
    let rates = Rates { failed_client_auth: 10, user_codes: 10, ..Rates::default() };
    let [one, other] = [(); 2].map(|()| limits(rates, true));
    let source = address("192.0.2.1");
    for _ in 0..10 {
        one.client_auth_failed(source);
        one.user_code_wrong(source);
    }
    common.settle(&one).await;
    assert_eq!(other.client_auth(source), Ok(()));
    other.client_auth_failed(source);
    other.user_code_wrong(source);
    common.settle(&other).await;
    assert_eq!(other.client_auth(source), Err(RetryAfter(12)));
    assert_eq!(other.user_code(source), Err(RetryAfter(120)));
    assert_eq!(other.client_auth(address("192.0.2.2")), Ok(()));
}

#[tokio::test]
async fn while_the_store_is_away_each_node_goes_on_alone() {
    let mut common = Common::new();
    let [one, other] = [(); 2].map(|()| limits(Rates::default(), true));
    assert!((0..5).all(|_| one.client("machine", None, 10).is_ok()));
    common.store.close();
    for _ in 0..3 {
        one.settle(&common.store, &SystemClock).await.expect_err("it is closed");
    }
    assert!((0..5).all(|_| one.client("machine", None, 10).is_ok()));
    assert_eq!(one.client("machine", None, 10), Err(RetryAfter(6)));
    common.store = Common::open(common.folder.path());
    common.settle(&one).await;
    assert!(other.client("machine", None, 10).is_ok());
    common.settle(&other).await;
    // All ten are known, as if they had been taken when that was tried last.
    let refused = other.client("machine", None, 10);
    assert!(matches!(refused, Err(RetryAfter(12 | 13))), "{refused:?}");
}
