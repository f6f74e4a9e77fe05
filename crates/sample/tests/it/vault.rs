//! The stand-in provider's vault, which answers as the test says, and the calendar behind it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::provider::{Provider, refusal};

pub(crate) const API_KEY: &str = "grk_a-key";

#[derive(Default)]
pub(crate) struct Vault {
    /// What keeps it from giving a token; connected where `None`.
    pub(crate) error: Option<(StatusCode, &'static str)>,
    /// The calendar takes no token.
    pub(crate) shut: bool,
    /// What it was asked for: path and body.
    pub(crate) asked: Vec<(&'static str, Value)>,
    serial: u32,
}

pub(crate) async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    answer(&provider, &headers, "token", asked)
}

pub(crate) async fn refresh(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    answer(&provider, &headers, "refresh", asked)
}

pub(crate) async fn begin(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    if let Err(refused) = check(&provider, &headers, "begin", asked) {
        return refused;
    }
    let url = format!("{}/connect/grt_cl_1", provider.issuer);
    (StatusCode::CREATED, Json(json!({ "id": "1", "connect_url": url }))).into_response()
}

pub(crate) async fn complete(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    let good = asked["connect_code"] == "grt_cc_1" && asked["subject"] == "person-1";
    if let Err(refused) = check(&provider, &headers, "complete", asked) {
        return refused;
    }
    match good {
        true => Json(json!({ "connection_id": "con_1" })).into_response(),
        false => refusal(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}

pub(crate) async fn calendars(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let vault = &provider.knobs().vault;
    let expected = format!("Bearer ya29.{}", vault.serial);
    if vault.shut || headers.get("authorization").is_none_or(|own| own != expected.as_str()) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": { "code": 401 } })))
            .into_response();
    }
    Json(json!({ "items": [{ "summary": "Holidays" }, { "summary": "<b>Work" }] })).into_response()
}

fn answer(provider: &Provider, headers: &HeaderMap, path: &'static str, asked: Value) -> Response {
    if let Err(refused) = check(provider, headers, path, asked) {
        return refused;
    }
    let vault = &mut provider.knobs().vault;
    if let Some((status, error)) = vault.error {
        return refusal(status, error);
    }
    if path == "refresh" || vault.serial == 0 {
        vault.serial += 1;
    }
    Json(json!({
        "access_token": format!("ya29.{}", vault.serial), "token_type": "Bearer",
        "expires_in": 3312, "scope": "https://www.googleapis.com/auth/calendar.readonly",
        "connection_id": "con_1", "provider": "google",
        "account": { "sub": "1", "email": "ada@gmail.example" },
        "refreshed": path == "refresh",
    }))
    .into_response()
}

#[expect(clippy::result_large_err, reason = "a test's answer")]
fn check(
    provider: &Provider,
    headers: &HeaderMap,
    path: &'static str,
    asked: Value,
) -> Result<(), Response> {
    let expected = format!("Bearer {API_KEY}");
    if headers.get("authorization").is_none_or(|own| own != expected.as_str()) {
        return Err(refusal(StatusCode::UNAUTHORIZED, "invalid_token"));
    }
    provider.knobs().vault.asked.push((path, asked));
    Ok(())
}
