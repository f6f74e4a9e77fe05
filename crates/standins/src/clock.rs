//! The stand-in's clock: the time of day, and what was added to it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Goes on as time does, and can be moved forward. The clocks of the callers stay where they are.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Seconds.
    ahead: AtomicI64,
}

impl Clock {
    /// Seconds since 1970, by which everything at the stand-in expires.
    pub(crate) fn now(&self) -> i64 {
        Self::real() + self.ahead()
    }

    /// Seconds since 1970 as the callers see them: what a signed token has to be dated by, or
    /// nobody would take it once the clock was moved.
    #[expect(clippy::disallowed_methods, reason = "a stand-in is the outside that others call")]
    pub(crate) fn real() -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// How far the clock was moved, in seconds.
    pub(crate) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Moves the clock forward by so many seconds.
    pub(crate) fn advance(&self, seconds: u32) {
        self.ahead.fetch_add(i64::from(seconds), Ordering::SeqCst);
    }

    /// Back to the time of day.
    pub(crate) fn reset(&self) {
        self.ahead.store(0, Ordering::SeqCst);
    }
}
