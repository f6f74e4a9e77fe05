//! The calendar page: an account elsewhere, connected once, used through the vault.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, Redirect};
use serde_json::{Value, json};

use super::session;
use crate::app::App;
use crate::calendar::{self, Asked};
use crate::pages;
use crate::problem::Problem;

/// `GET /calendar`: the calendars, or the way to connect an account.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Html<String>, Problem> {
    let sub = person(&app, &headers).await?;
    let note = match query.as_deref() {
        Some("note=connected") => Some("Your account is connected."),
        Some(_) | None => None,
    };
    page(&app, &sub, false, note).await
}

/// `POST /calendar/refresh`: the same with a new token.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Html<String>, Problem> {
    let sub = person(&app, &headers).await?;
    page(&app, &sub, true, Some("The vault asked for a new token.")).await
}

/// `GET /calendar/connect`: off to the provider.
pub(super) async fn connect(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Redirect, Problem> {
    let sub = person(&app, &headers).await?;
    Ok(Redirect::to(&calendar::connect(&app, &sub).await?))
}

/// `GET /calendar/connected`: back from the provider, with the connect code.
pub(super) async fn connected(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Redirect, Problem> {
    let sub = person(&app, &headers).await?;
    let query = query.unwrap_or_default();
    let named = |wanted: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    match named("connect_code") {
        Some(code) => calendar::complete(&app, &sub, &code).await?,
        None => return Err(Problem::NotConnected(named("error").unwrap_or_default())),
    }
    Ok(Redirect::to("/calendar?note=connected"))
}

/// `GET /api/calendar`: the same for programs, without the token.
pub(super) async fn json(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let sub = person(&app, &headers).await?;
    match calendar::token(&app, &sub, false).await? {
        Asked::Connect(reason) => Ok(Json(json!({
            "connected": false,
            "reason": reason.error,
            "connect_url": format!("{}calendar/connect", app.settings.base),
        }))),
        Asked::Token(token) => {
            let calendars = calendar::calendars(&app, &token).await?;
            Ok(Json(json!({
                "connected": true,
                "account": token.account.name(),
                "scope": token.scope,
                "expires_in": token.expires_in,
                "refreshed": token.refreshed,
                "status": calendars.status.as_u16(),
                "calendars": calendars.names,
            })))
        }
    }
}

async fn page(
    app: &App,
    sub: &str,
    new: bool,
    note: Option<&'static str>,
) -> Result<Html<String>, Problem> {
    let provider = app.settings.provider_name();
    let view = match calendar::token(app, sub, new).await? {
        Asked::Connect(reason) => pages::Calendar::unconnected(provider, &reason),
        Asked::Token(token) => {
            let calendars = calendar::calendars(app, &token).await?;
            pages::Calendar::of(provider, &token, &calendars, note)
        }
    };
    Ok(Html(app.pages.calendar(&view)))
}

async fn person(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    if app.settings.config.calendar.is_none() {
        return Err(Problem::NoCalendar);
    }
    Ok(session(app, headers).await?.record()?.person.sub)
}
