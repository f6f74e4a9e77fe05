//! One call at a provider: whether it went out is always known, or said not to be.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use grantor_core::outbound::{CallError, Method, Request, Response};
use grantor_core::time::{Seconds, Timestamp};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder};
use url::Url;

use super::{Inner, builder, cause, read};

/// For a connection to be made, TLS included.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next call. Shorter than servers keep theirs: one that they
/// close while a request is on its way leaves its outcome unknown.
const IDLE: Duration = Duration::from_secs(15);
/// Bytes of an answer at most.
const MOST_BYTES: usize = 1024 * 1024;

impl Inner {
    /// Makes a call, and reads the whole answer within `deadline`.
    pub(super) async fn make(
        &self,
        request: Request,
        deadline: Seconds,
    ) -> Result<Response, CallError> {
        let url = Url::parse(&request.url).map_err(|error| not_sent(error.to_string()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        self.reach.check(&url).map_err(|why| not_sent(format!("{host}: {why}")))?;
        let client = self.caller.get_or_init(|| client(builder(&self.reach)?)).as_ref();
        let client = client.map_err(|why| not_sent(why.clone()))?;
        let method = method(request.method);
        let headers = headers(&request)?;
        // Without a body there is nothing that tells: it counts as sent.
        let sent = Arc::new(AtomicBool::new(request.body.is_empty()));
        let call = client.request(method, url).headers(headers).body(body(request, &sent));
        let limit = Duration::from_secs(u64::from(deadline.0));
        let over = || format!("it did not answer within {} s", deadline.0);
        match tokio::time::timeout(limit, whole(call)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Broken::Before(why))) => Err(not_sent(format!("{host}: {why}"))),
            Ok(Err(Broken::After(why))) => Err(CallError::Unknown(format!("{host}: {why}"))),
            Err(_) if sent.load(Ordering::Acquire) => {
                Err(CallError::Unknown(format!("{host}: {}", over())))
            }
            Err(_) => Err(not_sent(format!("{host}: no connection; {}", over()))),
        }
    }
}

/// When a call broke.
enum Broken {
    /// The connection was not made.
    Before(String),
    /// It was, and the request may have arrived.
    After(String),
}

async fn whole(call: reqwest::RequestBuilder) -> Result<Response, Broken> {
    let answer = call.send().await.map_err(|error| match error.is_connect() {
        true if error.is_timeout() => {
            Broken::Before(format!("no connection within {} s", CONNECT.as_secs()))
        }
        true => Broken::Before(cause(error)),
        false if error.is_builder() => Broken::Before(cause(error)),
        false => Broken::After(cause(error)),
    })?;
    let status = answer.status().as_u16();
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = text(CONTENT_TYPE).map(str::to_owned);
    let retry_after = text(RETRY_AFTER).and_then(|value| pause(value, text(DATE)));
    let body = read(answer, MOST_BYTES).await.map_err(Broken::After)?;
    Ok(Response { status, content_type, retry_after, body: body.into() })
}

/// RFC 9110 §10.2.3: a number of seconds, or a date, which is counted from the `Date` beside it, so
/// that no clock matters but the one of the other side. Without that a date says nothing.
fn pause(value: &str, date: Option<&str>) -> Option<Seconds> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Seconds(u32::try_from(seconds).unwrap_or(u32::MAX)));
    }
    let moment = |text: &str| {
        let zoned = rfc2822::DateTimeParser::new().parse_zoned(text.trim()).ok()?;
        Some(Timestamp::from_epoch(zoned.timestamp().as_second()))
    };
    let now = date.and_then(moment)?;
    moment(value).map(|until| now.until(until))
}

fn client(builder: ClientBuilder) -> Result<Client, String> {
    builder.connect_timeout(CONNECT).pool_idle_timeout(IDLE).build().map_err(cause)
}

const fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
    }
}

/// All of them may be secret: none is shown by what the libraries log.
fn headers(request: &Request) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for (name, value) in &request.headers {
        let broken = || not_sent(format!("the header {name} has characters that no header has"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| broken())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// A body that tells when it is taken, which is after a connection was made and before anything of
/// it is written.
struct Watched {
    bytes: Option<Bytes>,
    taken: Arc<AtomicBool>,
}

fn body(request: Request, taken: &Arc<AtomicBool>) -> reqwest::Body {
    let mut body = request.body;
    // The library keeps the bytes in a buffer of its own, which nobody can clear.
    let bytes = Some(Bytes::from(std::mem::take(&mut *body))).filter(|bytes| !bytes.is_empty());
    match bytes {
        Some(bytes) => reqwest::Body::wrap(Watched { bytes: Some(bytes), taken: taken.clone() }),
        None => reqwest::Body::default(),
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let own = self.get_mut();
        own.taken.store(true, Ordering::Release);
        Poll::Ready(own.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

fn not_sent(why: impl Into<String>) -> CallError {
    CallError::NotSent(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_number_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999", Some(u32::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(pause(value, date), seconds.map(Seconds), "{value}");
        }
        assert_eq!(pause("Sun, 06 Nov 1994 08:50:37 GMT", None), None, "since when?");
    }
}
