//! A provider with an API that behaves as a test wants: it gives tokens to a client that acts for
//! itself, and shows what it was asked with.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{any, post};
use axum::{Json, Router};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::mpsc;

use super::server::Setup;

/// A running provider.
pub(crate) struct Upstream {
    /// Its port.
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    given: AtomicUsize,
    refused: Mutex<Vec<String>>,
    down: AtomicBool,
    calls: Mutex<Vec<Called>>,
    left: AtomicUsize,
}

/// A call of the API.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// The method.
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) target: String,
    /// The header fields.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Called {
    /// A header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The token number `count`, from 1.
pub(crate) fn token(count: usize) -> String {
    format!("example-access-token.{count:04}.QkFTRTY0LXNlY3JldA")
}

impl Upstream {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new()
            .route("/token", post(give))
            .fallback(any(api))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, shared }
    }

    /// How many tokens were given.
    pub(crate) fn given(&self) -> usize {
        self.shared.given.load(Ordering::SeqCst)
    }

    /// Takes the token of number `count` no more.
    pub(crate) fn refuse(&self, count: usize) {
        self.shared.refused.lock().expect("not poisoned").push(token(count));
    }

    /// Whether it gives tokens.
    pub(crate) fn gives_tokens(&self, yes: bool) {
        self.shared.down.store(!yes, Ordering::SeqCst);
    }

    /// The calls of the API so far.
    pub(crate) fn calls(&self) -> Vec<Called> {
        self.shared.calls.lock().expect("not poisoned").clone()
    }

    /// The last call of the API.
    pub(crate) fn last(&self) -> Called {
        self.calls().pop().expect("a call")
    }

    /// How many callers went away before the end.
    pub(crate) fn left(&self) -> usize {
        self.shared.left.load(Ordering::SeqCst)
    }
}

impl Setup {
    /// With the integration `example` at a provider, which acts for itself and may be called through
    /// the proxy. Its description goes into a folder, which has to be kept.
    #[must_use]
    pub(crate) fn integrating(self, upstream: &Upstream) -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let port = upstream.port;
        let description = format!(
            "label = \"Example\"\n\
             [token]\nurl = \"http://127.0.0.1:{port}/token\"\n\
             [client_credentials]\n\
             [proxy]\nbase = \"http://127.0.0.1:{port}/api/v1\"\nhosts = [\"localhost\"]\n\
             headers = {{ x-version = \"7\" }}\n"
        );
        let file: PathBuf = folder.path().join("example.toml");
        std::fs::write(file, description).expect("written");
        let setup = self
            .set("outbound.allowed_hosts", vec!["127.0.0.1", "localhost"])
            .set("vault.providers", folder.path().display().to_string())
            .set("integrations.example.client_id", "grantor")
            .set("integrations.example.client_secret", "upstream-client-secret")
            .set("integrations.example.grant", "client_credentials")
            .set("integrations.example.proxy", true);
        (setup, folder)
    }
}

async fn give(State(shared): State<Arc<Shared>>) -> Response<Body> {
    if shared.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let count = shared.given.fetch_add(1, Ordering::SeqCst) + 1;
    let answer = json!({ "access_token": token(count), "token_type": "Bearer",
        "expires_in": 3600, "scope": "read" });
    Json(answer).into_response()
}

async fn api(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let target = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let shown = parts.headers.get(header::AUTHORIZATION).and_then(|own| own.to_str().ok());
    let shown = shown.and_then(|own| own.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
    let leaving = Leaving { shared: Arc::clone(&shared), done: false };
    let collected = if path.ends_with("/refuse-body") {
        Bytes::new()
    } else {
        match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        }
    };
    shared.calls.lock().expect("not poisoned").push(Called {
        method: parts.method.to_string(),
        target: target.clone(),
        headers: parts.headers.clone(),
        body: collected.to_vec(),
    });
    let known = (1..=shared.given.load(Ordering::SeqCst)).any(|count| token(count) == shown);
    let refused = shared.refused.lock().expect("not poisoned").contains(&shown);
    if known && !refused {
        answer(&path, &parts.headers, &shown, &collected, leaving).await
    } else {
        leaving.stayed();
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
        (StatusCode::UNAUTHORIZED, challenge, "who is that?").into_response()
    }
}

/// What the last part of a path makes of a call.
async fn answer(
    path: &str,
    headers: &HeaderMap,
    token: &str,
    body: &Bytes,
    leaving: Leaving,
) -> Response<Body> {
    match path.rsplit('/').next().unwrap_or_default() {
        "hang" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            leaving.stayed();
            StatusCode::NO_CONTENT.into_response()
        }
        "events" => events(leaving),
        "drip" => drip(leaving),
        _ => {
            leaving.stayed();
            at_once(path, headers, token, body)
        }
    }
}

fn at_once(path: &str, headers: &HeaderMap, token: &str, body: &Bytes) -> Response<Body> {
    match path.rsplit('/').next().unwrap_or_default() {
        "headers" => {
            let mut response = "with headers".into_response();
            for (name, value) in [
                ("set-cookie", "session=of-the-provider"),
                ("www-authenticate", "Bearer"),
                ("access-control-allow-origin", "*"),
                ("x-echo", token),
                ("x-own", "own"),
                ("connection", "x-hop"),
                ("x-hop", "hop"),
                ("etag", "\"7\""),
                ("cache-control", "public, max-age=600"),
            ] {
                let value = HeaderValue::from_str(value).expect("a value");
                response.headers_mut().append(name, value);
            }
            response
        }
        "echo" => {
            let shown: Vec<String> =
                headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            Json(json!({ "headers": shown })).into_response()
        }
        "redirect" => {
            let to = String::from_utf8_lossy(body).into_owned();
            (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
        }
        "big" => {
            let bytes: usize = String::from_utf8_lossy(body).parse().expect("a number");
            vec![b'x'; bytes].into_response()
        }
        "length" => body.len().to_string().into_response(),
        "teapot" => (StatusCode::IM_A_TEAPOT, Json(json!({ "short": "stout" }))).into_response(),
        "nothing" => StatusCode::NO_CONTENT.into_response(),
        _ => Json(json!({ "hello": "world" })).into_response(),
    }
}

/// A message now, and one after half a second, three times; then the end.
fn events(leaving: Leaving) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for count in 1..=3 {
            let _ = sender.send(format!("data: {count}\n\n")).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        leaving.stayed();
    });
    streaming(receiver)
}

/// A few bytes, and then nothing for a long time. Notices when nobody listens any more.
fn drip(leaving: Leaving) -> Response<Body> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _ = sender.send("a few bytes\n".to_owned()).await;
        sender.closed().await;
        drop(leaving);
    });
    streaming(receiver)
}

fn streaming(pieces: mpsc::Receiver<String>) -> Response<Body> {
    let mut response = Response::new(Body::new(Pieces(pieces)));
    let events = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, events);
    response
}

/// A body that comes piece by piece.
struct Pieces(mpsc::Receiver<String>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.get_mut().0.poll_recv(cx);
        piece.map(|piece| piece.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}

/// Counts a caller that goes away before the answer is complete.
struct Leaving {
    shared: Arc<Shared>,
    done: bool,
}

impl Leaving {
    fn stayed(mut self) {
        self.done = true;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.done {
            self.shared.left.fetch_add(1, Ordering::SeqCst);
        }
    }
}
