//! One call at a provider, from the request that was read to the answer: counted, spoiled on
//! demand, and processed to the end even when the caller has gone.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::counts::Counts;
use crate::faults::{Faults, Kind};
use crate::holds::Holds;
use crate::http::Answer;
use crate::random::fingerprint;
use crate::wire::Wire;

/// What the control endpoints of every stand-in work on.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) counts: Counts,
    /// Changes whenever a call begins, ends or is held.
    pub(crate) news: watch::Sender<()>,
}

impl Desk {
    /// The clock is right, nothing is wrong, nothing is held, and counting starts again.
    pub(crate) fn reset(&self) {
        self.clock.reset();
        self.faults.clear(None);
        self.holds.release(None, None, usize::MAX);
        self.counts.reset();
    }
}

/// What a call is, for counting and for choosing its faults.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: &'static str,
    pub(crate) grant_type: Option<String>,
    /// The fingerprint of the refresh token that was sent.
    pub(crate) refresh_token: Option<String>,
}

impl Call {
    /// A call of an endpoint by its name.
    pub(crate) fn of(endpoint: &'static str) -> Self {
        Self { endpoint, grant_type: None, refresh_token: None }
    }

    /// A call of the token endpoint.
    pub(crate) fn of_token(grant_type: Option<&str>, refresh_token: Option<&str>) -> Self {
        Self {
            endpoint: "token",
            grant_type: grant_type.map(ToOwned::to_owned),
            refresh_token: refresh_token.map(fingerprint),
        }
    }
}

/// Does the work of a call, which must not wait for anything, with the faults that are set for it.
pub(crate) async fn answer(
    desk: &Arc<Desk>,
    wire: Wire,
    call: Call,
    work: impl FnOnce() -> Answer + Send + 'static,
) -> Response {
    desk.counts.begin(&call);
    let faults = desk.faults.take(&call);
    desk.news.send_replace(());
    let desk = desk.clone();
    // A task of its own: a provider goes on when the caller hangs up.
    let task = tokio::spawn(async move {
        let answered = process(&desk, &wire, &call, &faults, work).await;
        desk.counts.end(&call, answered.as_ref().map(|answer| answer.status.as_u16()));
        desk.news.send_replace(());
        answered
    });
    match task.await {
        Ok(Some(answer)) => answer.into_response(),
        // Never written: the connection is dropped.
        Ok(None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Err(error) => {
            tracing::error!(%error, "a call failed in the stand-in itself");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `None`: the connection is dropped without an answer.
async fn process(
    desk: &Desk,
    wire: &Wire,
    call: &Call,
    faults: &[Kind],
    work: impl FnOnce() -> Answer + Send,
) -> Option<Answer> {
    for fault in faults {
        match fault {
            Kind::ResetBefore => {
                wire.reset();
                return None;
            }
            Kind::LatencyBefore(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Kind::HoldBefore => hold(desk, call).await,
            Kind::Html(_) | Kind::TooMany { .. } | Kind::Error { .. } | Kind::Answer { .. } => {}
            Kind::Change(_) | Kind::ContentType(_) | Kind::Truncated | Kind::Latency(_) => {}
            Kind::Hold | Kind::Reset | Kind::Cut | Kind::Drip { .. } => {}
        }
    }
    let instead = faults.iter().find_map(Kind::instead);
    let mut answer = instead.unwrap_or_else(work);
    for fault in faults {
        answer = fault.spoil(answer);
    }
    for fault in faults {
        match fault {
            Kind::Latency(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Kind::Hold => hold(desk, call).await,
            Kind::Reset => {
                wire.reset();
                return None;
            }
            Kind::Cut => wire.cut(answer.written().len() / 2),
            Kind::Drip { bytes, ms } => wire.drip(*bytes, Duration::from_millis(*ms)),
            Kind::ResetBefore | Kind::LatencyBefore(_) | Kind::HoldBefore => {}
            Kind::Html(_) | Kind::TooMany { .. } | Kind::Error { .. } | Kind::Answer { .. } => {}
            Kind::Change(_) | Kind::ContentType(_) | Kind::Truncated => {}
        }
    }
    Some(answer)
}

async fn hold(desk: &Desk, call: &Call) {
    let released = desk.holds.begin(call.endpoint, call.refresh_token.clone());
    desk.news.send_replace(());
    // An error means that the server has stopped.
    let _ = released.await;
}
