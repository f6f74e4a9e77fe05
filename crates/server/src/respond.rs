//! The one place where a refusal or a fault becomes a status, headers and a body.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use grantor_core::error::{Broken, Details, Failure, Refusal};
use grantor_core::store::StoreError;
use serde::Serialize;

use crate::authenticate::rate_headers;
use crate::limits::Allowance;
use crate::telemetry::RequestId;

/// What a program gets instead of what it asked for.
#[derive(Debug)]
pub(crate) struct ApiError {
    failure: Failure,
    challenge: Challenge,
    request_id: RequestId,
}

/// How the caller is told to authenticate: RFC 9110 §11.6.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Not in the headers.
    None,
    /// RFC 6749 §5.2: after a failed attempt in the Authorization header.
    Basic,
    /// RFC 6750 §3.
    Bearer,
    /// The same, by a resource whose metadata are at this URL: RFC 9728 §5.1.
    Resource(String),
}

impl ApiError {
    /// An error for a program.
    pub(crate) fn new(
        failure: impl Into<Failure>,
        challenge: Challenge,
        request_id: RequestId,
    ) -> Self {
        Self { failure: failure.into(), challenge, request_id }
    }
}

/// RFC 6749 §5.2, and `message` with the same text for clients that read that.
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
    message: &'a str,
    #[serde(flatten)]
    details: Option<&'a Details>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error, text) = match &self.failure {
            Failure::Refused(refusal) => {
                (refusal_status(refusal), refusal.code().as_str(), refusal.to_string().into())
            }
            Failure::Broken(broken) => {
                log_broken(broken, self.request_id);
                let (status, error, text) = broken_answer(broken);
                (status, error, Cow::Borrowed(text))
            }
        };
        let details = match &self.failure {
            Failure::Refused(refusal) => refusal.details(),
            Failure::Broken(_) => None,
        };
        let body = Body { error, error_description: &text, message: &text, details };
        let mut response = json(status, &body);
        let headers = response.headers_mut();
        match self.challenge {
            Challenge::Basic if status == StatusCode::UNAUTHORIZED => {
                let basic = HeaderValue::from_static("Basic realm=\"grantor\", charset=\"UTF-8\"");
                headers.insert(header::WWW_AUTHENTICATE, basic);
            }
            Challenge::Bearer => {
                let value = bearer(&self.failure, None);
                headers.extend(value.map(|own| (header::WWW_AUTHENTICATE, own)));
            }
            Challenge::Resource(metadata) => {
                let value = bearer(&self.failure, Some(&metadata));
                headers.extend(value.map(|own| (header::WWW_AUTHENTICATE, own)));
            }
            Challenge::None | Challenge::Basic => {}
        }
        headers.extend(retry_after(&self.failure).map(|own| (header::RETRY_AFTER, own)));
        if let Failure::Refused(Refusal::Throttled { wait, per_minute: per_minute @ 1.. }) =
            self.failure
        {
            rate_headers(headers, Allowance { per_minute, left: 0, reset: wait.0 });
        }
        response
    }
}

/// Why a request could not be read.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// A rule of the protocol.
    Refused(Refusal),
    /// RFC 9110 §15.5.14.
    BodyTooLarge,
    /// RFC 9110 §15.5.9.
    BodyTooSlow,
    /// RFC 9110 §15.5.16.
    MediaType,
    /// The connection ended in the middle, or its framing is wrong.
    BodyBroken,
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Rejection {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal_status(refusal),
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyBroken => StatusCode::BAD_REQUEST,
        }
    }

    /// The reason in words.
    pub(crate) fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::BodyTooLarge => Refusal::BodyTooLarge {},
            Self::BodyTooSlow => Refusal::BodyTooSlow {},
            Self::MediaType => Refusal::NeitherJsonNorForm {},
            Self::BodyBroken => Refusal::BodyBroken {},
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, refusal) = (self.status(), self.into_refusal());
        let (error, text) = (refusal.code().as_str(), refusal.to_string());
        json(status, &Body { error, error_description: &text, message: &text, details: None })
    }
}

/// A JSON answer that nobody keeps: RFC 6749 §5.1.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(value) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, body).into_response()
}

/// The status of a refusal in a direct answer.
pub(crate) fn refusal_status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.code().status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// Status, code and text of a fault. What exactly is broken stays in the log.
pub(crate) const fn broken_answer(broken: &Broken) -> (StatusCode, &'static str, &'static str) {
    match broken {
        Broken::Store(StoreError::Unavailable(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The server is busy. Try again in a moment.",
        ),
        Broken::Store(StoreError::Corrupt(_))
        | Broken::Key(_)
        | Broken::NoSigningKey(_)
        | Broken::Corrupt(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_server_error",
            "An internal server error occurred.",
        ),
    }
}

/// Says once, where it is answered, what was broken.
pub(crate) fn log_broken(broken: &Broken, request_id: RequestId) {
    tracing::error!(request_id = %request_id, cause = %broken, "a request could not be answered");
}

/// When to come back.
pub(crate) fn retry_after(failure: &Failure) -> Option<HeaderValue> {
    match failure {
        Failure::Refused(Refusal::Throttled { wait, .. }) => Some(HeaderValue::from(wait.0)),
        Failure::Broken(Broken::Store(StoreError::Unavailable(_))) => Some(HeaderValue::from(1)),
        Failure::Refused(refusal) => {
            refusal.details()?.retry_after.map(|own| HeaderValue::from(own.0))
        }
        Failure::Broken(_) => None,
    }
}

/// RFC 6750 §3: no error code when the request has no token at all.
fn bearer(failure: &Failure, metadata: Option<&str>) -> Option<HeaderValue> {
    let Failure::Refused(refusal) = failure else {
        return None;
    };
    let text = match refusal {
        Refusal::TokenMissing {}
        | Refusal::ExternalSecretMissing {}
        | Refusal::InitialTokenMissing {}
        | Refusal::RegistrationTokenMissing {}
        | Refusal::ApiKeyMissing {} => "Bearer realm=\"grantor\"".to_owned(),
        Refusal::ScopeMissing { scope } => format!(
            "Bearer realm=\"grantor\", error=\"insufficient_scope\", error_description=\"{refusal}\", scope=\"{scope}\""
        ),
        other => format!(
            "Bearer realm=\"grantor\", error=\"{}\", error_description=\"{other}\"",
            other.code().as_str()
        ),
    };
    let metadata = metadata.map(|url| format!(", resource_metadata=\"{url}\""));
    HeaderValue::from_str(&format!("{text}{}", metadata.unwrap_or_default())).ok()
}
