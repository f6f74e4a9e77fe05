//! The client against servers on this machine that behave badly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use grantor_core::outbound::Method;
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

/// A call with a secret in it.
fn refresh(url: &str) -> Request {
    let form = "application/x-www-form-urlencoded".to_owned();
    Request {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), form.into())],
        body: b"refresh_token=secret-1".to_vec().into(),
    }
}

fn not_sent(answer: Result<outbound::Response, CallError>) -> String {
    match answer {
        Err(CallError::NotSent(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn unknown(answer: Result<outbound::Response, CallError>) -> String {
    match answer {
        Err(CallError::Unknown(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_gets_any_answer_as_it_is_and_follows_nothing() {
    let web = web(&["127.0.0.1"]);
    let (url, _) = site(|mut stream| async move {
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&request[..read]).to_ascii_lowercase();
        assert!(text.contains("content-length: 22"), "{text}");
        assert!(text.ends_with("refresh_token=secret-1"), "{text}");
        let answer = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\nretry-after: 7\r\n\
            content-type: text/html; charset=x\r\ncontent-length: 2\r\n\r\nno";
        stream.write_all(answer).await.expect("it reads");
    })
    .await;
    let answer = web.call(refresh(&url), Seconds(5)).await.expect("an answer");
    assert_eq!((answer.status, answer.retry_after), (302, Some(Seconds(7))));
    assert_eq!(answer.content_type.as_deref(), Some("text/html; charset=x"));
    assert_eq!(*answer.body, b"no");
    let shown = format!("{:?} {answer:?}", refresh("https://a.example/?code=secret"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn what_did_not_go_out_is_known() {
    let web = web(&["127.0.0.1"]);
    let (url, count) = site(|stream| async { drop(stream) }).await;
    let private = url.replace("127.0.0.1", "localhost");
    assert!(not_sent(web.call(refresh(&private), Seconds(5)).await).contains("https"));
    let private = private.replace("http:", "https:");
    let why = not_sent(web.call(refresh(&private), Seconds(5)).await);
    assert!(why.contains("is not a public address"), "{why}");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    for url in ["http://127.0.0.1:1/", "https://no-such-host.invalid/", "nonsense"] {
        not_sent(web.call(refresh(url), Seconds(5)).await);
    }
    let mut broken = refresh(&url);
    broken.headers.push(("authorization".to_owned(), "a\nb: secret".to_owned().into()));
    assert!(!not_sent(web.call(broken, Seconds(5)).await).contains("secret"));
    // Somebody who takes the connection and never speaks TLS has not read the request.
    let (url, _) = site(|stream| async move {
        let _open = stream;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let why = not_sent(web.call(refresh(&url.replace("http:", "https:")), Seconds(1)).await);
    assert!(why.contains("1 s"), "{why}");
}

#[tokio::test]
async fn what_went_out_and_has_no_whole_answer_may_have_been_done() {
    let web = web(&["127.0.0.1"]);
    let (url, _) = site(|mut stream| async move {
        let mut request = vec![0; 4096];
        let _read = stream.read(&mut request).await;
    })
    .await;
    unknown(web.call(refresh(&url), Seconds(5)).await);
    let (url, _) = site(|stream| async move {
        let _open = stream;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    assert!(unknown(web.call(refresh(&url), Seconds(1)).await).contains("within 1 s"));
    // Drop by drop: the deadline is for the whole answer.
    let (url, _) = site(|mut stream| async move {
        let _read = stream.read(&mut vec![0; 4096]).await;
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let start = Instant::now();
    assert!(unknown(web.call(refresh(&url), Seconds(1)).await).contains("within 1 s"));
    assert!(start.elapsed() < Duration::from_secs(3));
    let (url, _) =
        site(|stream| say(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")).await;
    unknown(web.call(refresh(&url), Seconds(5)).await);
    let (url, _) = site(|stream| async {
        let long = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 1_100_000]].concat();
        say(stream, &long).await;
    })
    .await;
    assert!(unknown(web.call(refresh(&url), Seconds(5)).await).contains("longer than 1024 KiB"));
}

#[tokio::test]
async fn a_connection_serves_several_calls() {
    let (url, count) = site(|mut stream| async move {
        let mut request = vec![0; 4096];
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            stream.write_all(answer).await.expect("it reads");
        }
    })
    .await;
    let web = web(&["127.0.0.1"]);
    for _ in 0..5 {
        assert_eq!(web.call(refresh(&url), Seconds(5)).await.map(|own| own.status), Ok(200));
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
