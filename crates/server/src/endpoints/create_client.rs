//! `POST /create-client`: a machine client in one step.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use grantor_core::error::Failure;
use grantor_core::registration;
use serde::Serialize;

use super::register::{admit, fail};
use crate::app::App;
use crate::extract::Caller;
use crate::respond::json;

/// What a machine client needs to ask for tokens.
#[derive(Serialize)]
struct Made {
    client_id: String,
    client_secret: String,
}

/// Makes a client for `client_credentials`; the body is not read.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    match made(&app, caller, &headers).await {
        Ok(made) => json(StatusCode::OK, &made),
        Err(why) => fail(why, caller),
    }
}

async fn made(app: &App, caller: Caller, headers: &HeaderMap) -> Result<Made, Failure> {
    let invitation = admit(app, caller, headers).await?;
    let (client_id, client_secret) =
        registration::register_machine(&app.server, invitation, caller.now).await?;
    Ok(Made { client_id, client_secret })
}
