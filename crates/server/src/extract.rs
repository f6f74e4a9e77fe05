//! What handlers are given of a request.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Refusal;
use grantor_core::jose::{JoseError, parse_object_strict};
use grantor_core::params::Params;
use grantor_core::time::Timestamp;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::app::App;
use crate::respond::Rejection;
use crate::telemetry::{RequestId, RequestInfo};
use crate::visit::Visit;

/// Who is calling, and when. The moment is read once; everything in the request is decided at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    /// The moment of the request.
    pub(crate) now: Timestamp,
    /// To quote.
    pub(crate) request_id: RequestId,
    /// The address, behind trusted proxies the one that they name.
    pub(crate) source: IpAddr,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Rejection> {
        let Ok(RequestInfo { id, source }) = RequestInfo::from_request_parts(parts, app).await;
        Ok(Self { now: app.server.clock.now(), request_id: id, source })
    }
}

/// A form in the body: its bytes, read under the size and time limits, and the headers.
pub(crate) struct Form {
    headers: HeaderMap,
    body: Bytes,
}

impl Form {
    /// The parameters.
    pub(crate) fn params(&self) -> Result<Params<'_>, Refusal> {
        Params::parse(&self.body)
    }

    /// The encoded text of the parameters.
    pub(crate) fn text(&self) -> Result<&str, Refusal> {
        std::str::from_utf8(&self.body).map_err(|_| Refusal::NotUtf8 {})
    }

    /// The Authorization header. One that is not visible ASCII counts as broken, not as absent.
    pub(crate) fn authorization(&self) -> Option<&str> {
        authorization(&self.headers)
    }
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        // RFC 6749 §3.2: parameters are sent in the form-urlencoded format.
        let read = if is_form(&parts.headers) {
            read(body, app).await
        } else {
            Err(Refusal::WrongContentType {}.into())
        };
        match read {
            Ok(body) => Ok(Self { headers: parts.headers, body }),
            // A person gets a page, a program JSON.
            Err(rejection) if wants_html(&parts.headers) => {
                match Visit::from_request_parts(&mut parts, app).await {
                    Ok(visit) => Err(visit.fail_with(rejection.status(), rejection.into_refusal())),
                    Err(response) => Err(response),
                }
            }
            Err(rejection) => Err(rejection.into_response()),
        }
    }
}

/// Whether a person asks: browsers say that they take HTML.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A form that may be missing: a GET, or a POST that has everything in its headers.
pub(crate) struct OptionalForm(pub(crate) Option<Form>, pub(crate) HeaderMap);

impl FromRequest<Arc<App>> for OptionalForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let headers = request.headers().clone();
        // RFC 6750 §2.2: a GET has no body that means anything.
        if !is_form(&headers) || request.method() == Method::GET {
            return Ok(Self(None, headers));
        }
        Ok(Self(Some(Form::from_request(request, app).await?), headers))
    }
}

/// A JSON object in the body, read under the size and time limits; nothing at all counts as an empty
/// one. Whether it could be read is for the handler to say, after it knows who calls.
pub(crate) struct JsonObject(pub(crate) Result<Map<String, Value>, Refusal>);

impl FromRequest<Arc<App>> for JsonObject {
    type Rejection = Rejection;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Rejection> {
        let form = is_form(request.headers());
        let body = read(request.into_body(), app).await?;
        Ok(Self(match () {
            () if body.is_empty() => Ok(Map::new()),
            () if form => Err(Refusal::JsonWanted {}),
            () => object(&body),
        }))
    }
}

/// A JSON object without doubled members, or what is wrong with it.
fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    parse_object_strict(body).map_err(|error| {
        let text = match error {
            JoseError::Json(text) => text,
            other => other.to_string(),
        };
        // RFC 6749 §5.2: these characters may appear in error_description.
        let fits = |c: &char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        Refusal::JsonUnreadable { why: text.chars().filter(fits).take(LONGEST_REASON).collect() }
    })
}

/// Characters of what is wrong with a body, at most.
const LONGEST_REASON: usize = 120;

/// The Authorization header of a request.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or(""))
}

/// The members that describe a client: of a JSON object (RFC 7591 §3.1), or fields of a form.
pub(crate) enum Described {
    /// JSON.
    Json(Bytes),
    /// A form.
    Form(Bytes),
}

/// Reads what describes a client, under the size and time limits.
pub(crate) async fn described(
    headers: &HeaderMap,
    body: Body,
    app: &App,
) -> Result<Described, Rejection> {
    match () {
        () if is_form(headers) => Ok(Described::Form(read(body, app).await?)),
        () if is_json(headers) => Ok(Described::Json(read(body, app).await?)),
        () => Err(Rejection::MediaType),
    }
}

/// The members of a JSON object, or the fields of a form, each as text, also empty ones; nothing at
/// all counts as none. Read under the size and time limits.
pub(crate) async fn members(
    headers: &HeaderMap,
    body: Body,
    app: &App,
) -> Result<Map<String, Value>, Rejection> {
    let body = read(body, app).await?;
    match () {
        () if body.is_empty() => Ok(Map::new()),
        () if is_json(headers) => object(&body).map_err(Rejection::from),
        () if is_form(headers) => {
            let params = Params::parse(&body)?;
            params.refuse_any_doubled()?;
            Ok(params.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
        }
        () => Err(Refusal::BodyUnreadable {}.into()),
    }
}

async fn read(body: Body, app: &App) -> Result<Bytes, Rejection> {
    let limited = Limited::new(body, app.body.bytes).collect();
    match tokio::time::timeout(app.body.timeout, limited).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejection::BodyTooLarge),
        Ok(Err(_)) => Err(Rejection::BodyBroken),
        Err(_) => Err(Rejection::BodyTooSlow),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    has_type(headers, "application/x-www-form-urlencoded")
}

fn is_json(headers: &HeaderMap) -> bool {
    has_type(headers, "application/json")
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    essence.is_some_and(|own| own.eq_ignore_ascii_case(wanted))
}
