//! What hostile and unlucky peers meet.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Peer, Settings, Tls, bind, serve};

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<()>,
}

fn quick() -> Settings {
    let short = Duration::from_millis(300);
    Settings { header_timeout: short, tls_timeout: short, ..Settings::default() }
}

fn start(settings: Settings, tls: Option<Tls>) -> Server {
    let slow = || async {
        sleep(Duration::from_millis(400)).await;
        "slow"
    };
    let router = Router::new()
        .route("/", get(|Extension(peer): Extension<Peer>| async move { peer.0.to_string() }))
        .route("/slow", get(slow))
        .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }))
        .route("/never", get(std::future::pending::<&str>));
    let listeners = bind("127.0.0.1", 0).expect("a free port");
    let address = listeners[0].local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(serve(listeners, tls, router, settings, async {
        drop(stopped.await);
    }));
    Server { address, stop: Some(stop), done }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(3), stream.read_to_end(&mut bytes)).await;
    drop(read.expect("the server closes the connection"));
    String::from_utf8_lossy(&bytes).into_owned()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn silent_and_dripping_peers_are_closed() {
    let server = start(quick(), None);
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");

    let (mut reader, mut writer) = server.connect().await.into_split();
    let drip = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nx-slow: ".iter().chain(std::iter::repeat(&b'z')) {
            if writer.write_all(&[*byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let mut bytes = Vec::new();
    let closed = timeout(Duration::from_secs(3), reader.read_to_end(&mut bytes)).await;
    assert!(closed.is_ok(), "dripping headers must not hold a connection");
    drip.abort();

    let mut idle = server.connect().await;
    idle.write_all(GET).await.expect("written");
    let started = Instant::now();
    let answer = rest(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(started.elapsed() >= Duration::from_millis(250), "kept alive for a while");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_closed() {
    let mut server = start(quick(), None);
    let mut greedy = server.connect().await;
    greedy.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    sleep(Duration::from_millis(1000)).await;
    // With nothing left in flight the stop does not wait.
    server.stop();
    timeout(Duration::from_secs(1), server.done).await.expect("nothing hangs").expect("ended");
}

#[tokio::test]
async fn too_large_or_too_many_headers_are_431() {
    let server = start(Settings { header_bytes: 8192, headers: 20, ..quick() }, None);
    for extra in [format!("x: {}\r\n", "y".repeat(9000)), "a: b\r\n".repeat(30)] {
        let mut stream = server.connect().await;
        let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{extra}\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn over_the_cap_connections_wait() {
    let settings = Settings { connections: 1, header_timeout: Duration::from_secs(5), ..quick() };
    let server = start(settings, None);
    let first = server.connect().await;
    sleep(Duration::from_millis(50)).await;
    let mut second = server.connect().await;
    second.write_all(GET).await.expect("written");
    let mut byte = [0];
    let waited = timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(waited.is_err(), "the only place is taken");
    drop(first);
    let answered = timeout(Duration::from_secs(1), second.read(&mut byte)).await;
    assert_eq!(answered.expect("its turn").expect("an answer"), 1);
}

#[tokio::test]
async fn requests_in_flight_finish_before_the_end() {
    let mut server = start(Settings::default(), None);
    let mut idle = server.connect().await;
    idle.write_all(GET).await.expect("written");
    let read = idle.read(&mut [0; 1024]).await.expect("an answer");
    assert!(read > 0, "an answer");
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    sleep(Duration::from_millis(100)).await;
    server.stop();
    assert_eq!(rest(&mut idle).await, "", "idle connections go at once");
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("slow") && answer.contains("connection: close"), "{answer}");
    timeout(Duration::from_secs(1), server.done).await.expect("drained").expect("ended");
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing new is taken");
}

#[tokio::test]
async fn what_was_sent_before_the_end_is_answered_though_nobody_has_looked_yet() {
    let mut server = start(Settings::default(), None);
    let mut sent: Vec<std::net::TcpStream> = Vec::new();
    // Without giving the server a chance to do anything.
    for _ in 0..20 {
        let stream = std::net::TcpStream::connect(server.address).expect("it listens");
        std::io::Write::write_all(&mut &stream, GET).expect("written");
        sent.push(stream);
    }
    let late = std::net::TcpStream::connect(server.address).expect("it listens");
    server.stop();
    sleep(Duration::from_millis(100)).await;
    std::io::Write::write_all(&mut &late, GET).expect("written");
    sent.push(late);
    for stream in sent {
        stream.set_nonblocking(true).expect("set");
        let answer = rest(&mut TcpStream::from_std(stream).expect("taken")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
    timeout(Duration::from_secs(1), server.done).await.expect("drained").expect("ended");
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing new is taken");
}

#[tokio::test]
async fn the_deadline_ends_what_does_not_finish() {
    let settings = Settings { shutdown_timeout: Duration::from_millis(200), ..quick() };
    let mut server = start(settings, None);
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    sleep(Duration::from_millis(50)).await;
    server.stop();
    timeout(Duration::from_secs(1), server.done).await.expect("in time").expect("ended");
    assert_eq!(rest(&mut stuck).await, "");
}

struct Certified {
    tls: Tls,
    client: tokio_rustls::TlsConnector,
    _folder: tempfile::TempDir,
}

fn certified(alpn: &[u8]) -> Certified {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let client = connector(&cert, alpn);
    Certified { tls: Tls::load(&cert, &key).expect("loaded"), client, _folder: folder }
}

fn connector(cert: &Path, alpn: &[u8]) -> tokio_rustls::TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert).expect("a certificate")).expect("a root");
    let provider = rustls::crypto::aws_lc_rs::default_provider().into();
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config).into()
}

async fn handshake(
    server: &Server,
    client: &tokio_rustls::TlsConnector,
) -> TokioIo<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").expect("a name");
    TokioIo::new(client.connect(name, server.connect().await).await.expect("a handshake"))
}

fn request(server: &Server) -> Request<Body> {
    let uri = format!("https://localhost:{}/", server.address.port());
    Request::get(uri).header("host", "localhost").body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn tls_carries_http1() {
    let Certified { tls, client, .. } = certified(b"http/1.1");
    let server = start(quick(), Some(tls));
    let io = handshake(&server, &client).await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(io).await.expect("http/1.1");
    tokio::spawn(connection);
    let answer = sender.send_request(request(&server)).await.expect("an answer");
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, hyper::Version::HTTP_11));
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    assert!(body.starts_with(b"127.0.0.1:"), "the peer is known to the handler");
}

#[tokio::test]
async fn tls_carries_http2_and_idle_connections_end() {
    let Certified { tls, client, .. } = certified(b"h2");
    let server = start(quick(), Some(tls));
    let io = handshake(&server, &client).await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.expect("h2");
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request(&server)).await.expect("an answer");
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, hyper::Version::HTTP_2));
    let ended = timeout(Duration::from_secs(3), connection).await;
    assert!(ended.is_ok(), "an idle connection is closed");
}

#[tokio::test]
async fn an_http2_peer_that_never_starts_is_closed() {
    let Certified { tls, client, .. } = certified(b"h2");
    let server = start(quick(), Some(tls));
    let name = ServerName::try_from("localhost").expect("a name");
    let mut mute = client.connect(name, server.connect().await).await.expect("a handshake");
    let mut bytes = Vec::new();
    let closed = timeout(Duration::from_secs(3), mute.read_to_end(&mut bytes)).await;
    assert!(closed.is_ok(), "a peer without a preface is closed");
}

#[tokio::test]
async fn a_stalled_handshake_ends_and_stops_nobody_else() {
    let Certified { tls, client, .. } = certified(b"http/1.1");
    let server = start(quick(), Some(tls));
    let mut stalled = server.connect().await;
    stalled.write_all(&[0x16, 0x03, 0x01]).await.expect("written");
    handshake(&server, &client).await;
    assert_eq!(rest(&mut stalled).await, "");
}
