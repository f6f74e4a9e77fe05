//! `POST /register`: RFC 7591 §3, and the fields of a form for those who type by hand.

mod form;
pub(crate) mod manage;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::{Failure, Refusal};
use grantor_core::registration::{self, ClientInformation, Invitation};
use serde_json::{Map, Value};

use crate::app::App;
use crate::authenticate::throttled;
use crate::extract::{Caller, Described, authorization, described};
use crate::respond::{ApiError, Challenge, Rejection, json};

/// Registers a client.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    match registered(&app, caller, &parts.headers, body).await {
        Ok(information) => json(StatusCode::CREATED, &information),
        Err(answer) => answer,
    }
}

async fn registered(
    app: &App,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<ClientInformation, Response> {
    let invitation = admit(app, caller, headers).await.map_err(|why| fail(why, caller))?;
    let members = members(app, caller, headers, body).await?;
    registration::register(&app.server, invitation, &members, caller.now)
        .await
        .map_err(|why| fail(why, caller))
}

/// Whether the caller may register a client now.
pub(super) async fn admit(
    app: &App,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<Invitation, Failure> {
    // RFC 9700 §4.7: where everybody may register, every page that a person opens could do it with a
    // form. Browsers say so; programs send no such header.
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site == Some(b"cross-site") {
        return Err(Refusal::CrossSite {}.into());
    }
    app.limits.registration(caller.source).map_err(throttled)?;
    registration::admit(&app.server, authorization(headers), caller.now).await
}

/// What the body says about a client.
async fn members(
    app: &App,
    caller: Caller,
    headers: &HeaderMap,
    body: Body,
) -> Result<Map<String, Value>, Response> {
    let read = described(headers, body, app).await.map_err(Rejection::into_response)?;
    let members = match &read {
        Described::Json(body) => registration::members(body),
        Described::Form(body) => form::members(body),
    };
    members.map_err(|why| fail(why, caller))
}

/// The answer to a failure. Only who lacks a token is asked for one: RFC 6750 §3.
pub(super) fn fail(failure: impl Into<Failure>, caller: Caller) -> Response {
    let failure = failure.into();
    let challenge = match &failure {
        Failure::Refused(refusal) if refusal.code().status() == 401 => Challenge::Bearer,
        Failure::Refused(_) | Failure::Broken(_) => Challenge::None,
    };
    ApiError::new(failure, challenge, caller.request_id).into_response()
}
