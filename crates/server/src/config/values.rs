//! The small types that settings are made of: periods, secrets, addresses.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use grantor_core::time::Seconds;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time in whole seconds, written as a number and one of `s`, `m`, `h`, `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(u32);

impl Period {
    /// `n` seconds.
    pub(crate) const fn of(n: u32) -> Self {
        Self(n)
    }

    /// As the protocol counts.
    pub(crate) const fn seconds(self) -> Seconds {
        Seconds(self.0)
    }

    /// As timers count.
    pub(crate) const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("\"{text}\" is not a period: write it like \"60s\", \"10m\", \"1h\", \"30d\"")
        };
        let (unit, seconds) =
            UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit)).ok_or_else(wrong)?;
        let number = text.strip_suffix(unit).ok_or_else(wrong)?;
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u32 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(seconds).map(Self).ok_or_else(|| format!("\"{text}\" is too long"))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, seconds): &(char, u32)| self.0 != 0 && self.0.is_multiple_of(*seconds);
        let (unit, seconds) = UNITS.into_iter().find(fits).unwrap_or(('s', 1));
        write!(f, "{}{unit}", self.0 / seconds)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "period", "pattern": "^[0-9]+[smhd]$" })
    }
}

/// A value that is never shown: neither by `Debug` nor when the settings are printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// A secret that comes from elsewhere than the settings.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value itself. Keep it out of logs and messages.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// Who may sign in: one address, everybody of a domain, or everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// `*`
    Any,
    /// `example.com` or `@example.com`, kept in lower case without the `@`.
    Domain(String),
    /// `someone@example.com`, kept in lower case.
    Address(String),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        if lower == "*" {
            return Ok(Self::Any);
        }
        let (local, domain) = lower.rsplit_once('@').unwrap_or(("", &lower));
        if !is_domain(domain) || local.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!(
                "\"{text}\" is not an address: write \"someone@example.com\", \"example.com\" for \
                 a whole domain, or \"*\" for everybody"
            ));
        }
        Ok(if local.is_empty() { Self::Domain(domain.into()) } else { Self::Address(lower) })
    }
}

fn is_domain(text: &str) -> bool {
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    text.split('.').all(label)
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Domain(domain) => write!(f, "@{domain}"),
            Self::Address(address) => f.write_str(address),
        }
    }
}

impl Serialize for Allowed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Allowed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Allowed {
    fn schema_name() -> Cow<'static, str> {
        "Allowed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "allowed" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_and_print_in_the_largest_whole_unit() {
        for (text, seconds, shown) in
            [("60s", 60, "1m"), ("1h", 3_600, "1h"), ("30d", 2_592_000, "30d"), ("90s", 90, "90s")]
        {
            let period: Period = text.parse().expect("a valid period");
            assert_eq!((period, period.to_string().as_str()), (Period::of(seconds), shown));
        }
        for wrong in ["", "s", "1", "-1s", "+1s", "1 h", "1w", "1.5h", "99999999d", "4é"] {
            assert!(wrong.parse::<Period>().is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn secrets_never_show() {
        let secret = Secret("hunter2".into());
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(serde_json::to_string(&secret).expect("a string"), "\"[redacted]\"");
    }

    #[test]
    fn allowed_addresses() {
        assert_eq!("*".parse(), Ok(Allowed::Any));
        assert_eq!("@Example.com".parse(), Ok(Allowed::Domain("example.com".into())));
        assert_eq!("example.com".parse(), Ok(Allowed::Domain("example.com".into())));
        assert_eq!("A@b.example".parse(), Ok(Allowed::Address("a@b.example".into())));
        for wrong in ["", "@", "a@", "*.example.com", "a b@example.com", "a@b@"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong:?} must be refused");
        }
    }
}
