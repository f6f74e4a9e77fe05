//! Times and lifetimes in words. Seconds in, `now` from the caller: nothing here reads a clock.

use fluent_bundle::FluentValue;
use jiff::{Timestamp, tz::TimeZone};
use minijinja::{Value, context};

use super::texts::{TextError, Texts};

/// 21 November 2026, 11:23:40 UTC: the present of every sample.
pub(super) const SAMPLE_NOW: i64 = 1_795_260_220;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A whole number of the unit that reads best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Seconds(u64),
    Minutes(u64),
    Hours(u64),
    Days(u64),
}

impl Span {
    fn of(seconds: u64) -> Self {
        match seconds {
            // Ninety minutes are not "1 hour", and 36 hours are not "1 day".
            _ if seconds >= 2 * DAY || seconds == DAY => Self::Days(seconds / DAY),
            _ if seconds >= 2 * HOUR || seconds == HOUR => Self::Hours(seconds / HOUR),
            _ if seconds >= MINUTE => Self::Minutes(seconds / MINUTE),
            _ => Self::Seconds(seconds),
        }
    }

    fn say(self, family: &str, texts: &Texts) -> Result<String, TextError> {
        let (unit, count) = match self {
            Self::Seconds(count) => ("seconds", count),
            Self::Minutes(count) => ("minutes", count),
            Self::Hours(count) => ("hours", count),
            Self::Days(count) => ("days", count),
        };
        texts.say(&format!("{family}-{unit}"), [("n", FluentValue::from(count))])
    }
}

/// How long something lasts: "10 minutes", "1 hour", "30 days".
pub(super) fn lifetime(seconds: u64, texts: &Texts) -> Result<String, TextError> {
    Span::of(seconds).say("span", texts)
}

/// What is left of a lifetime: "59 min left".
pub(super) fn left(seconds: u64, texts: &Texts) -> Result<String, TextError> {
    Span::of(seconds).say("left", texts)
}

/// How long to wait, never said shorter than it is: 61 seconds are "2 minutes". Days stay hours,
/// so that "in …" takes the same word in every language.
pub(super) fn wait(seconds: u64, texts: &Texts) -> Result<String, TextError> {
    let span = match seconds {
        _ if seconds > HOUR => Span::Hours(seconds.div_ceil(HOUR)),
        _ if seconds > MINUTE => Span::Minutes(seconds.div_ceil(MINUTE)),
        _ => Span::Seconds(seconds.max(1)),
    };
    span.say("span", texts)
}

/// A moment for a `<time>` element: `words` ("5 minutes ago"), `exact` for the title, `iso`.
pub(super) fn moment(at: i64, now: i64, texts: &Texts) -> Result<Value, TextError> {
    Ok(context! { words => words(at, now, texts)?, exact => exact(at), iso => iso(at) })
}

/// `2026-11-21 11:23:40 UTC`
pub(super) fn exact(at: i64) -> String {
    timestamp(at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn iso(at: i64) -> String {
    timestamp(at).to_string()
}

fn words(at: i64, now: i64, texts: &Texts) -> Result<String, TextError> {
    let ago = u64::try_from(now.saturating_sub(at)).unwrap_or(0);
    match ago {
        _ if ago < MINUTE => texts.say("ago-now", []),
        _ if ago < HOUR => Span::Minutes(ago / MINUTE).say("ago", texts),
        _ if ago < DAY => Span::Hours(ago / HOUR).say("ago", texts),
        _ if ago < 7 * DAY => Span::Days(ago / DAY).say("ago", texts),
        _ => date(at, texts),
    }
}

fn date(at: i64, texts: &Texts) -> Result<String, TextError> {
    let date = timestamp(at).to_zoned(TimeZone::UTC).date();
    texts.say(
        "date",
        [
            ("day", FluentValue::from(date.day())),
            ("month", FluentValue::from(date.month())),
            ("year", FluentValue::from(date.year())),
        ],
    )
}

/// A time outside the years that there are words for becomes the epoch.
fn timestamp(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {

    use super::{DAY, HOUR, SAMPLE_NOW, exact, left, lifetime, wait, words};
    use crate::pages::{Language, texts::Texts};

    #[test]
    fn lifetimes_read_well() {
        let texts = Texts::new(Language::En).unwrap();
        let said = |seconds| lifetime(seconds, &texts).unwrap();
        assert_eq!(said(45), "45 seconds");
        assert_eq!(said(600), "10 minutes");
        assert_eq!(said(HOUR), "1 hour");
        assert_eq!(said(90 * 60), "90 minutes");
        assert_eq!(said(36 * HOUR), "36 hours");
        assert_eq!(said(DAY), "1 day");
        assert_eq!(said(30 * DAY), "30 days");
    }

    #[test]
    fn what_is_left_is_rounded_down() {
        let texts = Texts::new(Language::En).unwrap();
        assert_eq!(left(3_599, &texts).unwrap(), "59 min left");
        assert_eq!(left(DAY, &texts).unwrap(), "1 day left");
    }

    #[test]
    fn a_wait_is_never_too_short() {
        let texts = Texts::new(Language::De).unwrap();
        let said = |seconds| wait(seconds, &texts).unwrap();
        assert_eq!(said(0), "1 Sekunde");
        assert_eq!(said(40), "40 Sekunden");
        assert_eq!(said(61), "2 Minuten");
        assert_eq!(said(HOUR + 1), "2 Stunden");
    }

    #[test]
    fn moments_read_well() {
        let texts = Texts::new(Language::En).unwrap();
        let said = |ago| words(SAMPLE_NOW - ago, SAMPLE_NOW, &texts).unwrap();
        assert_eq!(said(-90), "just now");
        assert_eq!(said(59), "just now");
        assert_eq!(said(60), "1 minute ago");
        assert_eq!(said(7_300), "2 hours ago");
        assert_eq!(said(3 * 86_400), "3 days ago");
        assert_eq!(said(45 * 86_400), "7 October 2026");
        let german = Texts::new(Language::De).unwrap();
        assert_eq!(words(SAMPLE_NOW - 864_000, SAMPLE_NOW, &german).unwrap(), "11. November 2026");
        assert_eq!(exact(SAMPLE_NOW), "2026-11-21 11:23:40 UTC");
        assert_eq!(exact(i64::MAX), "1970-01-01 00:00:00 UTC");
    }
}
