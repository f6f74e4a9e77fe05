//! Which paths may be passed on.

use percent_encoding::percent_decode;

use crate::error::Refusal;

/// How often a path is decoded to see what a server behind the provider's first one may see.
const DECODINGS: usize = 3;

/// The path of a call, as it came: it goes to the provider like that, or not at all. What servers
/// read differently is refused, because it is not known what the provider makes of it.
pub(super) fn check(raw: &str) -> Result<(), Refusal> {
    match trouble(raw) {
        None => Ok(()),
        Some(why) => Err(Refusal::ProxyPath { why }),
    }
}

fn trouble(raw: &str) -> Option<&'static str> {
    if !raw.starts_with('/') {
        return Some("it does not begin with a slash");
    }
    // RFC 3986 §3.3: what a path may have.
    if !raw.bytes().all(|byte| byte == b'/' || byte == b'%' || is_plain(byte)) {
        return Some("it has characters that must be percent-encoded");
    }
    if !escapes_are_whole(raw.as_bytes()) {
        return Some("a percent sign must be followed by two hexadecimal digits");
    }
    if raw.contains("//") {
        return Some("two slashes side by side must be percent-encoded");
    }
    let mut bytes = raw.as_bytes().to_vec();
    for _ in 0..=DECODINGS {
        if let Some(why) = steps_aside(&bytes) {
            return Some(why);
        }
        bytes = percent_decode(&bytes).collect();
    }
    None
}

/// Whether some server could take the path for another one than it looks.
fn steps_aside(bytes: &[u8]) -> Option<&'static str> {
    if bytes.iter().any(u8::is_ascii_control) {
        return Some("it has control characters");
    }
    if bytes.contains(&b'\\') {
        return Some("it has a backslash, which some servers take for a slash");
    }
    let dots = |segment: &[u8]| {
        // Some servers cut off what follows a semicolon first.
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        name == b"." || name == b".."
    };
    // RFC 3986 §5.2.4: a segment of dots would lead to another path.
    bytes.split(|byte| *byte == b'/').any(dots).then_some("it has a segment of dots")
}

/// The unreserved characters, sub-delims, colon and at-sign of RFC 3986.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

fn escapes_are_whole(bytes: &[u8]) -> bool {
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    escapes.all(|(at, _)| digit(at + 1) && digit(at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_apis_go_through_as_they_are() {
        for path in [
            "/",
            "/users/@me",
            "/gmail/v1/users/ada@example.com/messages",
            "/v4/projects/group%2Fproject/issues",
            "/storage/v1/b/b/o/a%20b%2F%C3%A9.txt",
            "/v1/documents/1:batchUpdate",
            "/a/...",
            "/a/.well-known/x",
            "/a/b;v=1/c,d/(e)",
            "/files/100%25",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_servers_read_differently_are_refused() {
        for path in [
            "",
            "a",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/%252e%252e/b",
            "/a/%25252e%25252e/b",
            "/a%2f..%2fb",
            "/a%2F%2e%2e",
            "/a/..;/b",
            "/a/..%3bx/b",
            "//evil.example/a",
            "/a//b",
            "/a\\b",
            "/a%5cb",
            "/a%255c..",
            "/a%00",
            "/a%0d%0aHost:%20evil.example",
            "/a%250a",
            "/a%7f",
            "/a b",
            "/a\"b",
            "/a<b>",
            "/a{b}",
            "/é",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a#b",
            "/a?b",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
