//! How many requests are answered: buckets per client and per source address (GCRA).

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

/// Come back after so many seconds, one at least: the value of the header `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) u32);

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// How many a minute.
    pub(crate) per_minute: u32,
    /// How many at once from now on.
    pub(crate) left: u32,
    /// Seconds until all of them are.
    pub(crate) reset: u32,
}

impl Allowance {
    /// `left` of `per_minute`.
    pub(crate) fn new(per_minute: u32, left: u32) -> Self {
        let used = u64::from(per_minute.saturating_sub(left));
        let reset = (used * 60).div_ceil(u64::from(per_minute.max(1)));
        Self { per_minute, left, reset: u32::try_from(reset).unwrap_or(u32::MAX) }
    }
}

/// How many a minute; 0 for no limit. A quiet minute can be used up at once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates {
    /// Failed client authentications of one source.
    pub(crate) failed_client_auth: u32,
    /// Sign-in attempts of one source.
    pub(crate) sign_in: u32,
    /// Wrong user codes of one source, in ten minutes.
    pub(crate) user_codes: u32,
    /// Page views of one source.
    pub(crate) pages: u32,
    /// Registrations of clients from one source.
    pub(crate) registrations: u32,
}

const MINUTE: Duration = Duration::from_secs(60);

/// The limits of this process. A source is an IPv4 address or an IPv6 /64, which is what one
/// subscriber gets.
pub(crate) struct Limits {
    hasher: RandomState,
    clients: RwLock<HashMap<NonZeroU32, Arc<Buckets>>>,
    failures: Option<Failures>,
    user_codes: Option<Failures>,
    lookups: Option<Buckets>,
    sign_in: Option<Buckets>,
    accounts: Option<Buckets>,
    pages: Option<Buckets>,
    registrations: Option<Buckets>,
}

impl Limits {
    /// Limits with nothing used up.
    pub(crate) fn new(rates: Rates) -> Self {
        let buckets = |rate| NonZeroU32::new(rate).map(Buckets::new);
        Self {
            hasher: RandomState::new(),
            clients: RwLock::default(),
            failures: NonZeroU32::new(rates.failed_client_auth)
                .map(|rate| Failures::new(rate, MINUTE)),
            user_codes: NonZeroU32::new(rates.user_codes)
                .map(|rate| Failures::new(rate, 10 * MINUTE)),
            // Right or wrong: for guesses that all come before the first of them was counted.
            lookups: NonZeroU32::new(rates.user_codes.saturating_mul(10))
                .map(|rate| Buckets::within(10 * MINUTE, rate)),
            sign_in: buckets(rates.sign_in),
            // Wider than for a source, so that nobody is locked out by one who guesses.
            accounts: buckets(rates.sign_in.saturating_mul(10)),
            pages: buckets(rates.pages),
            registrations: buckets(rates.registrations),
        }
    }

    /// Counts a token request of the registered client `id`, which may make `per_minute`, and says
    /// what is left. With a source, each source has a budget of its own.
    pub(crate) fn client(
        &self,
        id: &str,
        source: Option<IpAddr>,
        per_minute: u32,
    ) -> Result<Option<Allowance>, RetryAfter> {
        let Some(rate) = NonZeroU32::new(per_minute) else {
            return Ok(None);
        };
        let known = self.clients.read().unwrap_or_else(PoisonError::into_inner).get(&rate).cloned();
        let buckets = known.unwrap_or_else(|| {
            let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(clients.entry(rate).or_insert_with(|| Arc::new(Buckets::new(rate))))
        });
        let left =
            buckets.left_after(self.key((id, source.map(|source| self.source_key(source)))))?;
        Ok(Some(Allowance::new(per_minute, left)))
    }

    /// Whether `source` may try to authenticate a client. Asked before looking at the credentials,
    /// so that guessing on does not pay.
    pub(crate) fn client_auth(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.failures.as_ref().map_or(Ok(()), |f| f.check(|| self.source_key(source)))
    }

    /// Counts a failed client authentication from `source`.
    pub(crate) fn client_auth_failed(&self, source: IpAddr) {
        if let Some(failures) = &self.failures {
            failures.count(self.source_key(source));
        }
    }

    /// Whether `source` may try a user code. Asked before looking it up.
    pub(crate) fn user_code(&self, source: IpAddr) -> Result<(), RetryAfter> {
        let key = || self.source_key(source);
        self.user_codes.as_ref().map_or(Ok(()), |failures| failures.check(key))?;
        self.lookups.as_ref().map_or(Ok(()), |buckets| buckets.take(key()))
    }

    /// Counts a wrong user code from `source`.
    pub(crate) fn user_code_wrong(&self, source: IpAddr) {
        if let Some(failures) = &self.user_codes {
            failures.count(self.source_key(source));
        }
    }

    /// Counts a sign-in attempt from `source`.
    pub(crate) fn sign_in(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.sign_in.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Counts an attempt to sign in to the account `name`, from wherever it comes.
    pub(crate) fn account(&self, name: &str) -> Result<(), RetryAfter> {
        let name = name.trim().to_lowercase();
        self.accounts.as_ref().map_or(Ok(()), |b| b.take(self.key(&name)))
    }

    /// Counts a page view from `source`.
    pub(crate) fn page(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.pages.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Counts an attempt to register a client from `source`.
    pub(crate) fn registration(&self, source: IpAddr) -> Result<(), RetryAfter> {
        self.registrations.as_ref().map_or(Ok(()), |b| b.take(self.source_key(source)))
    }

    /// Forgets buckets that are full again. To be called each minute.
    pub(crate) fn prune(&self) {
        let clients = self.clients.read().unwrap_or_else(PoisonError::into_inner).clone();
        clients.values().for_each(|buckets| buckets.prune());
        let empty = |buckets: &Buckets| buckets.limiter.is_empty();
        let mut clients = self.clients.write().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|_, buckets| !empty(buckets));
        drop(clients);
        [&self.sign_in, &self.accounts, &self.lookups, &self.pages, &self.registrations]
            .into_iter()
            .flatten()
            .for_each(Buckets::prune);
        self.failures.iter().chain(&self.user_codes).for_each(Failures::prune);
    }

    fn key(&self, name: impl Hash) -> u64 {
        // Eight bytes for a name of any length; with a random seed nobody can choose to collide.
        self.hasher.hash_one(name)
    }

    fn source_key(&self, source: IpAddr) -> u64 {
        match source.to_canonical() {
            IpAddr::V4(address) => self.key(address.octets()),
            IpAddr::V6(address) => self.key(&address.segments()[..4]),
        }
    }
}

/// One rate for many keys, with bounded memory.
struct Buckets {
    limiter:
        RateLimiter<u64, DefaultKeyedStateStore<u64>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    fresh: AtomicUsize,
    crowded: AtomicBool,
    burst: u32,
}

/// Buckets of one kind that are kept exactly, about 5 MB of them.
const MOST_BUCKETS: usize = 100_000;

/// Once there are more, new ones share so many.
const SHARED_BUCKETS: u64 = 16_384;

/// New buckets after which it is time to look whether old ones can go.
const PRUNE_AFTER: usize = 10_000;

impl Buckets {
    fn new(per_minute: NonZeroU32) -> Self {
        Self::within(MINUTE, per_minute)
    }

    /// So many in `period`.
    fn within(period: Duration, count: NonZeroU32) -> Self {
        let each = Quota::with_period(period / count.get());
        let quota = each.unwrap_or(Quota::per_minute(count)).allow_burst(count);
        Self {
            limiter: RateLimiter::keyed(quota).with_middleware(),
            clock: DefaultClock::default(),
            fresh: AtomicUsize::new(0),
            crowded: AtomicBool::new(false),
            burst: count.get(),
        }
    }

    fn take(&self, key: u64) -> Result<(), RetryAfter> {
        self.left_after(key).map(|_| ())
    }

    /// Takes one and says how many are left.
    fn left_after(&self, key: u64) -> Result<u32, RetryAfter> {
        let crowded = self.crowded.load(Ordering::Relaxed);
        let key = if crowded { key % SHARED_BUCKETS } else { key };
        match self.limiter.check_key(&key) {
            Ok(bucket) => {
                let left = bucket.remaining_burst_capacity();
                if left + 1 >= self.burst {
                    self.grown();
                }
                Ok(left)
            }
            Err(until) => Err(retry_after(until.wait_time_from(self.clock.now()))),
        }
    }

    /// Somebody who comes from ever new addresses must not fill the memory between two prunings.
    fn grown(&self) {
        if self.fresh.fetch_add(1, Ordering::Relaxed) + 1 >= PRUNE_AFTER {
            self.fresh.store(0, Ordering::Relaxed);
            if self.limiter.len() > PRUNE_AFTER {
                self.prune();
            }
        }
    }

    fn prune(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.crowded.store(self.limiter.len() > MOST_BUCKETS, Ordering::Relaxed);
    }
}

fn retry_after(wait: Duration) -> RetryAfter {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    RetryAfter(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX))
}

/// Sources that failed too often, and until when they are not listened to.
struct Failures {
    buckets: Buckets,
    blocked: RwLock<HashMap<u64, Instant>>,
    /// Until one more may be tried.
    pause: RetryAfter,
    /// So that a server without attackers takes no lock.
    any: AtomicBool,
}

impl Failures {
    fn new(count: NonZeroU32, period: Duration) -> Self {
        let buckets = Buckets::within(period, count);
        let pause = retry_after(period / count.get());
        Self { buckets, blocked: RwLock::default(), pause, any: AtomicBool::new(false) }
    }

    fn check(&self, key: impl FnOnce() -> u64) -> Result<(), RetryAfter> {
        if !self.any.load(Ordering::Relaxed) {
            return Ok(());
        }
        let blocked = self.blocked.read().unwrap_or_else(PoisonError::into_inner);
        let until = blocked.get(&key()).map(|until| until.duration_since(Instant::now()));
        until.filter(|left| !left.is_zero()).map_or(Ok(()), |left| Err(retry_after(left)))
    }

    fn count(&self, key: u64) {
        let RetryAfter(seconds) = match self.buckets.left_after(key) {
            Ok(0) => self.pause,
            Ok(_) => return,
            Err(later) => later,
        };
        let until = Instant::now() + Duration::from_secs(seconds.into());
        let mut blocked = self.blocked.write().unwrap_or_else(PoisonError::into_inner);
        if blocked.len() >= MOST_BUCKETS {
            blocked.retain(|_, until| *until > Instant::now());
        }
        if blocked.len() < MOST_BUCKETS {
            blocked.insert(key, until);
            self.any.store(true, Ordering::Relaxed);
        }
    }

    fn prune(&self) {
        self.buckets.prune();
        let mut blocked = self.blocked.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        blocked.retain(|_, until| *until > now);
        self.any.store(!blocked.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_client_has_its_own_rate() {
        let limits = Limits::new(Rates::default());
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
        let limits = Limits::new(Rates { sign_in: 1, pages: 1, ..Rates::default() });
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
        let limits = Limits::new(Rates { failed_client_auth: 10, ..Rates::default() });
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
        let limits = Limits::new(Rates { user_codes: 10, ..Rates::default() });
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

    #[test]
    fn memory_is_bounded() {
        let buckets = Buckets::new(NonZeroU32::new(1).expect("one"));
        for key in 0..400_000_u64 {
            let _ = buckets.take(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        let most = MOST_BUCKETS + 2 * PRUNE_AFTER + 16_384;
        assert!(buckets.limiter.len() <= most, "{}", buckets.limiter.len());
        assert!(buckets.crowded.load(Ordering::Relaxed));
    }
}
