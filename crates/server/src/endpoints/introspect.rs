//! `POST /introspect`: RFC 7662.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::introspect::{self, Introspection};

use crate::app::App;
use crate::authenticate;
use crate::extract::{Caller, Form};
use crate::respond::{ApiError, Challenge, json};

/// Says what a token is good for.
pub(crate) async fn answer(State(app): State<Arc<App>>, caller: Caller, form: Form) -> Response {
    match known(&app, caller, &form).await {
        Ok(known) => json(StatusCode::OK, &known),
        Err(failure) => ApiError::new(failure, Challenge::Basic, caller.request_id).into_response(),
    }
}

async fn known(app: &App, caller: Caller, form: &Form) -> Result<Introspection, Failure> {
    let params = form.params()?;
    params.refuse_any_doubled()?;
    let client = authenticate::client(app, caller, form, &params).await?;
    introspect::answer(&app.server, &client, &params, caller.now).await
}
