//! The time of day and the system's randomness, as the core wants them. Where nodes share a store,
//! its time is that of all of them, whatever their own clocks show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use grantor_core::ports::{Clock, Entropy};
use grantor_core::store::StoreError;
use grantor_core::time::Timestamp;

use crate::app::backend::Backend;

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        second_of(self.millis())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time of day"
    )]
    fn millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        whole_millis(since)
    }
}

/// The store's clock as this process reckons it: what the store told last, and what has passed since
/// by the monotonic clock, which nobody sets. It stands still while the machine is suspended, and is
/// right again with the next measurement.
#[derive(Debug)]
pub(crate) struct StoreClock {
    start: Instant,
    /// What the store's clock showed at `start`, in milliseconds since the epoch.
    at_start: AtomicU64,
}

impl StoreClock {
    /// Asks `backend` for the time; `None` for a file, which has none but the system's.
    pub(crate) async fn of(backend: &Backend) -> Result<Option<Arc<Self>>, StoreError> {
        let told = Told::by(backend).await?;
        Ok(told.map(|told| Arc::new(Self::new(&told))))
    }

    /// Asks `backend` again, and goes by what it tells.
    pub(crate) async fn measure(&self, backend: &Backend) -> Result<(), StoreError> {
        if let Some(told) = Told::by(backend).await? {
            self.correct(&told);
        }
        Ok(())
    }

    /// By how many milliseconds the clock of this machine is ahead of the store's; negative when it
    /// is behind.
    pub(crate) fn machine_ahead(&self) -> i64 {
        let [machine, store] = [SystemClock.millis(), self.millis()];
        i64::try_from(machine).unwrap_or(i64::MAX) - i64::try_from(store).unwrap_or(i64::MAX)
    }

    /// Half of the round trip is taken to be the way back.
    fn new(told: &Told) -> Self {
        let at_start = told.millis + told.round_trip() / 2;
        Self { start: told.answered, at_start: AtomicU64::new(at_start) }
    }

    /// A reading that fits what was told stays as it is, however long the answer took; another one
    /// becomes the nearest that fits, at once. So the clock goes back by no more than it must, which
    /// is by a few milliseconds where the store's clock is kept by NTP; and since moments are whole
    /// seconds, moving it slowly would serve nobody.
    fn correct(&self, told: &Told) {
        let since_start = whole_millis(told.answered.duration_since(self.start));
        let earliest = told.millis.saturating_sub(since_start);
        // The store tells whole milliseconds.
        let latest = earliest + told.round_trip() + 1;
        let shown = self.at_start.load(Ordering::Relaxed);
        self.at_start.store(shown.clamp(earliest, latest), Ordering::Relaxed);
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        second_of(self.millis())
    }

    fn millis(&self) -> u64 {
        self.at_start.load(Ordering::Relaxed) + whole_millis(self.start.elapsed())
    }
}

/// What a store told of its time.
struct Told {
    asked: Instant,
    answered: Instant,
    /// Since the epoch, at a moment between the two.
    millis: u64,
}

impl Told {
    async fn by(backend: &Backend) -> Result<Option<Self>, StoreError> {
        let asked = Instant::now();
        let millis = backend.time().await?;
        Ok(millis.map(|millis| Self { asked, answered: Instant::now(), millis }))
    }

    fn round_trip(&self) -> u64 {
        whole_millis(self.answered.duration_since(self.asked))
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn second_of(millis: u64) -> Timestamp {
    Timestamp::from_epoch(i64::try_from(millis / 1_000).unwrap_or(i64::MAX))
}

/// The random generator of the crypto library, seeded by the system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // It fails only where the machine has no randomness at all; going on would issue guessable
        // tokens.
        aws_lc_rs::rand::fill(bytes).expect("the system gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told `after` milliseconds, when the answer took `took`.
    fn told(start: Instant, after: u64, took: u64, millis: u64) -> Told {
        let answered = start + Duration::from_millis(after);
        Told { asked: answered - Duration::from_millis(took), answered, millis }
    }

    fn at_start(clock: &StoreClock) -> u64 {
        clock.at_start.load(Ordering::Relaxed)
    }

    #[test]
    fn half_of_the_round_trip_is_the_way_back() {
        let start = Instant::now() + Duration::from_secs(60);
        let clock = StoreClock::new(&told(start, 0, 40, 1_000_000));
        assert_eq!(at_start(&clock), 1_000_020);
    }

    #[test]
    fn the_clock_moves_by_no_more_than_what_was_told_demands() {
        let start = Instant::now() + Duration::from_secs(60);
        let clock = StoreClock::new(&told(start, 0, 0, 1_000_000));
        // After ten seconds, in an answer that took a second, it may be so or half a second later.
        for millis in [1_010_000, 1_009_500, 1_009_000] {
            clock.correct(&told(start, 10_000, 1_000, millis));
            assert_eq!(at_start(&clock), 1_000_000, "{millis} fits");
        }
        clock.correct(&told(start, 20_000, 4, 1_020_300));
        assert_eq!(at_start(&clock), 1_000_300, "it was behind");
        clock.correct(&told(start, 30_000, 4, 1_030_100));
        assert_eq!(at_start(&clock), 1_000_105, "it was ahead, by 195 at least");
    }

    #[test]
    fn it_goes_on_from_what_was_told() {
        let clock = StoreClock::new(&told(Instant::now(), 0, 0, 1_000_000));
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(3) {
            std::hint::spin_loop();
        }
        let shown = clock.millis();
        assert!((1_000_003..1_060_000).contains(&shown), "{shown}");
        assert_eq!(clock.now(), Timestamp::from_epoch(1_000));
    }
}
