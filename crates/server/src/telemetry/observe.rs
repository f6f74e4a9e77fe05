//! One log line and one count per request, and what a handler has to know about who asks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::header::CONNECTION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Version};
use axum::response::Response;
use tower::{Layer, Service};

use super::metrics::RouteMetrics;
use super::{Metrics, RequestId, RequestIds};
use crate::forwarded::{self, Cidr};
use crate::listen::Peer;

/// What is known about a request before anybody has read it. In the extensions of every request,
/// and an extractor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestInfo {
    /// Its name in the logs; also the header `x-request-id` of every answer from 400 on.
    pub(crate) id: RequestId,
    /// Who sent it, also behind trusted proxies. 0.0.0.0 where nobody did, as in some tests.
    pub(crate) source: IpAddr,
}

const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl<S: Sync> FromRequestParts<S> for RequestInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().copied();
        Ok(known.unwrap_or(Self { id: RequestId::default(), source: NOBODY }))
    }
}

/// The layer; the last one of the router, so that it is around every route.
///
/// Requests that fail (5xx) are logged at `warn`, slow ones at `info`, the others at `debug`: a
/// busy token endpoint writes nothing at the default level. A line has the id, method, route
/// pattern, status, microseconds and source, and nothing that a client could put a secret into.
#[derive(Clone)]
pub(crate) struct Observe(Arc<Shared>);

struct Shared {
    ids: RequestIds,
    metrics: Metrics,
    trusted: Vec<Cidr>,
    leaving: Leaving,
}

/// Whether the server is about to stop: it still answers, and sends everybody elsewhere.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// From now on.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What takes longer than this is worth a line.
const SLOW: Duration = Duration::from_secs(1);

impl Observe {
    /// Counts into `metrics`; headers about the source are believed from `trusted` only. While
    /// `leaving`, every answer over HTTP/1.1 is the last of its connection (RFC 9112 §9.6), so that a
    /// proxy keeps none over which it would send a request into the end of this process.
    pub(crate) fn new(metrics: Metrics, trusted: Vec<Cidr>, leaving: Leaving) -> Self {
        Self(Arc::new(Shared { ids: RequestIds::default(), metrics, trusted, leaving }))
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, shared: Arc::clone(&self.0), route: Arc::default() }
    }
}

/// A route with the layer around it.
#[derive(Clone)]
pub(crate) struct Observed<S> {
    inner: S,
    shared: Arc<Shared>,
    /// axum makes one of these for every route, which is why the first request can fill it in.
    route: Arc<OnceLock<Route>>,
}

struct Route {
    pattern: Option<MatchedPath>,
    metrics: Option<Arc<RouteMetrics>>,
}

impl Route {
    fn of(request: &Request, metrics: &Metrics) -> Self {
        let pattern = request.extensions().get::<MatchedPath>().cloned();
        let metrics = metrics.route(pattern.as_ref().map_or(UNMATCHED, MatchedPath::as_str));
        Self { pattern, metrics }
    }

    fn pattern(&self) -> &str {
        self.pattern.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }
}

/// Paths that nothing is at share one label, or anybody could make labels.
const UNMATCHED: &str = "unmatched";

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let began = Instant::now();
        let info = self.shared.info(&request);
        self.route.get_or_init(|| Route::of(&request, &self.shared.metrics));
        let (route, method) = (Arc::clone(&self.route), request.method().clone());
        let last = self.shared.leaving.has_begun() && request.version() == Version::HTTP_11;
        request.extensions_mut().insert(info);
        let answered = self.inner.call(request);
        Box::pin(async move {
            let mut response = answered.await?;
            if last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            if let Some(route) = route.get() {
                finish(&mut response, info, &method, route, began.elapsed());
            }
            Ok(response)
        })
    }
}

impl Shared {
    fn info(&self, request: &Request) -> RequestInfo {
        let peer = request.extensions().get::<Peer>().map_or(NOBODY, |peer| peer.0.ip());
        let source = forwarded::source(peer, request.headers(), &self.trusted);
        RequestInfo { id: self.ids.next(), source }
    }
}

fn finish(
    response: &mut Response,
    info: RequestInfo,
    method: &Method,
    route: &Route,
    took: Duration,
) {
    let status = response.status();
    if let Some(metrics) = &route.metrics {
        metrics.answered(method, status.as_u16(), took);
    }
    if status.is_client_error() || status.is_server_error() {
        let id = HeaderValue::try_from(info.id.to_string());
        id.into_iter().for_each(|id| drop(response.headers_mut().insert("x-request-id", id)));
    }
    let (status, micros) = (status.as_u16(), took.as_micros());
    let (request, source, route) = (info.id, info.source, route.pattern());
    if status >= 500 {
        tracing::warn!(%request, %method, route, status, micros, %source, "request failed");
    } else if took >= SLOW {
        tracing::info!(%request, %method, route, status, micros, %source, "slow request");
    } else {
        tracing::debug!(%request, %method, route, status, micros, %source, "request");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    fn app(metrics: &Metrics) -> Router {
        let who = async |info: RequestInfo| format!("{} {}", info.source, info.id);
        Router::new()
            .route("/who/{name}", get(who).post(async || StatusCode::SEE_OTHER))
            .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .layer(Observe::new(
                metrics.clone(),
                vec!["10.0.0.0/8".parse().expect("a block")],
                Leaving::default(),
            ))
    }

    async fn send(app: &Router, method: &str, path: &str) -> Response {
        let peer: SocketAddr = "10.0.0.1:4711".parse().expect("an address");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-forwarded-for", "192.0.2.7")
            .header("x-request-id", "mine")
            .extension(Peer(peer))
            .body(Body::empty());
        app.clone().oneshot(request.expect("a request")).await.expect("infallible")
    }

    #[tokio::test]
    async fn requests_are_named_counted_and_traced_to_their_source() {
        let metrics = Metrics::on();
        let app = app(&metrics);
        let answer = send(&app, "GET", "/who/ada?token=secret").await;
        assert!(!answer.headers().contains_key("x-request-id"));
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(body.starts_with(b"192.0.2.7 ") && body.len() == 26, "{body:?}");
        send(&app, "GET", "/who/bob").await;
        send(&app, "POST", "/who/bob").await;
        send(&app, "PUT", "/who/bob").await;
        let broken = send(&app, "GET", "/broken").await;
        let id = broken.headers()["x-request-id"].to_str().expect("text");
        assert!(id.len() == 16 && id != "mine");
        send(&app, "GET", "/secret-path").await;

        let page = metrics.router();
        let request = Request::get("/metrics").body(Body::empty()).expect("a request");
        let page = page.oneshot(request).await.expect("infallible").into_body();
        let text = page.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&text);
        for line in [
            "http_requests_total{route=\"/who/{name}\",method=\"GET\",status=\"200\"} 2",
            "http_requests_total{route=\"/who/{name}\",method=\"POST\",status=\"303\"} 1",
            "http_requests_total{route=\"/who/{name}\",method=\"other\",status=\"405\"} 1",
            "http_requests_total{route=\"/broken\",method=\"GET\",status=\"500\"} 1",
            "http_requests_total{route=\"unmatched\",method=\"GET\",status=\"404\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains("secret") && !text.contains("ada"));
    }
}
