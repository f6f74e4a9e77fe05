//! Faults on demand: what goes wrong, where, and how often.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::calls::Call;
use crate::http::{Answer, Body};

/// The page that a provider's front end shows when what is behind it is away.
const AWAY: &str = "<!DOCTYPE html>\n<html lang=en>\n<title>Error</title>\n<p><b>That’s an error.</b>\n\
    <p>The server could not complete your request. <ins>That’s all we know.</ins>\n</html>\n";

/// A fault that waits for the calls it is meant for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// The endpoint, as the counts name it.
    pub(crate) endpoint: String,
    /// Only calls of this grant type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grant_type: Option<String>,
    /// Only calls with the refresh token of this fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    /// How many calls go by before it begins.
    #[serde(default)]
    pub(crate) skip: u32,
    /// How many calls it is for.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// It stays, whatever `times` says.
    #[serde(default)]
    pub(crate) until_cleared: bool,
    pub(crate) fault: Kind,
}

/// What goes wrong. Kinds up to `hold_before` come before the call is processed, the next answer in
/// place of it, and the rest change the answer of a call that was processed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    /// The connection is dropped, and nothing has happened.
    ResetBefore,
    /// So many milliseconds before the call is processed.
    LatencyBefore(u64),
    /// Not processed until released.
    HoldBefore,

    /// A page with this status, 5xx as a rule, as a broken front end answers.
    Html(u16),
    /// 429, with this `Retry-After` if there is one.
    TooMany {
        /// Seconds, or a date.
        retry_after: Option<Value>,
        /// A page in place of JSON.
        #[serde(default)]
        html: bool,
    },
    /// An error as RFC 6749 §5.2 has it, with any status: 200 too.
    Error {
        #[serde(default = "bad_request")]
        status: u16,
        error: String,
        description: Option<String>,
        subtype: Option<String>,
    },
    /// Any answer at all.
    Answer {
        status: u16,
        #[serde(default = "json_type")]
        content_type: String,
        body: String,
    },

    /// Members of the answer become these values; null removes one.
    Change(Map<String, Value>),
    /// This `Content-Type`.
    ContentType(String),
    /// JSON that breaks off in the middle, in an answer that is whole as far as HTTP can see.
    Truncated,
    /// So many milliseconds before a call that was processed is answered.
    Latency(u64),
    /// Processed, and answered when released.
    Hold,
    /// Processed, and the connection is dropped without an answer.
    Reset,
    /// Processed, and the connection ends in the middle of the answer.
    Cut,
    /// So many bytes of the answer at a time, with so many milliseconds between.
    Drip { bytes: usize, ms: u64 },
}

fn once() -> u32 {
    1
}

fn bad_request() -> u16 {
    400
}

fn json_type() -> String {
    "application/json; charset=utf-8".to_owned()
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn set(&self, fault: Fault) {
        self.faults().push(fault);
    }

    /// Removes all, or those of an endpoint.
    pub(crate) fn clear(&self, endpoint: Option<&str>) {
        self.faults().retain(|fault| endpoint.is_some_and(|wanted| wanted != fault.endpoint));
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.faults().clone()
    }

    /// What goes wrong with this call, in the order in which it was asked for.
    pub(crate) fn take(&self, call: &Call) -> Vec<Kind> {
        let mut faults = self.faults();
        let mut taken = Vec::new();
        for fault in faults.iter_mut().filter(|fault| fault.is_for(call)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            taken.push(fault.fault.clone());
            fault.times = fault.times.saturating_sub(1);
        }
        faults.retain(|fault| fault.until_cleared || fault.times > 0);
        taken
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn is_for(&self, call: &Call) -> bool {
        let same =
            |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        self.endpoint == call.endpoint
            && (self.until_cleared || self.times > 0)
            && same(&self.grant_type, &call.grant_type)
            && same(&self.refresh_token, &call.refresh_token)
    }
}

impl Kind {
    /// The answer that is given in place of the call's own.
    pub(crate) fn instead(&self) -> Option<Answer> {
        match self {
            Self::Html(code) => Some(Answer::html(status(*code), AWAY)),
            Self::TooMany { retry_after, html } => Some(too_many(retry_after.as_ref(), *html)),
            Self::Error { status: code, error, description, subtype } => {
                let mut body = json!({"error": error});
                if let Some(text) = description {
                    body["error_description"] = text.as_str().into();
                }
                if let Some(text) = subtype {
                    body["error_subtype"] = text.as_str().into();
                }
                Some(Answer::json(status(*code), body))
            }
            Self::Answer { status: code, content_type, body } => {
                Some(Answer::text(status(*code), content_type, body.as_str()))
            }
            Self::ResetBefore | Self::LatencyBefore(_) | Self::HoldBefore => None,
            Self::Change(_) | Self::ContentType(_) | Self::Truncated => None,
            Self::Latency(_) | Self::Hold | Self::Reset | Self::Cut | Self::Drip { .. } => None,
        }
    }

    /// Puts into an answer what can be put into it.
    pub(crate) fn spoil(&self, answer: Answer) -> Answer {
        match self {
            Self::Change(members) => change(answer, members),
            Self::ContentType(said) => answer.with(header::CONTENT_TYPE, said),
            Self::Truncated => {
                let mut text = answer.written();
                let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
                text.truncate(half.unwrap_or(0));
                Answer { body: Body::Text(text), ..answer }
            }
            Self::ResetBefore | Self::LatencyBefore(_) | Self::HoldBefore => answer,
            Self::Html(_) | Self::TooMany { .. } | Self::Error { .. } => answer,
            Self::Answer { .. } | Self::Latency(_) | Self::Hold => answer,
            Self::Reset | Self::Cut | Self::Drip { .. } => answer,
        }
    }
}

fn too_many(retry_after: Option<&Value>, html: bool) -> Answer {
    let answer = match html {
        true => Answer::html(StatusCode::TOO_MANY_REQUESTS, AWAY),
        false => Answer::json(
            StatusCode::TOO_MANY_REQUESTS,
            json!({"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"}),
        ),
    };
    match retry_after {
        Some(Value::String(text)) => answer.with(header::RETRY_AFTER, text),
        Some(value) => answer.with(header::RETRY_AFTER, &value.to_string()),
        None => answer,
    }
}

/// Changes what was granted; a refusal stays as it is.
fn change(mut answer: Answer, members: &Map<String, Value>) -> Answer {
    if let (true, Body::Json(Value::Object(body))) = (answer.status.is_success(), &mut answer.body)
    {
        for (name, value) in members {
            match value {
                Value::Null => body.shift_remove(name),
                value => body.insert(name.clone(), value.clone()),
            };
        }
    }
    answer
}

/// The answer of a provider that is broken.
pub(crate) fn broken() -> Answer {
    Answer::html(StatusCode::INTERNAL_SERVER_ERROR, AWAY)
}

/// A status that HTTP does not have is a plain 500.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
