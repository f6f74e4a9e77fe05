//! `GET /.well-known/oauth-protected-resource`: RFC 9728 §3, for the sample API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::discovery::resource_metadata;

use crate::app::App;
use crate::respond::json;

/// The metadata of the sample API.
pub(crate) async fn read(State(app): State<Arc<App>>) -> Response {
    let mut response = json(StatusCode::OK, &resource_metadata(&app.server.policy));
    response.headers_mut().remove(header::PRAGMA);
    ([(header::CACHE_CONTROL, "public, max-age=300")], response).into_response()
}
