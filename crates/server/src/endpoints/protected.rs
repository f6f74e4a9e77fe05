//! `GET /protected` and `GET /api-secure-data`: an API to try tokens on (RFC 6750).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use grantor_core::discovery::resource_metadata_url;
use grantor_core::error::Failure;
use grantor_core::protected;
use serde_json::json as object;

use crate::app::App;
use crate::extract::{Caller, authorization};
use crate::respond::{ApiError, Challenge, json};

/// The data, for a token with the scope `read`.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    answer(&app, caller, &headers).await.unwrap_or_else(|failure| {
        let metadata = resource_metadata_url(&app.server.policy);
        ApiError::new(failure, Challenge::Resource(metadata), caller.request_id).into_response()
    })
}

async fn answer(app: &App, caller: Caller, headers: &HeaderMap) -> Result<Response, Failure> {
    let header = authorization(headers);
    let view = protected::bearer(&app.server, header, None, caller.now).await?;
    protected::require_scope(&view, "read")?;
    Ok(json(StatusCode::OK, &object!({ "data": "This is protected data" })))
}
