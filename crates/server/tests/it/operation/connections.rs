//! What a hostile peer may try with its connections.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::Server;

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port)).await.expect("connected")
}

/// Everything that comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _end =
        timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.expect("closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn send(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server).await;
    // The server may have enough before all is sent.
    let _cut = stream.write_all(bytes).await;
    rest(&mut stream).await
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let server = Server::setup().set("listen.header_timeout", "1s").start().await;
    let mut silent = connect(&server).await;
    let mut slow = connect(&server).await;
    let began = Instant::now();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.expect("sent");
    let drip = async {
        for _ in 0..50 {
            sleep(Duration::from_millis(200)).await;
            if slow.write_all(b"x-a: b\r\n").await.is_err() {
                break;
            }
        }
        began.elapsed()
    };
    let took = drip.await;
    assert!(took < Duration::from_secs(5), "a slow peer held its connection for {took:?}");
    rest(&mut silent).await;
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn slow_bodies_are_cut_off() {
    let server = Server::setup().set("listen.body_timeout", "1s").start().await;
    let head = b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\ngrant_type=";
    let answer = send(&server, head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("invalid_request"), "{answer}");
}

#[tokio::test]
async fn silent_peers_do_not_keep_others_out() {
    let setup = Server::setup().set("listen.connections", 8).set("listen.header_timeout", "2s");
    let server = setup.start().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(connect(&server).await);
    }
    let answer = timeout(Duration::from_secs(15), server.get("/healthz")).await.expect("answered");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn headers_and_lines_have_a_limit() {
    let server = Server::start().await;
    let line = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(60_000));
    let big = format!("GET / HTTP/1.1\r\nhost: x\r\nx-big: {}\r\n\r\n", "b".repeat(60_000));
    let many: String = (0..300).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    for (what, request) in [("line", line), ("header", big), ("headers", many)] {
        let answer = send(&server, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["431", "414", "400"].contains(&status), "{what}: {answer}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn what_is_not_http_gets_no_fault() {
    let server = Server::start().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    ] {
        let mut stream = connect(&server).await;
        stream.write_all(bytes).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let answer = rest(&mut stream).await;
        assert!(!answer.contains(" 500 "), "{bytes:?}: {answer}");
    }
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_chunked_body_has_the_same_limit() {
    let server = Server::start().await;
    let mut stream = connect(&server).await;
    let head = b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(4096));
    for _ in 0..40 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(server.get("/healthz").await.status, 200);
}
