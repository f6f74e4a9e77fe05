//! Bodies both ways: as they come, up to a limit, and with an end to every kind of waiting.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Place, error};

#[tokio::test]
async fn an_answer_comes_while_the_provider_still_writes_it() {
    let place = Place::start().await;
    let began = Instant::now();
    let mut answer = place.get("/events").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let first = answer.chunk().await.expect("a piece").expect("not the end");
    assert_eq!(first, "data: 1\n\n");
    assert!(began.elapsed() < Duration::from_millis(450), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    while let Some(piece) = answer.chunk().await.expect("a piece") {
        rest.extend_from_slice(&piece);
    }
    assert_eq!(rest, b"data: 2\n\ndata: 3\n\n");
    let calls = place.written_down(1).await;
    assert_eq!((&calls[0]["complete"], &calls[0]["bytes_received"]), (&true.into(), &27.into()));
}

#[tokio::test]
async fn a_long_body_is_passed_on_in_both_directions() {
    let place = Place::start().await;
    let long = Bytes::from(vec![b'x'; 20_000_000]);
    let answer = place.post("/length", long.clone()).await;
    assert_eq!(answer.text().await.expect("text"), "20000000");
    assert_eq!(place.upstream.last().header("content-length"), Some("20000000"));
    let answer = place.post("/big", "20000000").await;
    assert_eq!(answer.headers()["content-length"], "20000000");
    assert_eq!(answer.bytes().await.expect("a body"), long);
    let calls = place.written_down(2).await;
    assert_eq!(calls[0]["bytes_sent"], 20_000_000);
    assert_eq!(calls[1]["bytes_received"], 20_000_000);
}

#[tokio::test]
async fn a_body_without_a_length_is_passed_on_too() {
    let place = Place::start().await;
    let piece = "x".repeat(50_000);
    let answer = chunked(&place, "/length", &[&piece, &piece]).await;
    assert!(answer.ends_with("\r\n\r\n100000"), "{answer}");
    let called = place.upstream.last();
    assert_eq!(called.body, [b'x'; 100_000]);
    assert_eq!(called.header("transfer-encoding"), Some("chunked"));
    assert_eq!(called.header("content-length"), None);
    assert_eq!(place.written_down(1).await[0]["bytes_sent"], 100_000);
}

#[tokio::test]
async fn a_short_body_without_a_length_is_sent_again_after_a_refresh() {
    let place = Place::start().await;
    assert_eq!(place.get("/a").await.status(), 200);
    place.upstream.refuse(1);
    let answer = chunked(&place, "/length", &["some ", "words"]).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n10"), "{answer}");
    let calls = place.upstream.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls[1..].iter().all(|call| call.body == b"some words"), "{calls:?}");
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_passed_on_as_it_comes() {
    let place = Place::start().await;
    // From now on there is a token, and nothing else to wait for.
    assert_eq!(place.get("/a").await.status(), 200);
    let mut stream = TcpStream::connect(("127.0.0.1", place.server.port)).await.expect("a stream");
    let head = format!(
        "POST /proxy/example/length HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nsome \r\n",
        place.key
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_secs(1)).await;
    stream.write_all(b"5\r\nwords\r\n0\r\n\r\n").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.ends_with("\r\n\r\n10"), "{answer}");
    let called = place.upstream.last();
    assert_eq!(
        (&*called.body, called.header("transfer-encoding")),
        (&b"some words"[..], Some("chunked"))
    );
}

/// A POST whose body comes in chunks.
async fn chunked(place: &Place, path: &str, chunks: &[&str]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", place.server.port)).await.expect("a stream");
    let head = format!(
        "POST /proxy/example{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        place.key
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    for chunk in chunks {
        let text = format!("{:x}\r\n{chunk}\r\n", chunk.len());
        if stream.write_all(text.as_bytes()).await.is_err() {
            break;
        }
    }
    let _sent = stream.write_all(b"0\r\n\r\n").await;
    let mut answer = Vec::new();
    let _end = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_too_long_is_refused_or_cut_off() {
    let place = Place::with(|setup| {
        setup.set("vault.proxy.request_bytes", 100_000).set("vault.proxy.answer_bytes", 100_000)
    })
    .await;
    assert_eq!(place.post("/length", vec![b'x'; 100_000]).await.status(), 200);
    let (status, code, _) = error(place.post("/length", vec![b'x'; 100_001]).await).await;
    assert_eq!((status, &*code), (413, "invalid_request"));
    assert_eq!(place.upstream.calls().len(), 1, "what is known to be too long is not begun");
    let piece = "x".repeat(50_000);
    let answer = chunked(&place, "/length", &[&piece, &piece, "x"]).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(place.upstream.calls().len(), 1, "nobody got a whole request");

    assert_eq!(place.post("/big", "100000").await.bytes().await.expect("all").len(), 100_000);
    let answer = place.post("/big", "100001").await;
    assert!(answer.bytes().await.is_err(), "half an answer must not look like a whole one");
    let calls = place.written_down(4).await;
    assert_eq!(calls.last().expect("calls")["complete"], false);
}

#[tokio::test]
async fn a_provider_that_is_silent_or_away_is_told_from_one_that_answers() {
    let place = Place::with(|setup| setup.set("vault.proxy.timeout", "1s")).await;
    let began = Instant::now();
    let (status, code, text) = error(place.get("/hang").await).await;
    assert_eq!((status, &*code), (504, "gateway_timeout"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // One that stops in the middle ends the answer.
    let answer = place.get("/drip").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());

    let free = crate::support::free_port();
    let away = place.request(Method::GET, "/a").header("grantor-host", format!("localhost:{free}"));
    let (status, code, text) = error(away.send().await.expect("an answer")).await;
    assert_eq!((status, &*code), (502, "bad_gateway"), "{text}");
    let calls = place.written_down(3).await;
    assert_eq!(calls[0]["status"], serde_json::Value::Null);
    assert!(calls.iter().all(|call| call["complete"] == false), "{calls:?}");
}

#[tokio::test]
async fn a_caller_that_is_silent_does_not_hold_the_provider() {
    let place = Place::with(|setup| setup.set("vault.proxy.timeout", "1s")).await;
    let mut stream = TcpStream::connect(("127.0.0.1", place.server.port)).await.expect("a stream");
    let head = format!(
        "POST /proxy/example/length HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         content-length: 100000\r\n\r\nsome",
        place.key
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection stays open");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn when_the_caller_leaves_the_provider_is_left_alone() {
    let place = Place::start().await;
    let mut answer = place.get("/drip").await;
    assert_eq!(answer.chunk().await.expect("a piece"), Some(Bytes::from_static(b"a few bytes\n")));
    assert_eq!(place.upstream.left(), 0);
    drop(answer);
    let waiting = tokio::spawn(place.request(Method::GET, "/hang").send());
    let until = Instant::now() + Duration::from_secs(5);
    while place.upstream.calls().len() < 2 {
        assert!(Instant::now() < until, "the second call did not arrive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    waiting.abort();
    while place.upstream.left() < 2 {
        assert!(Instant::now() < until, "{} of 2 calls were ended", place.upstream.left());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let calls = place.written_down(2).await;
    assert!(calls.iter().all(|call| call["complete"] == false), "{calls:?}");
}

#[tokio::test]
async fn calls_are_in_the_log_when_the_server_was_stopped() {
    let mut place = Place::start().await;
    for _ in 0..20 {
        assert_eq!(place.get("/a").await.status(), 200);
    }
    assert_eq!(place.server.stop(), Some(0));
    assert_eq!(place.written_down(20).await.len(), 20);
}
