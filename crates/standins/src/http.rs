//! What the stand-ins agree on over HTTP: serving, forms, bearer tokens and answers as values, so
//! that a fault can be put into an answer before it leaves.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::wire::{Tapped, Wire};

/// How long requests under way may take once it is time to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(2);
/// The largest request that is read, in bytes.
pub(crate) const MAX_REQUEST: usize = 1 << 20;

/// Serves a router on every listener until `stop` completes, then finishes what is under way.
/// Handlers find the [`Wire`] of their connection in `ConnectInfo`.
pub(crate) async fn serve(
    router: Router,
    listeners: Vec<TcpListener>,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let router = router.layer(from_fn(mend));
    let (end, ended) = watch::channel(());
    let mut servers = JoinSet::new();
    for listener in listeners {
        let mut ended = ended.clone();
        let service = router.clone().into_make_service_with_connect_info::<Wire>();
        let server = axum::serve(Tapped(listener), service).with_graceful_shutdown(async move {
            // An error means that the sender is gone, which is a reason to stop as well.
            let _ = ended.changed().await;
        });
        servers.spawn(async move { server.await });
    }
    let result = tokio::select! {
        () = stop => Ok(()),
        Some(ended) = servers.join_next() => ended.unwrap_or_else(|e| Err(io::Error::other(e))),
    };
    end.send_replace(());
    let rest = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_REQUESTS, rest).await.is_err() {
        tracing::debug!("some requests did not end in time and were cut off");
    }
    result
}

/// What an earlier request on the same connection was given is no fault of the next one.
async fn mend(ConnectInfo(wire): ConnectInfo<Wire>, request: Request, next: Next) -> Response {
    wire.mend();
    next.run(request).await
}

/// The parameters of a form or a query, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters of a body or a query.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The query and then, where it is a form, the body of a request. Nothing where the body is too
    /// large or breaks off.
    pub(crate) async fn of(request: Request) -> Self {
        let mut all = Self::parse(request.uri().query().unwrap_or_default().as_bytes());
        let said = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if said.is_some_and(|said| said.starts_with(b"application/x-www-form-urlencoded")) {
            let body = axum::body::to_bytes(request.into_body(), MAX_REQUEST).await;
            all.0.extend(Self::parse(&body.unwrap_or_default()).0);
        }
        all
    }

    /// As [`Form::of`], and the body where it is JSON.
    pub(crate) async fn or_json(request: Request) -> (Self, Value) {
        let said = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !said.is_some_and(|said| said.starts_with(b"application/json")) {
            return (Self::of(request).await, Value::Null);
        }
        let form = Self::parse(request.uri().query().unwrap_or_default().as_bytes());
        let body = axum::body::to_bytes(request.into_body(), MAX_REQUEST).await;
        (form, serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default())
    }

    /// The first value of a parameter; an empty one counts as left out.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is there more than once.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.clone().find(|name| names.clone().filter(|own| own == name).count() > 1)
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The identifier and secret of an `Authorization: Basic` header.
// RFC 6749 §2.3.1: both are form-encoded before they are put together.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, pair) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(pair.trim()))?;
    let pair = String::from_utf8(pair.ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let plain = |text: &str| {
        let read = Form::parse(format!("v={}", text.replace('&', "%26")).as_bytes());
        read.first("v").unwrap_or_default().to_owned()
    };
    Some((plain(id), plain(secret)))
}

/// An answer before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// What an answer carries.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Written as JSON.
    Json(Value),
    /// Written as it is.
    Text(String),
}

impl Answer {
    /// JSON that nobody may keep.
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        let answer = Self { status, headers: HeaderMap::new(), body: Body::Json(body) };
        answer
            .with(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .with(header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate")
    }

    /// Text of any kind.
    pub(crate) fn text(status: StatusCode, content_type: &str, body: impl Into<String>) -> Self {
        let answer = Self { status, headers: HeaderMap::new(), body: Body::Text(body.into()) };
        answer.with(header::CONTENT_TYPE, content_type).with(header::CACHE_CONTROL, "no-store")
    }

    /// A page.
    pub(crate) fn html(status: StatusCode, body: impl Into<String>) -> Self {
        Self::text(status, "text/html; charset=utf-8", body)
    }

    /// Sends the browser on, with `GET`.
    pub(crate) fn see_other(url: &str) -> Self {
        Self::html(StatusCode::SEE_OTHER, "").with(header::LOCATION, url)
    }

    /// With a header; one whose value cannot be written is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// What will be written.
    pub(crate) fn written(&self) -> String {
        match &self.body {
            Body::Json(value) => format!("{value:#}"),
            Body::Text(text) => text.clone(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers.clone(), self.written()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_decoded_twice() {
        let mut headers = HeaderMap::new();
        let pair = BASE64_STANDARD.encode("an%20id:a+secret%2Fwith%26signs");
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(&format!("Basic {pair}")).expect("plain"),
        );
        let (id, secret) = basic(&headers).expect("credentials");
        assert_eq!((id.as_str(), secret.as_str()), ("an id", "a secret/with&signs"));
        assert_eq!(bearer(&headers), None);
    }

    #[test]
    fn a_repeated_parameter_is_found_and_an_empty_one_is_none() {
        let form = Form::parse(b"a=1&b=&a=2");
        assert_eq!(
            (form.first("a"), form.first("b"), form.repeated()),
            (Some("1"), None, Some("a"))
        );
        assert_eq!(Form::parse(b"a=1&b=2").repeated(), None);
    }
}
