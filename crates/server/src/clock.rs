//! The time of day and the system's randomness, as the core wants them.

use std::time::{SystemTime, UNIX_EPOCH};

use grantor_core::ports::{Clock, Entropy};
use grantor_core::time::Timestamp;

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let seconds = self.millis() / 1_000;
        Timestamp::from_epoch(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time of day"
    )]
    fn millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
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
