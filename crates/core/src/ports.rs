//! What the protocol needs from outside besides a store: time, randomness, password hashing.

use async_trait::async_trait;

use crate::time::Timestamp;

/// The time of day. Read once per request; what was read is passed down as a value.
pub trait Clock: Send + Sync {
    /// The present second.
    fn now(&self) -> Timestamp;

    /// Milliseconds since the epoch, for row ids only.
    fn millis(&self) -> u64;
}

/// Unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// A slow password hash, run away from the threads that answer requests.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The PHC string of an argon2id hash of `password`.
    async fn hash(&self, password: &str) -> Result<String, Overloaded>;

    /// Whether `password` is the one behind `phc`. Without a `phc` (nobody of that name) it takes
    /// as long and answers no, so that timing does not tell who has an account.
    async fn verify(&self, password: &str, phc: Option<&str>) -> Result<bool, Overloaded>;
}

/// More passwords wait to be hashed than the queue holds.
#[derive(Debug, thiserror::Error)]
#[error("too many sign-ins at once")]
pub struct Overloaded;

/// Deterministic ports, for tests of this and the other crates.
pub mod testing {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::{Clock, Entropy};
    use crate::time::Timestamp;

    /// A clock that stands still until it is moved.
    #[derive(Debug)]
    pub struct ManualClock(AtomicI64);

    impl ManualClock {
        /// A clock that shows `epoch` seconds.
        pub const fn at(epoch: i64) -> Self {
            Self(AtomicI64::new(epoch))
        }

        /// Moves it `seconds` forward, or back when negative.
        pub fn advance(&self, seconds: i64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_epoch(self.0.load(Ordering::SeqCst))
        }

        fn millis(&self) -> u64 {
            u64::try_from(self.0.load(Ordering::SeqCst)).unwrap_or(0) * 1_000
        }
    }

    /// A counter run through SHA-256: never the same bytes twice, the same sequence every time.
    #[derive(Debug)]
    pub struct SeededEntropy(AtomicU64);

    impl SeededEntropy {
        /// A sequence of its own for each `seed`.
        pub const fn new(seed: u32) -> Self {
            Self(AtomicU64::new((seed as u64) << 32))
        }
    }

    impl Entropy for SeededEntropy {
        fn fill(&self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(32) {
                let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                let block = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &count);
                chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
            }
        }
    }
}
