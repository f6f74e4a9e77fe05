//! What every stand-in answers under `/_control/`: JSON in, JSON out.
//!
//! | request | body | what it does |
//! |---|---|---|
//! | `GET /_control/clock` | | `{"now", "ahead"}`: seconds since 1970 by the stand-in's clock, and how far it was moved |
//! | `POST /_control/clock` | `{"advance": 3600}` | moves the clock forward, by seconds; the callers' clocks stay |
//! | `POST /_control/faults` | a fault, see below | sets it, after those that are set |
//! | `GET /_control/faults` | | those that are still to come |
//! | `DELETE /_control/faults` | (query `endpoint=`) | removes all, or those of an endpoint; what is held stays held |
//! | `POST /_control/release` | `{"endpoint"?, "refresh_token"?, "most"?}` | lets held answers go, the oldest first: `{"released": 1}` |
//! | `GET /_control/counts` | | calls by endpoint, by grant type and by refresh token (the first 8 hexadecimal digits of its SHA-256), each with `calls`, `in_flight`, `max_in_flight` and `answered` by status; and `held` |
//! | `DELETE /_control/counts` | | counts from zero; what is under way stays |
//! | `POST /_control/wait` | `{"endpoint"?, "refresh_token"?, "held"?, "calls"?, "in_flight"?, "ms"?}` | answers the counts once at least so many are held, counted or under way (exactly so many for `in_flight`), or 408 after `ms` (10,000 where left out) |
//!
//! A fault names its endpoint, may be limited to a grant type or a refresh token (its fingerprint),
//! may let the first calls by (`skip`), and is for one call, for `times` calls, or `until_cleared`:
//!
//! ```json
//! {"endpoint": "token", "grant_type": "refresh_token", "times": 2, "fault": {"html": 503}}
//! ```
//!
//! | `fault` | what happens |
//! |---|---|
//! | `"reset_before"` | the connection is reset, and nothing was processed |
//! | `{"latency_before": 1500}` | milliseconds pass, then the call is processed |
//! | `"hold_before"` | waits for `/_control/release`, then the call is processed |
//! | `{"html": 503}` | a page with this status in place of an answer |
//! | `{"too_many": {"retry_after": 7, "html": false}}` | 429, with `Retry-After` (seconds or a date) if given |
//! | `{"error": {"status": 400, "error": "…", "description": "…", "subtype": "…"}}` | this error, in the shape of a token endpoint; with status 200 an error that looks like success |
//! | `{"answer": {"status": 200, "content_type": "…", "body": "…"}}` | this and nothing else |
//! | `{"change": {"expires_in": "3599", "scope": null}}` | members of a 200 become these values, null removes them |
//! | `{"content_type": "text/plain"}` | the answer under another type |
//! | `"truncated"` | half of the JSON, in an answer that is whole for HTTP |
//! | `{"latency": 1500}` | processed, milliseconds pass, then the answer |
//! | `"hold"` | processed, then waits for `/_control/release` |
//! | `"reset"` | processed, then the connection is reset without an answer |
//! | `"cut"` | processed, then the connection ends in the middle of the answer |
//! | `{"drip": {"bytes": 1, "ms": 100}}` | processed, then so many bytes at a time |
//!
//! Several faults for one call happen in the order in which they were set. Whoever hangs up does
//! not stop a call: what was read is processed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::Desk;
use crate::counts::Tally;
use crate::faults::Fault;

/// What a control endpoint answers; a refusal says in `message` what to do.
pub(crate) type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

/// How long `/_control/wait` waits where nobody said, in milliseconds.
const PATIENCE: u64 = 10_000;

/// The endpoints above.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/_control/clock", get(clock).post(advance))
        .route("/_control/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/_control/release", post(release))
        .route("/_control/counts", get(counts).delete(reset_counts))
        .route("/_control/wait", post(wait))
        .with_state(desk)
}

/// A request that cannot be used, with what to do about it.
pub(crate) fn refuse(status: StatusCode, message: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({"message": message})))
}

/// The body of a request, or a refusal that names its fault.
pub(crate) fn read<T>(
    body: Result<Json<T>, JsonRejection>,
) -> Result<T, (StatusCode, Json<Value>)> {
    let read = body.map(|Json(body)| body);
    read.map_err(|error| refuse(StatusCode::BAD_REQUEST, &error.body_text()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: u32,
}

async fn clock(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(json!({"now": desk.clock.now(), "ahead": desk.clock.ahead()}))
}

async fn advance(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Advance>, JsonRejection>,
) -> Reply {
    desk.clock.advance(read(body)?.advance);
    Ok(clock(State(desk)).await)
}

async fn faults(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(json!({"faults": desk.faults.list()}))
}

async fn set_fault(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Fault>, JsonRejection>,
) -> Reply {
    desk.faults.set(read(body)?);
    Ok(faults(State(desk)).await)
}

#[derive(Deserialize)]
struct OfEndpoint {
    endpoint: Option<String>,
}

async fn clear_faults(State(desk): State<Arc<Desk>>, Query(of): Query<OfEndpoint>) -> Json<Value> {
    desk.faults.clear(of.endpoint.as_deref());
    faults(State(desk)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    endpoint: Option<String>,
    refresh_token: Option<String>,
    most: Option<usize>,
}

async fn release(
    State(desk): State<Arc<Desk>>,
    body: Result<Json<Release>, JsonRejection>,
) -> Reply {
    let Release { endpoint, refresh_token, most } = read(body)?;
    let most = most.unwrap_or(usize::MAX);
    let released = desk.holds.release(endpoint.as_deref(), refresh_token.as_deref(), most);
    Ok(Json(json!({"released": released})))
}

async fn counts(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(counted(&desk))
}

fn counted(desk: &Desk) -> Value {
    let mut seen = json!(desk.counts.all());
    seen["held"] = desk.holds.count().into();
    seen
}

async fn reset_counts(State(desk): State<Arc<Desk>>) -> Json<Value> {
    desk.counts.reset();
    counts(State(desk)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    #[serde(default = "token_endpoint")]
    endpoint: String,
    refresh_token: Option<String>,
    held: Option<usize>,
    calls: Option<u64>,
    in_flight: Option<u64>,
    ms: Option<u64>,
}

fn token_endpoint() -> String {
    "token".to_owned()
}

impl Wait {
    fn is_over(&self, desk: &Desk) -> bool {
        let seen = desk.counts.all();
        let tally = match &self.refresh_token {
            Some(token) => seen.refresh_tokens.get(token),
            None => seen.endpoints.get(self.endpoint.as_str()),
        };
        let none = Tally::default();
        let tally = tally.unwrap_or(&none);
        self.held.is_none_or(|least| desk.holds.count() >= least)
            && self.calls.is_none_or(|least| tally.calls >= least)
            && self.in_flight.is_none_or(|wanted| tally.in_flight == wanted)
    }
}

async fn wait(State(desk): State<Arc<Desk>>, body: Result<Json<Wait>, JsonRejection>) -> Reply {
    let wanted = read(body)?;
    let mut news = desk.news.subscribe();
    let over = async {
        while !wanted.is_over(&desk) {
            // The sender is in the desk itself, so there is always more to come.
            let _ = news.changed().await;
        }
    };
    let patience = Duration::from_millis(wanted.ms.unwrap_or(PATIENCE));
    match tokio::time::timeout(patience, over).await {
        Ok(()) => Ok(counts(State(desk)).await),
        Err(_) => {
            let mut seen = counted(&desk);
            seen["message"] = "it did not come to that in time".into();
            Err((StatusCode::REQUEST_TIMEOUT, Json(seen)))
        }
    }
}
