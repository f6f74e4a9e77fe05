//! Time as the protocol counts it: whole seconds since 1970-01-01T00:00:00Z (RFC 7519 §2, NumericDate).

use serde::{Deserialize, Serialize};

/// A moment, in whole seconds since the epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `seconds` after the epoch.
    pub const fn from_epoch(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn epoch(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later; saturates instead of wrapping.
    #[must_use]
    pub const fn plus(self, seconds: Seconds) -> Self {
        Self(self.0.saturating_add(seconds.0 as i64))
    }

    /// The moment `seconds` earlier; saturates instead of wrapping.
    #[must_use]
    pub const fn minus(self, seconds: Seconds) -> Self {
        Self(self.0.saturating_sub(seconds.0 as i64))
    }

    /// How long it is from this moment until `later`; zero when that has passed.
    pub fn until(self, later: Self) -> Seconds {
        let seconds = later.0.saturating_sub(self.0).max(0);
        Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

/// A length of time in whole seconds, up to 136 years.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// `n` minutes.
    pub const fn minutes(n: u32) -> Self {
        Self(n * 60)
    }

    /// `n` hours.
    pub const fn hours(n: u32) -> Self {
        Self(n * 3_600)
    }

    /// `n` days.
    pub const fn days(n: u32) -> Self {
        Self(n * 86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let end = Timestamp::from_epoch(i64::MAX);
        assert_eq!(end.plus(Seconds::days(1)), end);
        assert_eq!(end.until(Timestamp::from_epoch(0)), Seconds(0));
        assert_eq!(Timestamp::from_epoch(0).until(end), Seconds(u32::MAX));
        assert_eq!(Timestamp::from_epoch(100).minus(Seconds(40)).epoch(), 60);
    }
}
