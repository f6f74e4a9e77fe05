//! `GET /healthz` and `GET /readyz`, for whoever starts, stops and routes to the server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use serde_json::json as object;

use crate::app::App;
use crate::extract::Caller;
use crate::respond::{ApiError, Challenge, json};

/// The process runs.
pub(crate) async fn alive() -> Response {
    json(StatusCode::OK, &object!({ "status": "ok" }))
}

/// The store answers, so requests can be; and the server does not stop soon.
pub(crate) async fn ready(State(app): State<Arc<App>>, caller: Caller) -> Response {
    if app.leaving.has_begun() {
        return json(StatusCode::SERVICE_UNAVAILABLE, &object!({ "status": "stopping" }));
    }
    match app.server.store.ping().await {
        Ok(()) => json(StatusCode::OK, &object!({ "status": "ready" })),
        Err(error) => {
            ApiError::new(Failure::from(error), Challenge::None, caller.request_id).into_response()
        }
    }
}
