//! An endpoint of the operator: takes webhooks, keeps what came, and answers what it is told to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

/// What an endpoint does with a message.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with this status.
    Status(u16),
    /// Sends the caller somewhere else.
    Redirect(String),
    /// Says nothing for so long, then 204.
    Silence(Duration),
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The path.
    pub(crate) path: String,
    /// The header fields.
    pub(crate) headers: HeaderMap,
    /// The body as it is.
    pub(crate) body: String,
}

impl Delivery {
    /// A header field.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A running endpoint.
pub(crate) struct Receiver {
    /// Its port.
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    came: Mutex<Vec<Delivery>>,
    replies: Mutex<VecDeque<Reply>>,
}

impl Receiver {
    /// One that answers 204.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// One that answers with these, one after the other, and then 204.
    pub(crate) async fn with(replies: &[Reply]) -> Self {
        let shared = Arc::new(Shared::default());
        shared.replies.lock().expect("not poisoned").extend(replies.iter().cloned());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, shared }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// What came so far.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.shared.came.lock().expect("not poisoned").clone()
    }

    /// Waits until so many messages have come.
    pub(crate) async fn deliveries(&self, count: usize) -> Vec<Delivery> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let came = self.all();
            if came.len() >= count {
                return came;
            }
            assert!(Instant::now() < until, "{} of {count} webhooks after 30 s", came.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let delivery = Delivery {
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    };
    shared.came.lock().expect("not poisoned").push(delivery);
    let reply = shared.replies.lock().expect("not poisoned").pop_front();
    match reply.unwrap_or(Reply::Status(204)) {
        Reply::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Reply::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Reply::Silence(time) => {
            tokio::time::sleep(time).await;
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
