//! Every route on one screen, and the layer that gives problems their page or their JSON.

mod api;
mod calendar;
mod device;
mod home;
mod json;
mod signin;
mod signout;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::app::App;
use crate::browser::{Cookie, check_same_site, protect};
use crate::flow::random_secret;
use crate::pages::{Dead, MARK, STYLE};
use crate::problem::{Action, Problem};
use crate::sessions::Session;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        // for people
        .route("/", get(home::start))
        .route("/signin", get(signin::begin))
        .route("/callback", get(signin::finish))
        .route("/call", get(home::call))
        .route("/refresh", post(home::refresh))
        .route("/signout", post(signout::leave))
        .route("/device", get(device::screen).post(device::switch_on))
        .route("/device/qr.svg", get(device::qr_code))
        .route("/device/off", post(device::switch_off))
        .route("/calendar", get(calendar::show))
        .route("/calendar/connect", get(calendar::connect))
        .route("/calendar/connected", get(calendar::connected))
        .route("/calendar/refresh", post(calendar::refresh))
        // for programs
        .route("/api/calendar", get(calendar::json))
        .route("/api/me", get(json::me))
        .route("/api/tokens", get(json::tokens))
        .route("/api/refresh", post(json::refresh))
        .route("/api/protected", get(json::protected))
        // for everybody
        .route("/healthz", get(async || "ok\n"))
        .route("/fieldnotes.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/mark.svg", get(async || file("image/svg+xml", MARK)))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::WrongMethod)
        .layer(from_fn_with_state(app.clone(), present))
        .with_state(app)
}

/// The session of the request's cookie.
async fn session(app: &App, headers: &HeaderMap) -> Result<Arc<Session>, Problem> {
    let id = Cookie::Session.read(headers, &app.settings).ok_or(Problem::SignedOut)?;
    app.sessions.find(id).await
}

/// The outermost layer: checks where writes come from, words for problems, headers, one log line.
async fn present(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let request_id: String = random_secret().unwrap_or_default().chars().take(12).collect();
    let mut response = match method.is_safe() {
        true => next.run(request).await,
        false => match check_same_site(request.headers(), &app.settings) {
            Ok(()) => next.run(request).await,
            Err(problem) => problem.into_response(),
        },
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        tracing::info!(request_id, ?problem, "a request was not served");
        response = explain(&app, &problem, &path, &request_id, response.headers());
    }
    protect(response.headers_mut(), &app.provider.form_targets());
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    // The query is left out: it may hold a code.
    tracing::info!(request_id, %method, path, status = response.status().as_u16(), "request");
    response
}

fn explain(
    app: &App,
    problem: &Problem,
    path: &str,
    request_id: &str,
    earlier: &HeaderMap,
) -> Response {
    let told = problem.told(&app.settings.provider_name());
    let status = told.status;
    let mut response = match path.starts_with("/api/") {
        true => {
            let text = format!("{}. {} {}", told.title, told.text, told.next);
            let mut body = json!({
                "error": told.code, "error_description": text, "message": text, "request_id": request_id,
            });
            if told.action == Action::SignIn {
                body["sign_in_url"] = format!("{}signin", app.settings.base).into();
            }
            (status, Json(body)).into_response()
        }
        // Whoever is not signed in belongs on the start page, which has the button.
        false if matches!(problem, Problem::SignedOut) => Redirect::to("/").into_response(),
        false => (status, Html(app.pages.dead(&Dead::of(told, request_id)))).into_response(),
    };
    if let Some(allow) = earlier.get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if matches!(problem, Problem::Ended | Problem::Expired) {
        let removed = Cookie::Session.set("", &app.settings);
        response.headers_mut().append(header::SET_COOKIE, removed);
    }
    response
}

fn file(kind: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, content).into_response()
}
