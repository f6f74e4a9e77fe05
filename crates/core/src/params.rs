//! Request parameters, as strict as the protocol wants them: RFC 6749 §3.1 and §3.2, appendix B.
//!
//! A parameter without a value counts as omitted, one that appears twice is refused (but for the
//! few that may), and text that is not UTF-8, has a broken escape or a NUL byte never gets further.

use std::borrow::Cow;

use crate::error::Refusal;

/// Decoded parameters in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// More parameters than any request of ours has.
const MOST: usize = 100;

/// Parameters that may be repeated: RFC 8707 §2, RFC 8693 §2.1.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

impl<'a> Params<'a> {
    /// Reads `application/x-www-form-urlencoded` text, of a query or of a body.
    pub fn parse(encoded: &'a [u8]) -> Result<Self, Refusal> {
        let encoded = std::str::from_utf8(encoded).map_err(|_| Refusal::NotUtf8 {})?;
        let mut pairs = Vec::with_capacity(8);
        for pair in encoded.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
            if pairs.len() > MOST {
                return Err(Refusal::TooManyParameters {});
            }
        }
        Ok(Self(pairs))
    }

    /// The value of `name`; an empty one counts as omitted.
    // RFC 6749 §3.1: parameters sent without a value must be treated as if they were omitted.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_ref())
    }

    /// Every value of `name`; empty ones count as omitted.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_ref())
    }

    /// The value of `name`, which the request must have.
    pub fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.get(name).ok_or(Refusal::MissingParameter { name })
    }

    /// Refuses a request in which `name` appears more than once.
    // RFC 6749 §3.1: request parameters must not be included more than once.
    pub fn refuse_doubled(&self, name: &str) -> Result<(), Refusal> {
        if self.0.iter().filter(|(n, _)| n == name).count() > 1 {
            return Err(Refusal::DoubledParameter { name: shorten(name) });
        }
        Ok(())
    }

    /// Refuses a request in which any parameter appears more than once that may not.
    pub fn refuse_any_doubled(&self) -> Result<(), Refusal> {
        for (i, (name, _)) in self.0.iter().enumerate() {
            if self.0[..i].iter().any(|(n, _)| n == name) && !REPEATABLE.contains(&name.as_ref()) {
                return Err(Refusal::DoubledParameter { name: shorten(name) });
            }
        }
        Ok(())
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }
}

fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    if !text.bytes().any(|b| matches!(b, b'%' | b'+' | 0)) {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => escaped(rest.next(), rest.next()).ok_or(Refusal::BrokenEscape {})?,
            other => other,
        });
    }
    if bytes.contains(&0) {
        return Err(Refusal::NotUtf8 {});
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Refusal::NotUtf8 {})
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// A parameter's name as it may be repeated in an error: letters, digits and `_-.`, 40 characters at most.
pub fn shorten(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    name.chars().filter(plain).take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Params<'_>, Refusal> {
        Params::parse(text.as_bytes())
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_omitted() {
        let params = parse("scope=openid+read%20x&state=&flag&client_id=a%2Bb").expect("valid");
        assert_eq!(params.get("scope"), Some("openid read x"));
        assert_eq!((params.get("state"), params.get("flag")), (None, None));
        assert_eq!(params.get("client_id"), Some("a+b"));
    }

    #[test]
    fn doubled_parameters_are_refused_but_for_resource() {
        let params = parse("resource=a&resource=b&state=1").expect("valid");
        assert!(params.refuse_any_doubled().is_ok());
        let params = parse("state=1&state=").expect("valid");
        assert!(params.refuse_any_doubled().is_err());
        assert!(params.refuse_doubled("state").is_err());
    }

    #[test]
    fn broken_text_is_refused() {
        for text in ["a=%zz", "a=%f", "a=%", "a=%ff", "a=%00", "a=\0", "%c3%28=1"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(Params::parse(b"a=\xff").is_err());
        assert!(parse(&"a=1&".repeat(101)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_encoded_reads_back(name in "[a-z]{1,8}", value in "[^\0]{1,40}") {
            let text = form_urlencoded::Serializer::new(String::new())
                .append_pair(&name, &value).finish();
            let params = parse(&text).expect("encoded by a library");
            prop_assert_eq!(params.get(&name), Some(value.as_str()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Params::parse(&bytes);
        }
    }
}
