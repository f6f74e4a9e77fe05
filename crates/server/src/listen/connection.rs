//! One connection: HTTP/1.1 (RFC 9112) or HTTP/2 (RFC 9113), with an end to every kind of waiting.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tower::Service as _;

use super::stall::Unstalled;
use super::{Peer, Phase, Settings};

/// Answers the requests of one connection.
pub(super) struct Answer {
    router: Router,
    peer: Peer,
    /// Whether there was a request.
    asked: Arc<AtomicBool>,
}

impl Answer {
    /// For a peer that has not asked yet.
    pub(super) fn new(router: Router, peer: Peer) -> Self {
        Self { router, peer, asked: Arc::default() }
    }
}

type Answered = <Router as tower::Service<Request<Incoming>>>::Future;

impl Service<Request<Incoming>> for Answer {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, mut request: Request<Incoming>) -> Answered {
        self.asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(self.peer);
        // A router is one `Arc` and always ready.
        self.router.clone().call(request)
    }
}

/// Speaks HTTP/1.1 until the peer leaves, is too slow, or the server stops.
pub(super) async fn http1<S>(
    stream: S,
    answer: Answer,
    settings: Settings,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_header_size(settings.header_bytes)
        .max_buf_size(settings.header_bytes.max(LEAST_BUFFER));
    if settings.headers != HYPER_HEADERS {
        builder.max_headers(settings.headers);
    }
    let io = TokioIo::new(Unstalled::new(stream, settings.header_timeout));
    let asked = Arc::clone(&answer.asked);
    let mut connection = pin!(builder.serve_connection(io, answer));
    // Counts from here where the server stops already.
    let mut patience = pin!(sleep(FIRST_REQUEST));
    let mut patient = *phase.borrow() == Phase::Draining;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => return ended(outcome),
            changed = phase.changed() => match next(&phase, changed.is_err()) {
                Phase::Serving => {}
                Phase::Draining if asked.load(Ordering::Relaxed) => {
                    connection.as_mut().graceful_shutdown();
                }
                Phase::Draining => {
                    patience.as_mut().reset(Instant::now() + FIRST_REQUEST);
                    patient = true;
                }
                Phase::Closing => return,
            },
            () = patience.as_mut(), if patient => {
                patient = false;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// How long a connection is left open that was made just before the server stops, and on which nothing
/// was asked yet: what its peer is sending now would be lost, and cannot be sent twice.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// hyper takes no smaller buffer.
const LEAST_BUFFER: usize = 8_192;

/// hyper's own limit, for which it needs no allocation.
const HYPER_HEADERS: usize = 100;

/// Speaks HTTP/2 until the peer leaves, idles, or the server stops.
pub(super) async fn http2<S>(
    stream: S,
    answer: Answer,
    settings: Settings,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.header_timeout)
        .keep_alive_timeout(settings.header_timeout)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(settings.header_bytes).unwrap_or(u32::MAX));
    let activity = Arc::new(Activity::default());
    let io = TokioIo::new(Unstalled::new(stream, settings.header_timeout));
    let counted = Counted { answer, activity: Arc::clone(&activity) };
    let mut connection = pin!(builder.serve_connection(io, counted));
    let mut idle = tokio::time::interval(settings.header_timeout.max(Duration::from_millis(1)));
    idle.tick().await;
    let mut told = false;
    loop {
        tokio::select! {
            outcome = connection.as_mut() => return ended(outcome),
            changed = phase.changed() => match next(&phase, changed.is_err()) {
                Phase::Serving => {}
                Phase::Draining => connection.as_mut().graceful_shutdown(),
                Phase::Closing => return,
            },
            _ = idle.tick() => {
                // hyper has no header timeout for HTTP/2, not even for a peer that never starts.
                if activity.is_idle() {
                    if told {
                        return;
                    }
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// Requests that one connection may have in flight.
const STREAMS: u32 = 100;

fn ended(outcome: hyper::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection");
    }
}

fn next(phase: &watch::Receiver<Phase>, gone: bool) -> Phase {
    if gone { Phase::Closing } else { *phase.borrow() }
}

#[derive(Default)]
struct Activity {
    in_flight: AtomicUsize,
    begun: AtomicUsize,
}

impl Activity {
    /// Whether nothing is in flight and nothing was begun since this was last asked.
    fn is_idle(&self) -> bool {
        self.begun.swap(0, Ordering::Relaxed) == 0 && self.in_flight.load(Ordering::Relaxed) == 0
    }
}

struct Counted {
    answer: Answer,
    activity: Arc<Activity>,
}

impl Service<Request<Incoming>> for Counted {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.activity.begun.fetch_add(1, Ordering::Relaxed);
        self.activity.in_flight.fetch_add(1, Ordering::Relaxed);
        let (answered, guard) = (self.answer.call(request), InFlight(Arc::clone(&self.activity)));
        Box::pin(async move {
            let response = answered.await;
            drop(guard);
            response
        })
    }
}

struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
