//! Requests as bytes, built once, so that sending one again costs the driver nothing.

use std::ops::Range;

use anyhow::{Context as _, Result, ensure};

/// Where requests go: the value of `Host`.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    host: String,
}

impl Site {
    /// The server on this port of this machine.
    pub(crate) fn on(port: u16) -> Self {
        Self { host: format!("localhost:{port}") }
    }

    /// A GET of `path`, with headers that each end in a line break.
    pub(crate) fn get(&self, path: &str, headers: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", self.host).into_bytes()
    }

    /// A POST of a form to `path`.
    pub(crate) fn post(&self, path: &str, headers: &str, form: &[(&str, &str)]) -> Vec<u8> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let host = &self.host;
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n{headers}\r\n\
             {body}",
            body.len()
        )
        .into_bytes()
    }
}

/// A request with one part that changes, always of the same length, as codes and tokens are.
#[derive(Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    slot: Range<usize>,
}

impl Template {
    /// The request `bytes`, in which `part` is to be replaced.
    pub(crate) fn new(bytes: Vec<u8>, part: &str) -> Result<Self> {
        let found = bytes.windows(part.len()).position(|window| window == part.as_bytes());
        let start = found.context("the request does not have the part that changes")?;
        Ok(Self { bytes, slot: start..start + part.len() })
    }

    /// Puts `part` in its place.
    pub(crate) fn fill(&mut self, part: &[u8]) -> Result<()> {
        ensure!(part.len() == self.slot.len(), "credentials differ in length");
        self.bytes[self.slot.clone()].copy_from_slice(part);
        Ok(())
    }

    /// The request as it is now.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bytes in `text` between `before` and the next `end`.
pub(crate) fn between<'a>(text: &'a [u8], before: &str, end: u8) -> Option<&'a [u8]> {
    let start = text.windows(before.len()).position(|window| window == before.as_bytes())?;
    let rest = &text[start + before.len()..];
    rest.split(|&byte| byte == end).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_with_its_length() {
        let bytes = Site::on(5050).post("/token", "x: 1\r\n", &[("a", "b c"), ("d", "é")]);
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("POST /token HTTP/1.1\r\nhost: localhost:5050\r\n"), "{text}");
        assert!(text.ends_with("content-length: 14\r\nx: 1\r\n\r\na=b+c&d=%C3%A9"), "{text}");
    }

    #[test]
    fn the_part_that_changes_keeps_its_place() {
        let mut template = Template::new(b"a=1&b=xx&c=3".to_vec(), "xx").expect("is there");
        template.fill(b"yz").expect("same length");
        assert_eq!(template.bytes(), b"a=1&b=yz&c=3");
        assert!(template.fill(b"longer").is_err());
    }

    #[test]
    fn what_stands_between_is_found() {
        assert_eq!(between(b"/?code=abc&state=1", "code=", b'&'), Some(b"abc".as_slice()));
        assert_eq!(between(b"/?code=abc", "code=", b'&'), Some(b"abc".as_slice()));
        assert_eq!(between(b"/?error=no", "code=", b'&'), None);
    }
}
