//! Who may be asked now: limits of an integration, a provider that wants to be left alone, and one
//! that does not answer.
//!
//! In memory: each process keeps its own, and forgets when it ends. What must be known longer is in
//! the store: a pause, and when a connection may be tried again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::when;
use crate::id::ConnectionId;
use crate::ports::Entropy;
use crate::time::{Seconds, Timestamp};
use crate::vault::Integration;

/// Failures in a row after which an address counts as away.
const AWAY_AFTER: u32 = 5;
/// Addresses that are remembered as failing.
const MOST_ADDRESSES: usize = 1_000;
const MINUTE: u64 = 60_000;
/// How often a good token is replaced because somebody wants another one: at once, and how long
/// there is between two in the long run. An endpoint that refuses every token would have each of its
/// callers make a refresh.
const FORCED_AT_ONCE: u32 = 10;
const FORCED_EACH: Seconds = Seconds(30);
/// Connections that are remembered as forced.
const MOST_FORCED: usize = 10_000;

/// Limits, and what is left alone.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lanes: HashMap<String, Lane>,
    addresses: HashMap<String, Breaker>,
    /// When the bucket of a connection is empty again.
    forced: HashMap<ConnectionId, Timestamp>,
}

/// What is known of one integration.
#[derive(Debug, Default)]
struct Lane {
    running: u32,
    /// When the bucket is empty again, in milliseconds since the epoch.
    drained_at: u64,
    shut: Option<(Timestamp, Shut)>,
}

/// Why an integration is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shut {
    /// The provider wants fewer requests.
    Throttled,
    /// The provider refuses our client.
    Paused,
    /// The provider refuses what it is asked.
    Refused,
    /// The provider did not answer, or not so that it can be read.
    Away,
}

impl Shut {
    /// For the caller, after "none to be had now:".
    pub const fn why(self) -> &'static str {
        match self {
            Self::Throttled => "the provider wants fewer requests",
            Self::Paused => {
                "the provider refuses this server's client id or secret, which the operator has to \
                 correct"
            }
            Self::Refused => {
                "the provider refuses the request, which the operator has to look into"
            }
            Self::Away => "the provider does not answer as it should",
        }
    }

    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Paused => "client_broken",
            Self::Refused => "bad_request",
            Self::Away => "transient",
        }
    }
}

#[derive(Debug)]
struct Breaker {
    failures: u32,
    open_until: Timestamp,
}

/// Leave to make one call; given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    gate: &'a Gate,
    integration: &'a str,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(lane) = self.gate.lock().lanes.get_mut(self.integration) {
            lane.running = lane.running.saturating_sub(1);
        }
    }
}

impl Gate {
    /// Leave for one call, or how long to wait before asking again. A minute's calls may be made at
    /// once, as far as they may run at once.
    pub fn enter<'a>(
        &'a self,
        integration: &'a Integration,
        millis: u64,
    ) -> Result<Permit<'a>, Duration> {
        let mut inner = self.lock();
        let lane = inner.lanes.entry(integration.name.clone()).or_default();
        if lane.running >= integration.concurrency.max(1) {
            return Err(Duration::from_millis(100));
        }
        if integration.per_minute > 0 {
            let each = MINUTE / u64::from(integration.per_minute);
            let drained_at = lane.drained_at.max(millis) + each;
            let over = drained_at.saturating_sub(millis + MINUTE);
            if over > 0 {
                return Err(Duration::from_millis(over));
            }
            lane.drained_at = drained_at;
        }
        lane.running += 1;
        Ok(Permit { gate: self, integration: &integration.name })
    }

    /// Whether there is room for a call now, without taking it.
    pub fn has_room(&self, integration: &Integration, millis: u64) -> bool {
        let inner = self.lock();
        inner.lanes.get(&integration.name).is_none_or(|lane| {
            let limited = integration.per_minute > 0;
            lane.running < integration.concurrency.max(1)
                && !(limited && lane.drained_at >= millis + MINUTE)
        })
    }

    /// Leaves an integration alone until then.
    pub fn shut(&self, integration: &str, until: Timestamp, why: Shut) {
        let mut inner = self.lock();
        let lane = inner.lanes.entry(integration.to_owned()).or_default();
        if lane.shut.is_none_or(|(before, _)| before < until) {
            lane.shut = Some((until, why));
        }
    }

    /// Takes an integration up again.
    pub fn open(&self, integration: &str) {
        if let Some(lane) = self.lock().lanes.get_mut(integration) {
            lane.shut = None;
        }
    }

    /// For how long an integration is left alone, and why.
    pub fn is_shut(&self, integration: &str, now: Timestamp) -> Option<(Seconds, Shut)> {
        let (until, why) = self.lock().lanes.get(integration)?.shut?;
        (now < until).then(|| (now.until(until), why))
    }

    /// Whether `address` may be tried: one that is away, by one caller at a time after a pause, who
    /// has until `deadline`. Else how long to wait.
    pub fn try_address(
        &self,
        address: &str,
        deadline: Seconds,
        now: Timestamp,
    ) -> Result<(), Seconds> {
        let mut inner = self.lock();
        let Some(breaker) = inner.addresses.get_mut(address) else {
            return Ok(());
        };
        if breaker.failures < AWAY_AFTER {
            return Ok(());
        }
        if now < breaker.open_until {
            return Err(now.until(breaker.open_until));
        }
        breaker.open_until = now.plus(deadline);
        Ok(())
    }

    /// Leave to replace a token of `connection` that is good for a while; else how long to wait.
    pub fn may_force(&self, connection: ConnectionId, now: Timestamp) -> Result<(), Seconds> {
        let mut inner = self.lock();
        let drained_at = inner.forced.get(&connection).map_or(now, |at| now.max(*at));
        let drained_at = drained_at.plus(FORCED_EACH);
        let over = now.plus(Seconds(FORCED_EACH.0 * FORCED_AT_ONCE)).until(drained_at);
        if over > Seconds(0) {
            return Err(over);
        }
        if inner.forced.len() >= MOST_FORCED {
            inner.forced.retain(|_, at| now < *at);
        }
        if inner.forced.len() >= MOST_FORCED {
            inner.forced.clear();
        }
        inner.forced.insert(connection, drained_at);
        Ok(())
    }

    /// Remembers that `address` did not answer.
    pub fn failed(&self, address: &str, entropy: &dyn Entropy, now: Timestamp) {
        let mut inner = self.lock();
        if inner.addresses.len() >= MOST_ADDRESSES && !inner.addresses.contains_key(address) {
            inner.addresses.clear();
        }
        let new = Breaker { failures: 0, open_until: now };
        let breaker = inner.addresses.entry(address.to_owned()).or_insert(new);
        breaker.failures = breaker.failures.saturating_add(1);
        if breaker.failures >= AWAY_AFTER {
            breaker.open_until = now.plus(when::pause(breaker.failures - AWAY_AFTER + 1, entropy));
        }
    }

    /// Forgets failures: it has answered.
    pub fn works(&self, address: &str) {
        self.lock().addresses.remove(address);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a URL that tells one endpoint from another.
pub(super) fn address(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::id::Id;
    use crate::model::Scope;
    use crate::ports::testing::SeededEntropy;
    use crate::vault::{IntegrationKind, provider};

    const NOW: Timestamp = Timestamp::from_epoch(1_800_000_000);
    const MILLIS: u64 = 1_800_000_000_000;

    fn integration(concurrency: u32, per_minute: u32) -> Integration {
        let providers = provider::load([]).expect("the built-in ones are good");
        Integration {
            name: "google".to_owned(),
            label: "Google".to_owned(),
            provider: providers["google"].clone(),
            client_id: "ours".to_owned(),
            client_secret: None,
            scope: Scope::default(),
            required: Scope::default(),
            variables: BTreeMap::new(),
            kind: IntegrationKind::Person,
            redirect_uri: String::new(),
            self_service: true,
            link: false,
            proxy: false,
            concurrency,
            per_minute,
        }
    }

    #[test]
    fn a_good_token_is_replaced_ten_times_and_then_every_half_a_minute() {
        let gate = Gate::default();
        let [own, other] = [1, 2].map(|n| ConnectionId(Id::from_bytes([n; 16])));
        assert!((0..10).all(|_| gate.may_force(own, NOW).is_ok()));
        assert_eq!(gate.may_force(own, NOW), Err(Seconds(30)));
        assert_eq!(gate.may_force(own, NOW.plus(Seconds(29))), Err(Seconds(1)));
        assert!(gate.may_force(other, NOW).is_ok());
        let later = NOW.plus(Seconds(30));
        assert!(gate.may_force(own, later).is_ok() && gate.may_force(own, later).is_err());
    }

    #[test]
    fn so_many_run_at_once_and_leave_is_given_back() {
        let (gate, google) = (Gate::default(), integration(2, 0));
        let first = gate.enter(&google, MILLIS).expect("room");
        let _second = gate.enter(&google, MILLIS).expect("room");
        assert!(gate.enter(&google, MILLIS).is_err() && !gate.has_room(&google, MILLIS));
        drop(first);
        assert!(gate.has_room(&google, MILLIS) && gate.enter(&google, MILLIS).is_ok());
    }

    #[test]
    fn a_minute_has_so_many_and_no_more() {
        let (gate, google) = (Gate::default(), integration(100, 6));
        let made = |at| (0..50).filter(|_| gate.enter(&google, MILLIS + at).is_ok()).count();
        assert_eq!(made(0), 6, "a quiet minute can be used up at once");
        assert_eq!(gate.enter(&google, MILLIS).err(), Some(Duration::from_secs(10)));
        assert_eq!((made(9_999), made(10_000), made(30_000)), (0, 1, 2));
        assert_eq!(made(1_000_000), 6);
    }

    #[test]
    fn what_is_shut_opens_by_itself_or_by_word() {
        let gate = Gate::default();
        gate.shut("google", NOW.plus(Seconds(60)), Shut::Throttled);
        gate.shut("google", NOW.plus(Seconds(5)), Shut::Paused);
        let shut = gate.is_shut("google", NOW.plus(Seconds(20)));
        assert_eq!(shut, Some((Seconds(40), Shut::Throttled)), "the longer one holds");
        assert_eq!(gate.is_shut("github", NOW), None);
        assert_eq!(gate.is_shut("google", NOW.plus(Seconds(60))), None);
        gate.shut("google", NOW.plus(Seconds(99)), Shut::Away);
        gate.open("google");
        assert_eq!(gate.is_shut("google", NOW), None);
    }

    #[test]
    fn an_address_that_fails_is_tried_by_one_after_a_pause_that_grows() {
        let (gate, entropy, url) = (Gate::default(), SeededEntropy::new(1), "https://a.example/t");
        let ask = |at| gate.try_address(url, Seconds(10), at);
        for _ in 0..AWAY_AFTER - 1 {
            gate.failed(url, &entropy, NOW);
        }
        assert!(ask(NOW).is_ok(), "not yet");
        let mut now = NOW;
        for round in 1..20 {
            gate.failed(url, &entropy, now);
            let wait = ask(now).expect_err("it is left alone");
            assert!(wait.0 <= 2u32.saturating_pow(round).min(900), "{round}: {wait:?}");
            now = now.plus(wait);
            assert!(ask(now).is_ok());
            assert_eq!(ask(now), Err(Seconds(10)), "one at a time");
        }
        assert!(gate.try_address("https://b.example/t", Seconds(10), now).is_ok());
        gate.works(url);
        assert!(ask(now).is_ok() && ask(now).is_ok());
    }

    #[test]
    fn an_address_is_a_url_without_its_query() {
        assert_eq!(address("https://a.example/t?code=secret#x"), "https://a.example/t");
    }
}
