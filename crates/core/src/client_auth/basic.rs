//! The Basic scheme as OAuth uses it: RFC 6749 §2.3.1, RFC 7617.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::error::Refusal;

/// Reads `Basic base64(form-encoded id ":" form-encoded secret)`.
pub(super) fn parse(header: &str) -> Result<(String, String), Refusal> {
    let (scheme, encoded) = header.split_once(' ').ok_or(Refusal::BrokenBasicHeader {})?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Refusal::BrokenBasicHeader {});
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| Refusal::BrokenBasicHeader {})?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::BrokenBasicHeader {})?;
    let (id, secret) = text.split_once(':').ok_or(Refusal::BrokenBasicHeader {})?;
    Ok((form_decode(id)?, form_decode(secret)?))
}

/// RFC 6749 §2.3.1: both parts are encoded by the form algorithm before they are joined.
fn form_decode(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Refusal::BrokenBasicHeader {})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn both_parts_are_form_decoded() {
        let read = parse(&header("my%20client:a%2Bb%3Ac")).expect("valid");
        assert_eq!(read, ("my client".to_owned(), "a+b:c".to_owned()));
    }

    #[test]
    fn other_headers_are_refused() {
        for text in ["Bearer abc", "Basic", "Basic !!!", &header("no-colon"), &header("a%ff:b")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
