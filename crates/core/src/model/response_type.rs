//! What the authorization endpoint answers: RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Type
//! Encoding Practices §3 to §5.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A response type: any of code, token and ID token, but not none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseType {
    /// RFC 6749 §4.1.
    Code,
    /// RFC 6749 §4.2, the implicit grant.
    Token,
    /// OpenID Connect Core 1.0 §3.2.
    IdToken,
    /// OpenID Connect Core 1.0 §3.2.
    IdTokenToken,
    /// OpenID Connect Core 1.0 §3.3, hybrid.
    CodeToken,
    /// OpenID Connect Core 1.0 §3.3, hybrid.
    CodeIdToken,
    /// OpenID Connect Core 1.0 §3.3, hybrid.
    CodeIdTokenToken,
}

impl ResponseType {
    /// All that this server has.
    pub const ALL: [Self; 7] = [
        Self::Code,
        Self::Token,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeToken,
        Self::CodeIdToken,
        Self::CodeIdTokenToken,
    ];

    /// The value of the `response_type` parameter, its words in alphabetical order.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeToken => "code token",
            Self::CodeIdToken => "code id_token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    /// The response type with these words.
    // OAuth 2.0 Multiple Response Type Encoding Practices §2: the order of the words does not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        let sorted = words.join(" ");
        Self::ALL.into_iter().find(|own| own.as_str() == sorted)
    }

    /// Whether a code is part of it.
    pub const fn has_code(self) -> bool {
        match self {
            Self::Code | Self::CodeToken | Self::CodeIdToken | Self::CodeIdTokenToken => true,
            Self::Token | Self::IdToken | Self::IdTokenToken => false,
        }
    }

    /// Whether an access token is part of it.
    pub const fn has_token(self) -> bool {
        match self {
            Self::Token | Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken => true,
            Self::Code | Self::IdToken | Self::CodeIdToken => false,
        }
    }

    /// Whether an ID token is part of it.
    pub const fn has_id_token(self) -> bool {
        match self {
            Self::IdToken | Self::IdTokenToken | Self::CodeIdToken | Self::CodeIdTokenToken => true,
            Self::Code | Self::Token | Self::CodeToken => false,
        }
    }

    /// Whether anything but a code is part of it, which may not travel in a query.
    pub const fn is_front_channel(self) -> bool {
        self.has_token() || self.has_id_token()
    }
}

impl Serialize for ResponseType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ResponseType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("no response type of this server"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_response_type_have_no_order() {
        assert_eq!(
            ResponseType::parse("token id_token code"),
            Some(ResponseType::CodeIdTokenToken)
        );
        assert_eq!(ResponseType::parse("code"), Some(ResponseType::Code));
        for none in ["", "none", "code code", "code  token", "Code", "token code x"] {
            assert_eq!(ResponseType::parse(none), None, "{none}");
        }
    }
}
