//! `GET`, `PUT` and `DELETE /register/{client_id}`: RFC 7592 §2.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::registration::manage::{Managed, authenticate};

use super::fail;
use crate::app::App;
use crate::authenticate::throttled;
use crate::extract::{Caller, authorization};
use crate::respond::json;

/// The id in the URL; one that is no text names nobody.
type ClientId = Result<Path<String>, PathRejection>;

/// Says what is registered.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    client_id: ClientId,
    request: Request,
) -> Response {
    match managed(&app, client_id, request.headers()).await {
        Ok(own) => json(StatusCode::OK, &own.read(&app.server)),
        Err(why) => fail(why, caller),
    }
}

/// Replaces all metadata.
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    client_id: ClientId,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    // As dear as a registration: it may hash a chosen secret.
    if let Err(later) = app.limits.registration(caller.source) {
        return fail(Failure::Refused(throttled(later)), caller);
    }
    let own = match managed(&app, client_id, &parts.headers).await {
        Ok(own) => own,
        Err(why) => return fail(why, caller),
    };
    let members = match super::members(&app, caller, &parts.headers, body).await {
        Ok(members) => members,
        Err(answer) => return answer,
    };
    match own.update(&app.server, &members).await {
        Ok(information) => json(StatusCode::OK, &information),
        Err(why) => fail(why, caller),
    }
}

/// Removes the client.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    client_id: ClientId,
    request: Request,
) -> Response {
    let removed = match managed(&app, client_id, request.headers()).await {
        Ok(own) => own.remove(&app.server, caller.now).await,
        Err(why) => Err(why),
    };
    match removed {
        // RFC 7592 §2.3: 204, and nothing else.
        Ok(()) => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(why) => fail(why, caller),
    }
}

async fn managed(app: &App, client_id: ClientId, headers: &HeaderMap) -> Result<Managed, Failure> {
    let client_id = client_id.map(|Path(own)| own).unwrap_or_default();
    authenticate(&app.server, &client_id, authorization(headers)).await
}
