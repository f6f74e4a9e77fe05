//! What the token endpoint says when it says no: RFC 6749 §5.2, in Google's words.

use axum::http::{StatusCode, header};
use serde_json::json;

use crate::http::Answer;

/// An error of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    subtype: Option<&'static str>,
}

impl Refusal {
    /// 400 with this error.
    pub(super) fn bad(error: &'static str, description: impl Into<String>) -> Self {
        let description = description.into();
        Self { status: StatusCode::BAD_REQUEST, error, description, subtype: None }
    }

    /// 401 with this error.
    pub(super) fn unauthorized(error: &'static str, description: &str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::bad(error, description) }
    }

    /// The grant is of no use, or never was.
    pub(super) fn grant(description: &str) -> Self {
        Self::bad("invalid_grant", description)
    }

    /// A parameter is not there.
    pub(super) fn missing(name: &str) -> Self {
        Self::bad("invalid_request", format!("Missing required parameter: {name}"))
    }

    /// The person has to sign in again, which is not a question of consent.
    pub(super) fn reauth() -> Self {
        let subtype = Some("invalid_rapt");
        Self { subtype, ..Self::grant("reauth related error (invalid_rapt)") }
    }

    /// As it is written.
    pub(super) fn answer(&self) -> Answer {
        let mut body = json!({"error": self.error, "error_description": self.description});
        if let Some(subtype) = self.subtype {
            body["error_subtype"] = subtype.into();
        }
        let answer = Answer::json(self.status, body);
        match self.status {
            // RFC 9110 §15.5.2: a 401 says how to authenticate.
            StatusCode::UNAUTHORIZED => answer.with(header::WWW_AUTHENTICATE, "Basic"),
            _ => answer,
        }
    }
}
