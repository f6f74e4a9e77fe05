//! The stand-in provider's device authorization, which answers each question from a script.

use std::collections::VecDeque;
use std::time::Instant;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::provider::{Parameters, Provider, refusal, tokens};

/// What the provider says when it is asked for the tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    SlowDown,
    Denied,
    Expired,
    /// An answer of a proxy in front of a provider that is starting.
    Away,
    Allowed,
}

pub(crate) struct Devices {
    /// No such endpoint in the metadata.
    pub(crate) none: bool,
    pub(crate) interval: u64,
    pub(crate) verification_uri: String,
    /// Answers to come; the first question, and those after the last, are "pending".
    pub(crate) script: VecDeque<Said>,
    /// Requests for a code.
    pub(crate) asked: Vec<Parameters>,
    /// When the tokens were asked for, and with which code.
    pub(crate) polls: Vec<(Instant, String)>,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            none: false,
            interval: 1,
            verification_uri: "http://localhost:5050/device".to_owned(),
            script: VecDeque::new(),
            asked: Vec::new(),
            polls: Vec::new(),
        }
    }
}

impl Devices {
    /// Seconds between the questions.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let pairs = self.polls.windows(2);
        pairs.map(|pair| (pair[1].0 - pair[0].0).as_secs_f64()).collect()
    }
}

pub(crate) async fn authorization(
    State(provider): State<Provider>,
    Form(form): Form<Parameters>,
) -> Response {
    let devices = &mut provider.knobs().devices;
    if form.get("client_id").is_none_or(|id| id != "sample-tv") {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    devices.asked.push(form);
    let serial = devices.asked.len();
    let uri = &devices.verification_uri;
    Json(json!({
        "device_code": format!("device-{serial}"),
        "user_code": format!("WDJB-MJH{serial}"),
        "verification_uri": uri,
        "verification_uri_complete": format!("{uri}?user_code=WDJB-MJH{serial}"),
        "expires_in": 600,
        "interval": devices.interval,
    }))
    .into_response()
}

pub(crate) fn poll(provider: &Provider, headers: &HeaderMap, form: &Parameters) -> Response {
    if headers.contains_key("authorization") || form["client_id"] != "sample-tv" {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let said = {
        let devices = &mut provider.knobs().devices;
        devices.polls.push((Instant::now(), form["device_code"].clone()));
        if devices.polls.len() == 1 { None } else { devices.script.pop_front() }
    };
    match said {
        None => refusal(StatusCode::BAD_REQUEST, "authorization_pending"),
        Some(Said::SlowDown) => refusal(StatusCode::BAD_REQUEST, "slow_down"),
        Some(Said::Denied) => refusal(StatusCode::BAD_REQUEST, "access_denied"),
        Some(Said::Expired) => refusal(StatusCode::BAD_REQUEST, "expired_token"),
        Some(Said::Away) => (StatusCode::BAD_GATEWAY, "Bad gateway").into_response(),
        Some(Said::Allowed) => tokens(provider, "sample-tv", 3600, None, true),
    }
}
