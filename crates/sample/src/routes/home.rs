//! The start page and its buttons.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{api, session};
use crate::app::App;
use crate::browser::on_wrong_name;
use crate::pages::{ApiAnswer, Home, SignedIn};
use crate::problem::Problem;
use crate::refresh::renewed;

pub(super) async fn start(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if on_wrong_name(&headers, &app.settings) {
        return Ok(Redirect::to(app.settings.base.as_str()).into_response());
    }
    let signed_in = match session(&app, &headers).await {
        Ok(session) => Some(SignedIn::of(&session.record()?)),
        Err(Problem::SignedOut) => None,
        Err(problem) => return Err(problem),
    };
    let note = note(query.as_deref().unwrap_or_default(), signed_in.is_some());
    let view = Home { note, signed_in, ..Home::of(&app.settings) };
    Ok(Html(app.pages.home(&view)).into_response())
}

pub(super) async fn call(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = session(&app, &headers).await?;
    let called = api::call(&app, &session).await?;
    let answer = ApiAnswer {
        url: app.settings.protected_url.to_string(),
        status: called.status.as_u16(),
        reason: called.status.canonical_reason().unwrap_or(""),
        good: called.status.is_success(),
        body: called.pretty(),
        refreshed: called.refreshed,
    };
    let signed_in = Some(SignedIn::of(&session.record()?));
    let view = Home { signed_in, answer: Some(answer), ..Home::of(&app.settings) };
    Ok(Html(app.pages.home(&view)).into_response())
}

pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Redirect, Problem> {
    let session = session(&app, &headers).await?;
    renewed(&app, &session, &session.record()?).await?;
    Ok(Redirect::to("/?note=refreshed"))
}

/// What to say after a redirect to the start page; only texts of our own can be asked for.
fn note(query: &str, signed_in: bool) -> Option<&'static str> {
    match (query, signed_in) {
        ("note=refreshed", true) => Some("Your tokens were refreshed."),
        ("note=signed-out", false) => Some("You are signed out here."),
        // The provider sends people back with the state of the sign-out.
        (query, false) if query.starts_with("state=") => Some("You are signed out."),
        _ => None,
    }
}
