//! One rate for many keys, with bounded memory; and sources that are not listened to for a while.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::RetryAfter;
use super::shared::Teller;

/// One rate for many keys, with bounded memory.
pub(super) struct Buckets {
    limiter: RateLimiter<u64, Levels, DefaultClock, StateInformationMiddleware>,
    levels: Levels,
    clock: DefaultClock,
    /// When the limiter's time began.
    start: Instant,
    fresh: AtomicUsize,
    crowded: AtomicBool,
    burst: u32,
    /// How long it takes to earn one.
    unit: Duration,
}

/// Buckets of one kind that are kept exactly, about 6 MB of them.
pub(super) const MOST_BUCKETS: usize = 100_000;

/// Once there are more, new ones share so many.
pub(super) const SHARED_BUCKETS: u64 = 16_384;

/// New buckets after which it is time to look whether old ones can go.
const PRUNE_AFTER: usize = 10_000;

impl Buckets {
    /// So many in `period`; `teller` hears of what is taken, where nodes share it.
    pub(super) fn within(period: Duration, count: NonZeroU32, teller: Option<Teller>) -> Self {
        let unit = period / count.get();
        let quota = Quota::with_period(unit).unwrap_or(Quota::per_minute(count));
        let levels = Levels(Arc::new(Inner { levels: DashMap::new(), teller }));
        // What the other nodes took is placed by this: a moment too early at most.
        let start = Instant::now();
        let quota = quota.allow_burst(count);
        let limiter = RateLimiter::new(quota, levels.clone(), DefaultClock::default());
        Self {
            limiter,
            levels,
            clock: DefaultClock::default(),
            start,
            fresh: AtomicUsize::new(0),
            crowded: AtomicBool::new(false),
            burst: count.get(),
            unit,
        }
    }

    pub(super) fn take(&self, key: u64) -> Result<(), RetryAfter> {
        self.left_after(key).map(|_| ())
    }

    /// Takes one and says how many are left.
    pub(super) fn left_after(&self, key: u64) -> Result<u32, RetryAfter> {
        match self.limiter.check_key(&self.place(key)) {
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

    fn place(&self, key: u64) -> u64 {
        if self.crowded.load(Ordering::Relaxed) { key % SHARED_BUCKETS } else { key }
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

    pub(super) fn prune(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.crowded.store(self.limiter.len() > MOST_BUCKETS, Ordering::Relaxed);
    }

    /// How many keys are in use.
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }

    /// How many were taken since this was asked last.
    pub(super) fn taken(&self, key: u64) -> u32 {
        let level = self.levels.0.levels.get(&key);
        level.map_or(0, |level| level.taken.swap(0, Ordering::AcqRel))
    }

    /// What `count` of them cost, in milliseconds.
    pub(super) fn cost_ms(&self, count: u32) -> u64 {
        let micros = (self.unit * count).as_micros();
        u64::try_from((micros + 500) / 1_000).unwrap_or(u64::MAX)
    }

    /// Raises the level to what all nodes took: it is full again `ahead` after what was settled
    /// `began`, or later by what was taken here and is to be settled. Returns how long that is from
    /// now.
    pub(super) fn raise(&self, key: u64, began: Instant, ahead: Duration) -> Duration {
        if ahead.is_zero() {
            return Duration::ZERO;
        }
        let level = self.levels.0.levels.entry(key).or_default();
        let since = self.unit * level.taken.load(Ordering::Acquire);
        let full = nanos(began.duration_since(self.start) + ahead + since);
        let full = level.full.fetch_max(full, Ordering::AcqRel).max(full);
        Duration::from_nanos(full).saturating_sub(self.start.elapsed())
    }

    /// `count` that were taken were not settled. What was earned again meanwhile need not be.
    pub(super) fn not_settled(&self, key: u64, count: u32) {
        let Some(level) = self.levels.0.levels.get(&key) else {
            return;
        };
        let full = Duration::from_nanos(level.full.load(Ordering::Acquire));
        let owed = full.saturating_sub(self.start.elapsed());
        let most = owed.as_nanos().div_ceil(self.unit.as_nanos().max(1));
        self.levels.0.told(key, &level, count.min(u32::try_from(most).unwrap_or(u32::MAX)));
    }
}

/// The state of a limiter, with what the other nodes are still to be told.
#[derive(Clone)]
struct Levels(Arc<Inner>);

struct Inner {
    levels: DashMap<u64, Level>,
    teller: Option<Teller>,
}

#[derive(Default)]
struct Level {
    /// When the bucket is full again, in nanoseconds since the limiter was made; 0 for a new one.
    full: AtomicU64,
    /// How many were taken that the other nodes do not know of.
    taken: AtomicU32,
}

impl Inner {
    /// The other nodes are to hear of `count` that were taken.
    fn told(&self, key: u64, level: &Level, count: u32) {
        let Some(teller) = self.teller.as_ref().filter(|_| count > 0) else {
            return;
        };
        if level.taken.fetch_add(count, Ordering::AcqRel) == 0 && !teller.tell(key) {
            // More keys than are settled at once. These are counted here alone.
            level.taken.store(0, Ordering::Release);
        }
    }
}

impl Level {
    fn measure_and_replace<T, E>(
        &self,
        decide: impl Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    ) -> Result<T, E> {
        let mut before = self.full.load(Ordering::Acquire);
        loop {
            let known = NonZeroU64::new(before).map(|known| Nanos::new(known.get()));
            let (outcome, next) = decide(known)?;
            let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
            match self.full.compare_exchange_weak(before, next.as_u64(), success, failure) {
                Ok(_) => return Ok(outcome),
                Err(changed) => before = changed,
            }
        }
    }
}

impl StateStore for Levels {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if let Some(level) = self.0.levels.get(key) {
            let outcome = level.measure_and_replace(decide)?;
            self.0.told(*key, &level, 1);
            return Ok(outcome);
        }
        let level = self.0.levels.entry(*key).or_default();
        let outcome = level.measure_and_replace(decide)?;
        self.0.told(*key, &level, 1);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<u64> for Levels {
    fn retain_recent(&self, drop_below: Nanos) {
        let drop_below = drop_below.as_u64();
        self.0.levels.retain(|_, level| *level.full.get_mut() > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.0.levels.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.levels.len()
    }

    fn is_empty(&self) -> bool {
        self.0.levels.is_empty()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn retry_after(wait: Duration) -> RetryAfter {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    RetryAfter(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX))
}

/// Sources that failed too often, and until when they are not listened to.
pub(super) struct Failures {
    pub(super) buckets: Buckets,
    blocked: RwLock<HashMap<u64, Instant>>,
    period: Duration,
    /// Until one more may be tried.
    pause: RetryAfter,
    /// So that a server without attackers takes no lock.
    any: AtomicBool,
}

impl Failures {
    /// So many in `period`.
    pub(super) fn within(period: Duration, count: NonZeroU32, teller: Option<Teller>) -> Self {
        let buckets = Buckets::within(period, count, teller);
        let pause = retry_after(period / count.get());
        Self { buckets, blocked: RwLock::default(), period, pause, any: AtomicBool::new(false) }
    }

    pub(super) fn check(&self, key: impl FnOnce() -> u64) -> Result<(), RetryAfter> {
        if !self.any.load(Ordering::Relaxed) {
            return Ok(());
        }
        let blocked = self.blocked.read().unwrap_or_else(PoisonError::into_inner);
        let until = blocked.get(&key()).map(|until| until.duration_since(Instant::now()));
        until.filter(|left| !left.is_zero()).map_or(Ok(()), |left| Err(retry_after(left)))
    }

    pub(super) fn count(&self, key: u64) {
        let RetryAfter(seconds) = match self.buckets.left_after(key) {
            Ok(0) => self.pause,
            Ok(_) => return,
            Err(later) => later,
        };
        self.block(key, Duration::from_secs(seconds.into()));
    }

    /// Goes by what all nodes counted; see [`Buckets::raise`].
    pub(super) fn raise(&self, key: u64, began: Instant, ahead: Duration) {
        let full = self.buckets.raise(key, began, ahead);
        // One more may be tried when the bucket is empty but for one.
        let wait = (full + self.buckets.unit).saturating_sub(self.period);
        if !wait.is_zero() {
            self.block(key, wait);
        }
    }

    fn block(&self, key: u64, pause: Duration) {
        let until = Instant::now() + pause;
        let mut blocked = self.blocked.write().unwrap_or_else(PoisonError::into_inner);
        if blocked.len() >= MOST_BUCKETS {
            blocked.retain(|_, until| *until > Instant::now());
        }
        if blocked.len() < MOST_BUCKETS {
            blocked.insert(key, until);
            self.any.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn prune(&self) {
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
    use crate::limits::shared::{Exchange, Kind};

    /// With what they tell, which nobody settles.
    fn buckets(count: u32) -> (Buckets, Exchange) {
        let count = NonZeroU32::new(count).expect("some");
        let exchange = Exchange::new();
        let teller = exchange.teller(Kind::Page, count);
        (Buckets::within(Duration::from_secs(60), count, Some(teller)), exchange)
    }

    #[test]
    fn memory_is_bounded() {
        let (buckets, _exchange) = buckets(1);
        for key in 0..400_000_u64 {
            let _ = buckets.take(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        let most = MOST_BUCKETS + 2 * PRUNE_AFTER + 16_384;
        assert!(buckets.len() <= most, "{}", buckets.len());
        assert!(buckets.crowded.load(Ordering::Relaxed));
    }

    #[test]
    fn what_was_earned_again_need_not_be_settled() {
        let (slow, _exchange) = buckets(10);
        assert!((0..5).all(|_| slow.take(1).is_ok()));
        assert_eq!(slow.taken(1), 5);
        slow.not_settled(1, 5);
        assert_eq!((slow.taken(1), slow.taken(1), slow.taken(2)), (5, 0, 0));
        // A thousand a second.
        let (quick, _exchange) = buckets(60_000);
        let began = Instant::now();
        assert!((0..50).all(|_| quick.take(1).is_ok()));
        assert_eq!(quick.taken(1), 50);
        while began.elapsed() < Duration::from_millis(110) {
            std::hint::spin_loop();
        }
        quick.not_settled(1, 50);
        assert_eq!(quick.taken(1), 0);
    }

    #[test]
    fn a_level_is_raised_and_never_lowered() {
        let (buckets, _exchange) = buckets(10);
        let began = Instant::now();
        assert_eq!(buckets.left_after(1), Ok(9));
        assert_eq!(buckets.taken(1), 1);
        assert_eq!(buckets.left_after(1), Ok(8), "to be settled");
        let full = buckets.raise(1, began, Duration::from_secs(30));
        assert!(full <= Duration::from_secs(36) && full > Duration::from_secs(35), "{full:?}");
        assert_eq!(buckets.left_after(1), Ok(3));
        buckets.raise(1, began, Duration::from_secs(1));
        assert_eq!(buckets.left_after(1), Ok(2));
    }

    #[test]
    fn costs_are_whole_milliseconds() {
        assert_eq!(buckets(10).0.cost_ms(3), 18_000);
        assert_eq!(buckets(7).0.cost_ms(1), 8_571);
        assert_eq!(buckets(100_000).0.cost_ms(166), 100);
    }
}
