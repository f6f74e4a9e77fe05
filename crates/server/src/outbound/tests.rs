//! The client against servers on this machine that behave badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server that gives every connection to `answer`; its URL, and how many there were.
async fn site<F, R>(answer: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(stream));
        }
    });
    (format!("http://127.0.0.1:{port}/jwks"), count)
}

/// Reads the request and writes `answer`.
async fn say(mut stream: TcpStream, answer: &[u8]) {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&request[..read]).to_ascii_lowercase();
    assert!(text.contains(concat!("user-agent: grantor/", env!("CARGO_PKG_VERSION"))), "{text}");
    // The other side may have heard enough.
    let _gone = stream.write_all(answer).await;
    let _gone = stream.shutdown().await;
}

fn web(allowed: &[&str]) -> Web {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let allowed_hosts = allowed.iter().map(|host| (*host).to_owned()).collect();
    Web::new(Reach { allowed_hosts, ..Reach::default() })
}

async fn why(web: &Web, url: &str) -> String {
    web.json(url).await.expect_err(url).why
}

#[tokio::test]
async fn a_document_comes_as_it_is() {
    let (url, _) = site(|stream| say(stream, b"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[]}")).await;
    assert_eq!(web(&["127.0.0.1"]).json(&url).await, Ok(b"{\"keys\":[]}".to_vec()));
}

#[tokio::test]
async fn what_is_not_public_is_refused_before_anything_is_sent() {
    let (url, count) = site(|stream| say(stream, b"HTTP/1.1 200 OK\r\n\r\n{}")).await;
    let web = web(&[]);
    let port = Url::parse(&url).expect("a URL").port().expect("a port");
    assert!(why(&web, &url).await.contains("must be https"));
    for host in ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"] {
        let reason = why(&web, &format!("https://{host}:{port}/")).await;
        assert!(reason.contains("is not a public address"), "{host}: {reason}");
    }
    for host in ["localhost", "LOCALHOST"] {
        let reason = why(&web, &format!("https://{host}:{port}/")).await;
        assert!(reason.contains("is not a public address"), "{host}: {reason}");
    }
    for url in ["file:///etc/passwd", "data:,x", "ftp://example.com/", "nonsense"] {
        why(&web, url).await;
    }
    let reason = why(&web, "https://someone:secret@example.com/").await;
    assert!(reason.contains("password"), "{reason}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_host_is_allowed_by_its_name() {
    let (url, count) = site(|stream| say(stream, b"HTTP/1.1 200 OK\r\n\r\n{}")).await;
    let named = url.replace("127.0.0.1", "localhost");
    assert_eq!(web(&["localhost"]).json(&named).await, Ok(b"{}".to_vec()));
    assert!(why(&web(&["127.0.0.1"]), &named).await.contains("must be https"));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn redirects_errors_and_endless_answers_are_no_documents() {
    let web = web(&["127.0.0.1"]);
    let (url, _) =
        site(|stream| say(stream, b"HTTP/1.1 302 Found\r\nlocation: /other\r\n\r\n")).await;
    assert_eq!(why(&web, &url).await, "it answered 302, not 200");
    let (url, _) = site(|stream| say(stream, b"HTTP/1.1 500 No\r\n\r\n")).await;
    assert_eq!(why(&web, &url).await, "it answered 500, not 200");
    let (url, _) = site(|stream| async {
        let long = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 10_000_000]].concat();
        say(stream, &long).await;
    })
    .await;
    assert_eq!(why(&web, &url).await, "it is longer than 64 KiB");
    let (url, _) = site(|stream| async { drop(stream) }).await;
    assert!(!why(&web, &url).await.is_empty());
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let (url, _) = site(|mut stream| async move {
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let start = Instant::now();
    assert_eq!(why(&web(&["127.0.0.1"]), &url).await, "it did not answer within 5 s");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn many_who_want_one_document_share_one_fetch() {
    let (url, count) = site(|stream| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        say(stream, b"HTTP/1.1 200 OK\r\n\r\n{}").await;
    })
    .await;
    let web = Arc::new(web(&["127.0.0.1"]));
    let ask = || {
        let (web, url) = (Arc::clone(&web), url.clone());
        tokio::spawn(async move { web.json(&url).await })
    };
    // One that goes away does not take the fetch with it.
    let gone = ask();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gone.abort();
    let asked: Vec<_> = (0..32).map(|_| ask()).collect();
    for one in asked {
        assert_eq!(one.await.expect("no panic"), Ok(b"{}".to_vec()));
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(web.json(&url).await.is_ok());
    assert_eq!(count.load(Ordering::SeqCst), 2, "nothing is kept");
}

#[tokio::test]
async fn all_requests_go_through_a_proxy_that_is_set() {
    let (url, _) = site(|stream| say(stream, b"HTTP/1.1 200 OK\r\n\r\n{\"by\":\"proxy\"}")).await;
    let proxy = Url::parse(&url.replace("127.0.0.1", "localhost")).expect("a URL");
    let allowed_hosts = vec!["keys.example".to_owned()];
    let web = Web::new(Reach { allow_private: false, allowed_hosts, proxy: Some(proxy) });
    assert_eq!(web.json("http://keys.example/").await, Ok(b"{\"by\":\"proxy\"}".to_vec()));
}
