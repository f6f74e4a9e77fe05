//! The small texts that a description is made of: periods, places in an answer, methods.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::description::Expiry;
use crate::outbound::Method;
use crate::time::Seconds;

/// Gives a text type its place in serde and in the schema, where `$format` names it.
macro_rules! text_type {
    ($type:ty, $format:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $format.into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}
pub(crate) use text_type;

/// A length of time: a number and one of `s`, `m`, `h`, `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Seconds);

text_type!(Period, "period");

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not a period: write it like \"60s\", \"1h\" or \"30d\"");
        let number = text.strip_suffix(['s', 'm', 'h', 'd']).ok_or_else(wrong)?;
        let unit = match text.as_bytes().last() {
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            Some(_) | None => 1,
        };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(unit));
        match seconds {
            Some(0) => Err(format!("{text:?} is no time at all: leave the key out")),
            Some(seconds) => Ok(Self(Seconds(seconds))),
            None => Err(format!("{text:?} is too long")),
        }
    }
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self::Never),
            other => other.parse().map(Self::After),
        }
    }
}

text_type!(Expiry, "period or never");

/// A place in a JSON document: RFC 6901.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(String);

text_type!(Pointer, "JSON pointer");

impl Pointer {
    /// One that stands in the program.
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is there; `null` and an empty text count as nothing.
    pub(crate) fn find<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        document.pointer(&self.0).filter(|found| !found.is_null() && **found != "")
    }

    /// The text that is there, or the number as text.
    pub(crate) fn text(&self, document: &Value) -> Option<String> {
        self.find(document).and_then(plain)
    }
}

/// A text, or a number as text.
pub(crate) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl FromStr for Pointer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // RFC 6901 §3: empty, or `/` before each token; `~` is followed by 0 or 1.
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if (text.is_empty() || text.starts_with('/')) && escaped {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("{text:?} is not a JSON pointer (RFC 6901): write it like \"/data/id\""))
    }
}

/// Where something about an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the document that names the account.
    Document(Pointer),
    /// A variable of the connection.
    Variable(String),
}

text_type!(Place, "JSON pointer or $variable");

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('$') {
            Some(name) => Ok(Self::Variable(name.to_owned())),
            None => text.parse().map(Self::Document),
        }
    }
}

/// A method, as its schema.
pub(crate) struct MethodName;

impl JsonSchema for MethodName {
    fn schema_name() -> Cow<'static, str> {
        "Method".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["GET", "POST", "DELETE"] })
    }
}

/// Reads a method.
pub(crate) fn method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        "DELETE" => Ok(Method::Delete),
        other => Err(de::Error::custom(format!("{other:?} is not GET, POST or DELETE"))),
    }
}

/// Reads a method that may be left out.
pub(crate) fn some_method<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Method>, D::Error> {
    method(deserializer).map(Some)
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0;
        let (unit, name) = [(86_400, "d"), (3_600, "h"), (60, "m")]
            .into_iter()
            .find(|(unit, _)| seconds.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}
