//! Row identifiers: version 7 UUIDs (RFC 9562 §5.7), so that new rows append to the end of an index.
//!
//! An id leaks the moment it was made and is not a secret. What must be secret has 256 random
//! bits of its own beside the id: see [`crate::secret`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ports::{Clock, Entropy};

/// A version 7 UUID: 48 bits of milliseconds, 74 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

impl Id {
    /// A new id at the clock's present millisecond.
    pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        let mut unique = [0; 10];
        entropy.fill(&mut unique);
        Self::from_parts(clock.millis(), unique)
    }

    /// The id of a millisecond, with 74 of these random bits.
    pub fn from_parts(millis: u64, unique: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&unique);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(bytes)
    }

    /// The id with these 16 bytes, as a store kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At once: a request writes several ids, and digit by digit they take longer than the rest of
        // its answer.
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|at| !matches!(at, 8 | 13 | 18 | 23));
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, digit) in places.zip(digits) {
            text[at] = b"0123456789abcdef"[usize::from(digit)];
        }
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a UUID of 36 characters.
#[derive(Debug, thiserror::Error)]
#[error("not an id: expected a UUID such as 0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3d")]
pub struct NotAnId;

impl FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let text = text.as_bytes();
        if text.len() != 36 || [8, 13, 18, 23].iter().any(|&i| text[i] != b'-') {
            return Err(NotAnId);
        }
        let mut digits = text.iter().filter(|&&b| b != b'-').map(|&b| nibble(b));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(NotAnId);
            };
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl ConnectionId {
    /// As callers of the vault see it: `con_` and the UUID.
    pub fn shown(self) -> String {
        format!("con_{self}")
    }

    /// Reads it with `con_` before it or without.
    pub fn read(text: &str) -> Result<Self, NotAnId> {
        text.strip_prefix("con_").unwrap_or(text).parse()
    }
}

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Id);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.parse().map(Self)
            }
        }
    )+};
}

row_ids! {
    /// An account; its text is the `sub` claim.
    UserId;
    /// A signed-in browser.
    SessionId;
    /// An authorization request that waits for a person.
    RequestId;
    /// An authorization code.
    CodeId;
    /// Everything that was issued from one authorization.
    FamilyId;
    /// An access token.
    AccessTokenId;
    /// A half-done sign-in by admin token.
    AttemptId;
    /// A mail in the outbox.
    MailId;
    /// A device authorization request.
    DeviceId;
    /// A half-done sign-in on the operator's own page.
    ExternalId;
    /// An initial access token.
    InitialTokenId;
    /// A grant at a provider.
    ConnectionId;
    /// A person on the way to connect an account.
    ConnectSessionId;
    /// An attempt to refresh a connection.
    RefreshId;
    /// An entry of the audit log.
    AuditId;
    /// A webhook on its way.
    NoticeId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::testing::{ManualClock, SeededEntropy};

    #[test]
    fn ids_of_later_milliseconds_sort_later() {
        let (clock, entropy) = (ManualClock::at(1_800_000_000), SeededEntropy::new(1));
        let first = Id::new(&clock, &entropy);
        clock.advance(1);
        assert!(Id::new(&clock, &entropy) > first);
    }

    #[test]
    fn the_text_form_is_a_version_7_uuid_and_reads_back() {
        let id = Id::new(&ManualClock::at(1_800_000_000), &SeededEntropy::new(7));
        let text = id.to_string();
        assert_eq!((text.len(), &text[14..15]), (36, "7"));
        assert_eq!(text.parse::<Id>().expect("own text"), id);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "0192f0c1",
            "0192F0C1-7d3b-7c4e-9a51-5e0f6d1b2c3d",
            "0192f0c1-7d3b-7c4e-9a51-5e0f6d1b2c3é",
        ] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }
}
