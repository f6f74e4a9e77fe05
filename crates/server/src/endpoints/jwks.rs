//! `GET /jwks.json`: RFC 7517 §5.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json as object;

use crate::app::App;
use crate::extract::Caller;
use crate::respond::json;

/// How long a verifier may keep the set at most, in seconds.
const LONGEST: u32 = 300;

/// The keys that verify what this server signs.
pub(crate) async fn read(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let set = app.server.keys.current();
    let mut response = json(StatusCode::OK, &object!({ "keys": set.jwks(caller.now) }));
    response.headers_mut().remove(header::PRAGMA);
    // A new key signs after it has been published for a while; nobody may keep the set for longer.
    let age = app.server.policy.keys.publish_ahead.0.min(LONGEST);
    ([(header::CACHE_CONTROL, format!("public, max-age={age}"))], response).into_response()
}
