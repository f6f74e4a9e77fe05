//! Calls of a provider's API for a service that never sees the token: what comes from one side goes
//! to the other, without what neither may have.

mod download;
mod fields;
mod record;
mod search;
mod upload;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, header};
use grantor_core::error::{Failure, Refusal};
use grantor_core::time::Timestamp;
use grantor_core::vault::proxy::{self, Call, Passed};
use http_body_util::{BodyExt as _, Full};

use crate::app::App;
use crate::outbound::Unanswered;
use crate::respond::Rejection;
use crate::service::Service;
use download::Download;
use fields::Way;
use record::Record;
use search::Search;
use upload::{Phase, Progress, Unfit, Upload};

pub(crate) use record::{Calls, write_down};

/// A body of up to so many bytes is kept, so that it can be sent again with another token.
const KEPT: u64 = 64 * 1024;
/// How long a body of unknown length has to be all there, so that it is kept. Who streams slowly may
/// be waiting for an answer in between.
const MOMENT: Duration = Duration::from_millis(100);

/// What may pass through the proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProxyLimits {
    /// Bytes of a request.
    pub(crate) request_bytes: u64,
    /// Bytes of an answer.
    pub(crate) answer_bytes: u64,
    /// How long nothing may move.
    pub(crate) timeout: Duration,
}

/// Why there is no answer of the provider.
pub(crate) enum Stopped {
    /// It was refused, or something is broken.
    Failed(Failure),
    /// The caller's body was too large, too slow or broken.
    Rejected(Rejection),
}

impl<T: Into<Failure>> From<T> for Stopped {
    fn from(failure: T) -> Self {
        Self::Failed(failure.into())
    }
}

/// Makes the call that a key asks for, and answers what the provider answers.
pub(crate) async fn pass(
    app: &Arc<App>,
    service: &Service,
    request: Request,
    now: Timestamp,
) -> Result<Response<Body>, Stopped> {
    let Service { key, actor } = service;
    let (parts, body) = request.into_parts();
    let call = call(&parts)?;
    if body.size_hint().lower() > app.proxy.request_bytes {
        return Err(Stopped::Rejected(Rejection::BodyTooLarge));
    }
    let passed = proxy::prepare(&app.server, key, &call, actor, now).await?;
    let progress = Progress::new();
    let record = Record::new(app, actor.clone(), &passed, &parts.method, &progress);
    let mut exchange = Exchange { app, parts: &parts, passed, progress, record };
    let (answer, kept) = exchange.first(body).await?;
    if answer.status() != 401 {
        return Ok(exchange.answer(answer));
    }
    // RFC 6750 §3.1: the provider does not take the token; perhaps it takes a fresher one.
    let before = &exchange.passed;
    let fresh = proxy::renew(&app.server, key, &call, before, actor, now).await?;
    let (Some(fresh), Some(bytes)) = (fresh, kept) else {
        return Ok(exchange.answer(answer));
    };
    exchange.passed = fresh;
    let answer = exchange.send(Full::new(bytes)).await?;
    Ok(exchange.answer(answer))
}

/// What the request says about the call.
fn call(parts: &Parts) -> Result<Call<'_>, Refusal> {
    // RFC 9110 §9.3.8: the answer to a TRACE would show the token.
    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        return Err(Refusal::ProxyMethod {});
    }
    let rest = parts.uri.path().strip_prefix("/proxy/").unwrap_or_default();
    let (integration, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok(Call {
        integration,
        path: if path.is_empty() { "/" } else { path },
        query: parts.uri.query(),
        host: field(parts, fields::HOST_WANTED)?,
        connection: field(parts, fields::CONNECTION_ID)?,
        subject: field(parts, fields::SUBJECT)?,
        account: field(parts, fields::ACCOUNT)?,
    })
}

/// A field of our own, which may be there once.
fn field<'a>(parts: &'a Parts, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut values = parts.headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::DoubledParameter { name: name.to_owned() });
    }
    let text = first.map(|value| std::str::from_utf8(value.as_bytes())).transpose();
    text.map_err(|_| Refusal::NotUtf8 {})
}

/// A call that is being made.
struct Exchange<'a> {
    app: &'a Arc<App>,
    parts: &'a Parts,
    passed: Passed,
    progress: Arc<Progress>,
    record: Record,
}

impl Exchange<'_> {
    /// Sends the request for the first time; with its body, if that was kept for another time.
    async fn first(&self, body: Body) -> Result<(Response<Body>, Option<Bytes>), Stopped> {
        let length = body.size_hint().exact();
        let mut upload = Upload::new(body, self.app.proxy.request_bytes, &self.progress);
        let read = match length {
            Some(bytes) if bytes <= KEPT => {
                Some(self.read((&mut upload).collect()).await?.to_bytes())
            }
            Some(_) => return Ok((self.send(upload).await?, None)),
            None => self.read(upload.whole(KEPT, MOMENT)).await?,
        };
        match read {
            Some(bytes) => Ok((self.send(Full::new(bytes.clone())).await?, Some(bytes))),
            None => Ok((self.send(upload).await?, None)),
        }
    }

    /// What is read of the caller's body.
    async fn read<T>(&self, read: impl Future<Output = Result<T, Unfit>>) -> Result<T, Stopped> {
        let unfit = |_| Stopped::Rejected(self.unfit().unwrap_or(Rejection::BodyBroken));
        self.unstalled(read).await?.map_err(unfit)
    }

    /// What is wrong with the caller's body, if something is.
    fn unfit(&self) -> Option<Rejection> {
        match self.progress.phase() {
            Phase::TooLarge => Some(Rejection::BodyTooLarge),
            Phase::Broken => Some(Rejection::BodyBroken),
            Phase::Provider | Phase::Caller => None,
        }
    }

    /// Sends the request; the head of the answer.
    async fn send<B>(&self, body: B) -> Result<Response<Body>, Stopped>
    where
        B: axum::body::HttpBody<Data = Bytes> + Send + Sync + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let method = self.parts.method.clone();
        let headers = self.headers()?;
        let url = self.passed.url.clone();
        self.progress.begin();
        let sent = self.unstalled(self.app.streams.send(method, url, headers, body)).await?;
        sent.map_err(|error| self.unanswered(&error))
    }

    fn headers(&self) -> Result<axum::http::HeaderMap, Refusal> {
        let mut headers = fields::to_provider(&self.parts.headers);
        let secret = format!("Bearer {}", *self.passed.token);
        let own = self.passed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, text) in own.chain([(header::AUTHORIZATION.as_str(), secret.as_str())]) {
            let unfit = |_| Refusal::ProviderUnreachable {};
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(()))?;
            let mut value = HeaderValue::from_str(text).map_err(|_| unfit(()))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// Waits for `step` as long as anything moves.
    async fn unstalled<T>(&self, step: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            done = step => Ok(done),
            phase = self.progress.stalled(self.app.proxy.timeout) => Err(match phase {
                Phase::Provider => {
                    tracing::warn!(host = %self.passed.host, "a provider did not answer a call");
                    Refusal::ProviderSilent {}.into()
                }
                Phase::Caller => Stopped::Rejected(Rejection::BodyTooSlow),
                Phase::TooLarge => Stopped::Rejected(Rejection::BodyTooLarge),
                Phase::Broken => Stopped::Rejected(Rejection::BodyBroken),
            }),
        }
    }

    fn unanswered(&self, error: &Unanswered) -> Stopped {
        if let Some(rejection) = self.unfit() {
            return Stopped::Rejected(rejection);
        }
        tracing::warn!(host = %self.passed.host, cause = %error, "a provider could not be called");
        Refusal::ProviderUnreachable {}.into()
    }

    /// The answer as the caller gets it.
    fn answer(self, answer: Response<Body>) -> Response<Body> {
        let Self { app, parts, passed, mut record, .. } = self;
        let (head, body) = answer.into_parts();
        record.answered(head.status.as_u16());
        let proxy = format!("{}/proxy/{}", app.server.policy.issuer, passed.integration);
        let way = Way { url: &passed.url, base: &passed.base, proxy: &proxy };
        let mut headers = fields::to_caller(&head.headers, &passed.token, &way);
        let connection = HeaderValue::from_str(&format!("con_{}", passed.connection));
        headers.extend(connection.ok().map(|own| (fields::CONNECTION_NAME, own)));
        if parts.method == Method::HEAD || head.status == 304 {
            // There is no body that would say it.
            let length = head.headers.get(header::CONTENT_LENGTH).cloned();
            headers.extend(length.map(|own| (header::CONTENT_LENGTH, own)));
        }
        let search = Search::for_token(&passed.token);
        let most = app.proxy.answer_bytes;
        let body = Download::new(body, search, most, app.proxy.timeout, record);
        let mut response = Response::new(Body::new(body));
        *response.status_mut() = head.status;
        *response.headers_mut() = headers;
        response
    }
}
