//! Scope: RFC 6749 §3.3.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Scope names in the order in which they were asked for, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

/// The text has characters that RFC 6749 §3.3 does not allow in a scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is printable ASCII without spaces, quotes or backslashes")]
pub struct ScopeError;

impl Scope {
    /// Reads space-separated names; repeated names are kept once.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut names: Vec<&str> = Vec::new();
        for name in text.split(' ').filter(|name| !name.is_empty()) {
            // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
            if !name.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
                return Err(ScopeError);
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Self(names.join(" ")))
    }

    /// The names separated by single spaces, as the protocol writes them.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each name.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|name| !name.is_empty())
    }

    /// Whether `name` is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|own| own == name)
    }

    /// The first name that `wider` does not have.
    pub fn first_outside(&self, wider: &Self) -> Option<&str> {
        self.iter().find(|name| !wider.contains(name))
    }

    /// The names of both, own ones first.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let added = other.iter().filter(|name| !self.contains(name));
        Self(self.iter().chain(added).collect::<Vec<_>>().join(" "))
    }

    /// The names for which `keep` says yes.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.iter().filter(|name| keep(name)).collect::<Vec<_>>().join(" "))
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).expect("valid scope")
    }

    #[test]
    fn order_is_kept_and_repetition_is_not() {
        assert_eq!(scope(" write  read write").as_str(), "write read");
        assert!(Scope::parse("read \"x\"").is_err());
        assert!(Scope::parse("läs").is_err());
    }

    #[test]
    fn sets_are_compared_by_name() {
        let wide = scope("openid read write");
        assert_eq!(scope("write read").first_outside(&wide), None);
        assert_eq!(scope("read admin").first_outside(&wide), Some("admin"));
        assert_eq!(scope("a b").union(&scope("b c")).as_str(), "a b c");
    }
}
