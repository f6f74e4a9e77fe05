//! `GET` and `POST /userinfo`: OpenID Connect Core 1.0 §5.3.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::{protected, userinfo};

use crate::app::App;
use crate::extract::{Caller, Form, OptionalForm, authorization};
use crate::respond::{ApiError, Challenge, json};

/// Claims about the person behind an access token.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: OptionalForm,
) -> Response {
    answer(&app, caller, &request).await.unwrap_or_else(|failure| {
        ApiError::new(failure, Challenge::Bearer, caller.request_id).into_response()
    })
}

async fn answer(
    app: &App,
    caller: Caller,
    OptionalForm(form, headers): &OptionalForm,
) -> Result<Response, Failure> {
    let params = form.as_ref().map(Form::params).transpose()?;
    let header = authorization(headers);
    let view = protected::bearer(&app.server, header, params.as_ref(), caller.now).await?;
    Ok(json(StatusCode::OK, &userinfo::answer(&view)?))
}
