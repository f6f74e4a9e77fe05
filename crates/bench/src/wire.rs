//! Just enough of an HTTP/1.1 client to load a server without being a load itself: RFC 9112.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A kept-alive connection with one request in flight at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What the server answered; lives until the next request of its connection.
pub(crate) struct Answer<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// The status line and the headers.
    pub(crate) head: &'a [u8],
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16_384) })
    }

    /// Sends a complete request and waits for the complete answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await.context("the server closed the connection")?;
        self.buffer.clear();
        let frame = loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection without an answer");
            match Frame::of(&self.buffer)? {
                Some(frame) if frame.head + frame.body <= self.buffer.len() => break frame,
                Some(_) | None => {}
            }
        };
        let (head, body) = self.buffer.split_at(frame.head);
        Ok(Answer { status: frame.status, head, body })
    }
}

impl Answer<'_> {
    /// The values of a header, in the order in which they were sent.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        headers(self.head).filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// The body as text, to show it or to look into it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }

    /// Refuses every status but `want`, showing what came instead.
    pub(crate) fn expect(&self, want: u16) -> Result<()> {
        ensure!(
            self.status == want,
            "expected status {want}, got {}: {}",
            self.status,
            self.text().chars().take(400).collect::<String>()
        );
        Ok(())
    }
}

/// How long the parts of an answer are.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    status: u16,
    head: usize,
    body: usize,
}

impl Frame {
    /// Reads the head, when all of it is there.
    fn of(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = &bytes[..end + 4];
        let status = std::str::from_utf8(head.get(9..12).unwrap_or_default())?;
        let status = status.parse().context("the answer has no status code")?;
        let mut body = 0;
        for (name, value) in headers(head) {
            if name.eq_ignore_ascii_case("content-length") {
                body = value.parse().context("content-length is not a number")?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("the answer is chunked, which this client does not read");
            }
        }
        Ok(Some(Self { status, head: head.len(), body }))
    }
}

fn headers(head: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let lines = head.split(|&byte| byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        Some((name, value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_framed_by_its_content_length() {
        let bytes = b"HTTP/1.1 303 See Other\r\nLocation: /x:y\r\nContent-Length: 5\r\n\r\nhello";
        let frame = Frame::of(bytes).expect("valid").expect("whole head");
        assert_eq!((frame.status, frame.body, frame.head + frame.body), (303, 5, bytes.len()));
        let (head, body) = bytes.split_at(frame.head);
        let answer = Answer { status: frame.status, head, body };
        assert_eq!(answer.header("location").collect::<Vec<_>>(), ["/x:y"]);
        assert_eq!(answer.text(), "hello");
    }

    #[test]
    fn half_a_head_is_waited_for_and_a_chunked_body_is_refused() {
        assert_eq!(Frame::of(b"HTTP/1.1 200 OK\r\nContent-").expect("so far"), None);
        assert!(Frame::of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }
}
