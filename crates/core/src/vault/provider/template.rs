//! Texts with gaps: `https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token`.

use std::borrow::Cow;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use super::text::text_type;

/// A text with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    number: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Gap(String),
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(i64),
        }
        let (text, number) = match Written::deserialize(deserializer)? {
            Written::Text(text) => (text, false),
            Written::Number(number) => (number.to_string(), true),
        };
        let template: Self = text.parse().map_err(de::Error::custom)?;
        Ok(Self { number, ..template })
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "text with {variables}".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "format": "text with {variables}" })
    }
}

impl Template {
    /// Whether it was written as a number, and is one in JSON.
    pub(crate) const fn is_number(&self) -> bool {
        self.number
    }

    /// The names in the gaps.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Gap(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with the gaps filled; `None` when a value is not there.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let filled = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Gap(name) => value(name),
        });
        filled.collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} has a brace without its pair, or no name in a pair");
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(wrong)?;
            let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.".contains(&b);
            if name.is_empty() || !name.bytes().all(named) || before.contains('}') {
                return Err(wrong());
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Gap(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(wrong());
        }
        if !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
            return Err(format!("{text:?} has characters that are not printable ASCII"));
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self { parts, number: false })
    }
}

/// A URL with gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlTemplate(Template);

text_type!(UrlTemplate, "URL with {variables}");

/// In which part of a URL a gap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// At the beginning: the value has the scheme.
    Start,
    /// The whole host, a port perhaps included.
    Host,
    /// A part of the host.
    Label,
    /// In the path or the query.
    Path,
}

impl UrlTemplate {
    /// The names in the gaps.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = &str> {
        self.0.gaps()
    }

    /// Whether it is asked for without TLS, at a host that is not this machine.
    pub(crate) fn in_clear(&self) -> bool {
        let Some(Part::Text(text)) = self.0.parts.first() else { return false };
        let host = text.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
        host.is_some_and(|host| !["localhost", "127.0.0.1"].contains(&host))
    }

    /// The URL; `None` when a value is not there, or it comes out as no URL.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        // An issuer may end with a slash, and a path follows it.
        let trimmed = |name: &str| value(name).map(|text| text.trim_end_matches('/').to_owned());
        let filled = match self.0.parts.as_slice() {
            [Part::Gap(only)] => value(only)?,
            _ => self.0.fill(trimmed)?,
        };
        is_call(&filled).then_some(filled)
    }

    /// Each gap, with the part of the URL that it is in.
    pub(crate) fn positions(&self) -> Vec<(&str, Position)> {
        let mut before = String::new();
        let mut found = Vec::new();
        for (at, part) in self.0.parts.iter().enumerate() {
            match part {
                Part::Text(text) => before.push_str(text),
                Part::Gap(name) => {
                    let after = self.0.parts.get(at + 1);
                    found.push((name.as_str(), position(&before, after)));
                    before.push('x');
                }
            }
        }
        found
    }
}

fn position(before: &str, after: Option<&Part>) -> Position {
    let Some((_, rest)) = before.split_once("://") else {
        return if before.is_empty() { Position::Start } else { Position::Path };
    };
    let ends = match after {
        None => true,
        Some(Part::Text(text)) => text.starts_with(['/', '?']),
        Some(Part::Gap(_)) => false,
    };
    match rest {
        "" if ends => Position::Host,
        host if host.contains(['/', '?']) => Position::Path,
        _ => Position::Label,
    }
}

impl FromStr for UrlTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let template: Template = text.parse()?;
        let sample = |_: &str| Some("x".to_owned());
        let starts_with_gap = matches!(template.parts.first(), Some(Part::Gap(_)));
        let filled = template.fill(sample).unwrap_or_default();
        let whole = match filled.strip_prefix('x').filter(|_| starts_with_gap) {
            Some(rest) => format!("https://x{rest}"),
            None => filled,
        };
        if !is_call(&whole) || text.contains(['#', ' ', '"', '<', '>', '\\']) {
            return Err(format!(
                "{text:?} is not a URL that can be called: write it like \
                 \"https://api.example.com/oauth/token\", without fragment, user name or spaces"
            ));
        }
        Ok(Self(template))
    }
}

/// Whether a text is an `http` or `https` URL without credentials and fragment.
pub(crate) fn is_call(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && plain
}
