//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`:
//! OpenID Connect Discovery 1.0 §4, RFC 8414 §3.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::app::App;

/// The server's metadata.
pub(crate) async fn read(State(app): State<Arc<App>>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.metadata.clone())
}
