//! The caller's body on its way to the provider: counted, and not waited for without an end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

/// How far the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The provider's side has to go on: take what is there, or answer.
    Provider,
    /// The caller has to send more.
    Caller,
    /// The caller has sent more than is passed on.
    TooLarge,
    /// The caller's body broke off.
    Broken,
}

/// What is known of a body that is being passed on.
pub(super) struct Progress(Mutex<Point>);

struct Point {
    phase: Phase,
    since: Instant,
    bytes: u64,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        let point = Point { phase: Phase::Provider, since: Instant::now(), bytes: 0 };
        Arc::new(Self(Mutex::new(point)))
    }

    /// A request begins, perhaps once more: what was passed on before does not count.
    pub(super) fn begin(&self) {
        let mut point = self.point();
        (point.phase, point.since) = (Phase::Provider, Instant::now());
    }

    /// How many bytes were passed on.
    pub(super) fn bytes(&self) -> u64 {
        self.point().bytes
    }

    pub(super) fn phase(&self) -> Phase {
        self.point().phase
    }

    /// Ready when nothing has moved for `limit`, or nothing will: with the one who is waited for.
    pub(super) async fn stalled(&self, limit: Duration) -> Phase {
        loop {
            let until = {
                let point = self.point();
                let over = matches!(point.phase, Phase::TooLarge | Phase::Broken);
                if over || point.since.elapsed() >= limit {
                    return point.phase;
                }
                point.since + limit
            };
            tokio::time::sleep_until(until).await;
        }
    }

    fn reach(&self, phase: Phase, more: u64) {
        let mut point = self.point();
        point.bytes += more;
        if phase != point.phase || more > 0 {
            point.phase = phase;
            point.since = Instant::now();
        }
    }

    fn point(&self) -> MutexGuard<'_, Point> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More than is passed on, or broken off; the reason is in the [`Progress`].
#[derive(Debug, thiserror::Error)]
#[error("the body of the request cannot be passed on")]
pub(super) struct Unfit;

/// A body of up to `most` bytes.
pub(super) struct Upload {
    /// What was read of it and comes again.
    first: VecDeque<Bytes>,
    /// For a client that wants bodies that threads could share; nobody waits for the lock.
    body: Mutex<Body>,
    most: u64,
    progress: Arc<Progress>,
}

impl Upload {
    pub(super) fn new(body: Body, most: u64, progress: &Arc<Progress>) -> Self {
        let progress = Arc::clone(progress);
        Self { first: VecDeque::new(), body: Mutex::new(body), most, progress }
    }

    /// All of it, if that is no more than `short` bytes, which are all there within a `moment`; else
    /// it is as it was.
    pub(super) async fn whole(
        &mut self,
        short: u64,
        moment: Duration,
    ) -> Result<Option<Bytes>, Unfit> {
        let until = Instant::now() + moment;
        let (mut read, mut bytes) = (VecDeque::new(), 0_u64);
        while bytes <= short {
            match tokio::time::timeout_at(until, self.frame()).await {
                Ok(Some(frame)) => {
                    let data = frame?.into_data().unwrap_or_default();
                    bytes += data.len() as u64;
                    read.push_back(data);
                }
                Ok(None) => {
                    let read: Vec<Bytes> = read.into();
                    return Ok(Some(Bytes::from(read.concat())));
                }
                Err(_) => break,
            }
        }
        self.first = read;
        Ok(None)
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = Unfit;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfit>>> {
        let own = self.get_mut();
        if let Some(data) = own.first.pop_front() {
            own.progress.reach(Phase::Provider, 0);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let body = own.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        own.progress.reach(Phase::Caller, 0);
        let frame = ready!(Pin::new(body).poll_frame(cx));
        // Trailers are not passed on.
        let Some(frame) = frame.map(|frame| frame.map(Frame::into_data)) else {
            own.progress.reach(Phase::Provider, 0);
            return Poll::Ready(None);
        };
        let data = match frame {
            Ok(Ok(data)) => data,
            Ok(Err(_)) => {
                own.progress.reach(Phase::Provider, 0);
                return Poll::Ready(None);
            }
            Err(_) => {
                own.progress.reach(Phase::Broken, 0);
                return Poll::Ready(Some(Err(Unfit)));
            }
        };
        let more = data.len() as u64;
        if own.progress.bytes() + more > own.most {
            own.progress.reach(Phase::TooLarge, 0);
            return Poll::Ready(Some(Err(Unfit)));
        }
        own.progress.reach(Phase::Provider, more);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = body.size_hint();
        let first: u64 = self.first.iter().map(|own| own.len() as u64).sum();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(first));
        }
        hint
    }
}
