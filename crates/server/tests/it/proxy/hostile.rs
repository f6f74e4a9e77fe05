//! Callers and providers that want more than they should have.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Place;
use crate::support::upstream::token;

/// Sends a request as it is written, and reads the answer to its end.
async fn raw(place: &Place, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", place.server.port)).await.expect("a stream");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let _end = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A GET of a path as it is written, with fields.
async fn get(place: &Place, path: &str, fields: &str) -> String {
    let request = format!(
        "GET /proxy/example{path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         connection: close\r\n{fields}\r\n",
        place.key
    );
    raw(place, &request).await
}

#[tokio::test]
async fn a_path_does_not_lead_out_of_what_the_description_names() {
    let place = Place::start().await;
    for path in [
        "/../token",
        "/%2e%2e/token",
        "/a/.%2e/%2E./token",
        "/a/..%2f..%2ftoken",
        "/a/..%5c..%5ctoken",
        "/a/%252e%252e/token",
        "/a/..;/token",
        "//evil.example/a",
        "/a//b",
        "/a\\b",
        "/a%5cb",
        "/a%00b",
        "/a%0d%0aauthorization:%20x",
    ] {
        let answer = get(&place, path, "").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    assert!(place.upstream.calls().is_empty());
    // An at-sign, a port and a colon are part of the path, and of no host.
    for path in ["/@evil.example/", "/:80/a", "/x@evil.example:443/a"] {
        assert!(get(&place, path, "").await.starts_with("HTTP/1.1 200"), "{path}");
        let called = place.upstream.last();
        assert_eq!(called.target, format!("/api/v1{path}"));
    }
}

#[tokio::test]
async fn a_field_of_the_caller_does_not_become_one_of_the_connection() {
    let place = Place::start().await;
    let answer = get(
        &place,
        "/a",
        "connection: x-own, authorization\r\nx-own: 1\r\nproxy-authorization: Basic eA==\r\n\
         upgrade: websocket\r\nte: trailers\r\nhost-of-mine: 1\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let called = place.upstream.last();
    for gone in ["x-own", "proxy-authorization", "upgrade", "te", "connection"] {
        assert_eq!(called.header(gone), None, "{gone}: {called:?}");
    }
    assert_eq!(called.header("authorization"), Some(&*format!("Bearer {}", token(1))));
    assert_eq!(called.headers.get_all("authorization").iter().count(), 1);

    // Two lengths, or a length and chunks: nobody may read the request in two ways.
    let head = format!(
        "POST /proxy/example/length HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         connection: close\r\n",
        place.key
    );
    let before = place.upstream.calls().len();
    let smuggled = "GET /proxy/example/smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";
    raw(&place, &format!("{head}content-length: 4\r\ncontent-length: 90\r\n\r\n{smuggled}")).await;
    assert_eq!(place.upstream.calls().len(), before, "two lengths");
    let both = "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    raw(&place, &format!("{head}{both}{smuggled}")).await;
    let calls = place.upstream.calls();
    assert!(calls.iter().all(|call| !call.target.contains("smuggled")), "{calls:?}");
}

#[tokio::test]
async fn trace_would_show_the_token_and_is_not_passed_on() {
    let place = Place::start().await;
    let request = format!(
        "TRACE /proxy/example/a HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         connection: close\r\n\r\n",
        place.key
    );
    let answer = raw(&place, &request).await;
    assert!(answer.starts_with("HTTP/1.1 405") && !answer.contains("grk_"), "{answer}");
    assert!(place.upstream.calls().is_empty());
}

#[tokio::test]
async fn an_api_that_shows_the_token_is_cut_off() {
    let place = Place::start().await;
    // Nothing is left to say it with: the head of the answer may be on its way already.
    let request = place.request(reqwest::Method::GET, "/echo");
    let broken = match request.send().await {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken, "it looks like a whole answer");
    assert!(place.server.log().contains("has the token in it"), "{}", place.server.log());
    let answer = get(&place, "/echo", "").await;
    assert!(!answer.contains(&token(1)) && !answer.contains(&token(1)[..12]), "{answer}");
    let calls = place.written_down(2).await;
    assert!(calls.iter().all(|call| call["complete"] == false), "{calls:?}");
}

#[tokio::test]
async fn an_api_in_the_servers_own_network_is_not_called_unless_the_operator_says_so() {
    let place = Place::with(|setup| setup.set("outbound.allowed_hosts", vec!["127.0.0.1"])).await;
    // The host is declared, but not one that the operator lets requests go to.
    let port = place.upstream.port;
    let request = place.request(reqwest::Method::GET, "/a");
    let request = request.header("grantor-host", format!("localhost:{port}"));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 502);
    assert!(place.upstream.calls().is_empty());
    assert_eq!(place.get("/a").await.status(), 200, "the other one is allowed");
}
