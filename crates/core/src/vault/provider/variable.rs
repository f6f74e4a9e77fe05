//! Variables: what may fill a gap, how it must look, and where it comes from.
//!
//! Some values come from others: an operator mistypes, a browser brings back a data centre that
//! somebody has put into its address, an answer names a host that the next token is sent to. So
//! a value has one of a few forms, none of which can leave its place in a URL, and a host from
//! outside must be one of those that the description lists.

use schemars::JsonSchema;
use serde::Deserialize;

use super::template::is_call;

/// What may fill a gap.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variable {
    /// What it is, for whoever has to give it.
    #[serde(default)]
    pub(crate) about: Option<String>,
    /// Who gives it: the `operator` (in the settings of the integration), the `callback` (a
    /// parameter of it), or the token `answer`.
    #[serde(default)]
    pub(crate) from: Source,
    /// The name of the callback's parameter, or the JSON pointer into the token answer. Left out,
    /// the name of the variable.
    #[serde(default)]
    pub(crate) at: Option<String>,
    /// How it must look: `label` (one part of a host's name), `name` (letters, digits and `._-`),
    /// `digits`, `host` (a name, with a port or without), `origin` (`https://` and a host), `url`
    /// (an origin and a path).
    pub(crate) form: Form,
    /// The only values that are taken.
    #[serde(default)]
    pub(crate) one_of: Vec<String>,
    /// The hosts that are taken: a name, or `*.` and a name for everything below it.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// The value when nobody gives one.
    #[serde(default)]
    pub(crate) default: Option<String>,
}

/// Who gives a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// The operator, in the settings of an integration.
    #[default]
    Operator,
    /// The callback, as a parameter.
    Callback,
    /// The token answer.
    Answer,
}

/// How a value must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Form {
    /// One part of a host's name: letters, digits and inner hyphens, up to 63.
    Label,
    /// Letters, digits and `._-`, up to 100, beginning with a letter or digit.
    Name,
    /// Up to 30 digits.
    Digits,
    /// A host's name, with a port or without.
    Host,
    /// `https://` and a host; without TLS only on this machine.
    Origin,
    /// An origin and a path, without query.
    Url,
}

impl Form {
    /// Whether a value of it has a host in it.
    pub(crate) const fn has_host(self) -> bool {
        match self {
            Self::Host | Self::Origin | Self::Url => true,
            Self::Label | Self::Name | Self::Digits => false,
        }
    }

    /// Its name in a description, and what it is.
    pub(crate) const fn explained(self) -> &'static str {
        match self {
            Self::Label => "one part of a host's name (letters, digits, inner hyphens)",
            Self::Name => "letters, digits and ._-",
            Self::Digits => "digits",
            Self::Host => "a host such as gitlab.example.com",
            Self::Origin => "an origin such as https://eu.example.com",
            Self::Url => "a URL such as https://login.example.com/realm",
        }
    }
}

impl Variable {
    /// The value as it is kept, or what is wrong with it.
    pub(crate) fn accept(&self, value: &str) -> Result<String, String> {
        let value = match self.form {
            Form::Origin => value.trim_end_matches('/'),
            Form::Label | Form::Name | Form::Digits | Form::Host | Form::Url => value,
        };
        if !self.form.fits(value) {
            return Err(format!("it must be {}", self.form.explained()));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|own| own == value) {
            return Err(format!("it must be one of {}", self.one_of.join(", ")));
        }
        let listed = self.hosts.is_empty() || self.hosts.iter().any(|own| lists(own, value));
        if self.form.has_host() && !listed {
            return Err(format!("its host must be one of {}", self.hosts.join(", ")));
        }
        Ok(value.to_owned())
    }
}

impl Form {
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Label => is_label(value),
            Self::Name => is_name(value),
            Self::Digits => (1..=30).contains(&value.len()) && all(value, |b| b.is_ascii_digit()),
            Self::Host => is_host(value),
            Self::Origin => origin(value).is_some_and(|(_, rest)| rest.is_empty()),
            Self::Url => origin(value).is_some_and(|(_, path)| is_path(path)) && is_call(value),
        }
    }
}

fn all(value: &str, allowed: impl Fn(u8) -> bool) -> bool {
    value.bytes().all(allowed)
}

fn is_label(value: &str) -> bool {
    (1..=63).contains(&value.len())
        && all(value, |b| b.is_ascii_alphanumeric() || b == b'-')
        && !value.starts_with('-')
        && !value.ends_with('-')
}

fn is_name(value: &str) -> bool {
    (1..=100).contains(&value.len())
        && all(value, |b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_host(value: &str) -> bool {
    let (name, port) = value.split_once(':').map_or((value, None), |(n, p)| (n, Some(p)));
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|n| n.to_string() == port));
    port && name.len() <= 253 && name.split('.').all(is_label)
}

fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._~-".contains(&b);
    path.len() <= 500
        && all(path, plain)
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
}

/// The host of an origin and what follows it; without TLS only for this machine.
fn origin(value: &str) -> Option<(&str, &str)> {
    let clear = value.strip_prefix("http://");
    let rest = value.strip_prefix("https://").or(clear)?;
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let own = ["localhost", "127.0.0.1"].contains(&host.split(':').next().unwrap_or_default());
    (is_host(host) && (own || clear.is_none())).then_some((host, path))
}

/// Whether the entry of a list of hosts names the host of a value. A port must be in the entry,
/// but for this machine.
fn lists(entry: &str, value: &str) -> bool {
    let host = origin(value).map_or(value, |(host, _)| host).to_ascii_lowercase();
    names(entry, &host)
}

/// Whether the entry of a list of hosts names a host: the same, or below it after `*.`.
pub(crate) fn names(entry: &str, host: &str) -> bool {
    let (entry, host) = (entry.to_ascii_lowercase(), host.to_ascii_lowercase());
    if entry == "localhost" || entry == "127.0.0.1" {
        return host.split(':').next() == Some(&entry);
    }
    match entry.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        None => entry == host,
    }
}
