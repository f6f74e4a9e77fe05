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

    /// The moment in UTC as RFC 3339 §5.6 writes it: `2027-01-15T08:00:00Z`. What is outside the
    /// years 0 to 9999 is written as the nearest end of them.
    pub fn rfc3339(self) -> String {
        const YEAR_0: i64 = -62_167_219_200;
        const YEAR_10_000: i64 = 253_402_300_800;
        let epoch = self.0.clamp(YEAR_0, YEAR_10_000 - 1);
        let (day, second) = (epoch.div_euclid(86_400), epoch.rem_euclid(86_400));
        let (year, month, day) = date(day);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// How long it is from this moment until `later`; zero when that has passed.
    pub fn until(self, later: Self) -> Seconds {
        let seconds = later.0.saturating_sub(self.0).max(0);
        Seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
    }
}

/// Year, month and day of a number of days since the epoch. Years are counted from March, so that
/// the day that not every year has is the last one.
const fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    // From the first of March of the year 0.
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(DAYS_IN_400_YEARS), days.rem_euclid(DAYS_IN_400_YEARS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (of_month, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = cycle * 400 + year + if month <= 2 { 1 } else { 0 };
    (year, month, of_month)
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

    #[test]
    fn moments_are_written_as_dates() {
        for (epoch, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_800_000_000, "2027-01-15T08:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_epoch(epoch).rfc3339(), text);
        }
    }
}
