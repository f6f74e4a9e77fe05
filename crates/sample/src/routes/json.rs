//! The same for programs: JSON for curl and Postman, with the session cookie, never with a token in it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{api, session};
use crate::app::App;
use crate::pages::exact;
use crate::problem::Problem;
use crate::refresh::renewed;
use crate::sessions::Record;
use crate::tokens::now;

/// `GET /api/me`: who is signed in.
pub(super) async fn me(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let record = session(&app, &headers).await?.record()?;
    let mut me = serde_json::to_value(&record.person).map_err(|_| Problem::Storage)?;
    me["issuer"] = app.settings.config.issuer.as_str().into();
    me["signed_in_at"] = exact(record.signed_in_at).into();
    Ok(Json(me))
}

/// `GET /api/tokens`: what is held and how long it lives.
pub(super) async fn tokens(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let record = session(&app, &headers).await?.record()?;
    Ok(Json(lifetimes(&record)))
}

/// `POST /api/refresh`: new tokens now.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let session = session(&app, &headers).await?;
    let record = renewed(&app, &session, &session.record()?).await?;
    Ok(Json(lifetimes(&record)))
}

/// `GET /api/protected`: the API's answer under the API's status, with what was done for it.
pub(super) async fn protected(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let session = session(&app, &headers).await?;
    let called = api::call(&app, &session).await?;
    let mut answer = json!({
        "url": app.settings.protected_url.as_str(),
        "status": called.status.as_u16(),
        "refreshed": called.refreshed,
        "body": called.json(),
    });
    if called.status.is_success() {
        return Ok((StatusCode::OK, Json(answer)));
    }
    let text = "The API did not accept the call. Its own answer is in body.";
    answer["error"] = "api_error".into();
    answer["error_description"] = text.into();
    answer["message"] = text.into();
    let status = match called.status.is_client_error() {
        true => called.status,
        false => StatusCode::BAD_GATEWAY,
    };
    Ok((status, Json(answer)))
}

fn lifetimes(record: &Record) -> Value {
    let tokens = &record.tokens;
    let life = |at: u64| json!({ "expires_in": at.saturating_sub(now()), "expires_at": exact(at) });
    let mut access = tokens.expires_at.map_or_else(|| json!({}), life);
    access["token_type"] = tokens.token_type.as_str().into();
    access["refreshed_from"] = tokens.refresh_at().map(exact).into();
    json!({
        "scope": tokens.scopes.join(" "),
        "access_token": access,
        "refresh_token": { "present": tokens.refresh_token.is_some() },
        "id_token": life(tokens.id_token_expires_at),
        "refreshes": record.refreshes,
    })
}
