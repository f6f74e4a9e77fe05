//! Why a token request is refused, and the words of RFC 6749 §5.2 for it.

use serde_json::{Value, json};

use super::ledger::Dead;
use super::request::say;
use crate::http::Answer;

/// Why a token request is refused. Each provider has its own words and statuses for these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No credentials where this provider looks for them.
    NoClient,
    UnknownClient,
    WrongSecret,
    /// A media type that this provider does not read.
    WrongBody,
    Missing(&'static str),
    GrantType,
    /// A parameter has a value that this provider does not take.
    Value(&'static str),
    Code(Dead),
    RedirectUri,
    Verifier,
    Refresh(Dead),
    Scope,
}

impl Refusal {
    /// The error code of RFC 6749 §5.2.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NoClient | Self::UnknownClient | Self::WrongSecret => "invalid_client",
            Self::WrongBody | Self::Missing(_) | Self::Value(_) => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::Code(_) | Self::RedirectUri | Self::Verifier | Self::Refresh(_) => {
                "invalid_grant"
            }
            Self::Scope => "invalid_scope",
        }
    }

    /// The status of RFC 6749 §5.2.
    pub(crate) fn status(self) -> u16 {
        match self.code() {
            "invalid_client" => 401,
            _ => 400,
        }
    }

    /// What happened, in words.
    pub(crate) fn text(self) -> String {
        match self {
            Self::NoClient => "there are no client credentials where they belong".into(),
            Self::UnknownClient => "there is no such client".into(),
            Self::WrongSecret => "the client secret is wrong".into(),
            Self::WrongBody => "the body has the wrong media type".into(),
            Self::Missing(name) => format!("the parameter {name} is missing"),
            Self::Value(name) => format!("the parameter {name} has a value that is not taken"),
            Self::GrantType => "the grant type is not supported".into(),
            Self::Code(dead) => format!("the authorization code is {}", dead.word()),
            Self::RedirectUri => "the redirect URI is not that of the authorization".into(),
            Self::Verifier => "the code verifier does not fit the challenge".into(),
            Self::Refresh(dead) => format!("the refresh token is {}", dead.word()),
            Self::Scope => "the scope is unknown or more than was granted".into(),
        }
    }
}

impl Dead {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Used => "used already",
            Self::Revoked => "revoked",
        }
    }
}

/// The answer of RFC 6749 §5.2.
pub(crate) fn standard(refusal: Refusal) -> Answer {
    error(refusal.status(), refusal.code(), &refusal.text())
}

/// An error in the form of RFC 6749 §5.2 with a status and words of its own.
pub(crate) fn error(status: u16, code: &str, text: &str) -> Answer {
    say(status, json!({ "error": code, "error_description": text }))
}

/// The same without words.
pub(crate) fn bare(status: u16, code: &str) -> Answer {
    say(status, Value::from_iter([("error", code)]))
}
