//! The television: a device without a keyboard, played by a page. RFC 8628 §3.3.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg::Color;

use crate::app::App;
use crate::browser::{Cookie, on_wrong_name};
use crate::flow::random_secret;
use crate::pages::Television;
use crate::problem::Problem;
use crate::television::{self, Screen};

/// `GET /device`: what the television shows. It looks again by itself while a code is open.
pub(super) async fn screen(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if app.settings.config.tv_client_id.is_none() {
        return Err(Problem::NoTelevision);
    }
    if on_wrong_name(&headers, &app.settings) {
        return Ok(Redirect::to(&format!("{}device", app.settings.base)).into_response());
    }
    let shown = Cookie::Browser.read(&headers, &app.settings);
    let shown = shown.and_then(|browser| app.televisions.screen(browser));
    let view = Television::of(app.settings.provider_name(), shown);
    Ok(Html(app.pages.television(&view)).into_response())
}

/// `POST /device`: a new code.
pub(super) async fn switch_on(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let browser = match Cookie::Browser.read(&headers, &app.settings) {
        Some(browser) => browser.to_owned(),
        None => random_secret()?,
    };
    television::switch_on(&app, &browser).await?;
    let cookie = (header::SET_COOKIE, Cookie::Browser.set(&browser, &app.settings));
    Ok((AppendHeaders([cookie]), Redirect::to("/device")).into_response())
}

/// `POST /device/off`: nothing is kept.
pub(super) async fn switch_off(State(app): State<Arc<App>>, headers: HeaderMap) -> Redirect {
    if let Some(browser) = Cookie::Browser.read(&headers, &app.settings) {
        television::switch_off(&app, browser).await;
    }
    Redirect::to("/device")
}

/// `GET /device/qr.svg`: the address with the code in it, for a camera: RFC 8628 §3.3.1. An image of
/// its own, so that the page needs no exception from its content security policy.
pub(super) async fn qr_code(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = Cookie::Browser.read(&headers, &app.settings);
    let shown = shown.and_then(|browser| app.televisions.screen(browser));
    let Some((Screen::Code(invitation), _)) = shown else {
        return Err(Problem::NotFound);
    };
    let uri = invitation.complete_uri().ok_or(Problem::NotFound)?;
    let code = QrCode::new(uri).map_err(|error| {
        tracing::warn!(%error, "the verification URI does not fit into a QR code");
        Problem::NotFound
    })?;
    // Dark on light in dark mode too: not every camera reads it the other way round.
    let image = code.render().dark_color(Color("#16201b")).light_color(Color("#ffffff")).build();
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], image).into_response())
}
