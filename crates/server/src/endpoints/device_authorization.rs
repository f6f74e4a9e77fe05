//! `POST /device_authorization`: RFC 8628 §3.1.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::device::{self, DeviceAuthorizationResponse};
use grantor_core::error::Failure;

use crate::app::App;
use crate::authenticate;
use crate::extract::{Caller, Form};
use crate::limits::Allowance;
use crate::respond::{ApiError, Challenge, json};

/// Gives a device its code and a person theirs.
pub(crate) async fn begin(State(app): State<Arc<App>>, caller: Caller, form: Form) -> Response {
    let mut allowance = None;
    let mut response = match answer(&app, caller, &form, &mut allowance).await {
        Ok(begun) => json(StatusCode::OK, &begun),
        Err(failure) => ApiError::new(failure, Challenge::Basic, caller.request_id).into_response(),
    };
    if let Some(allowance) = allowance {
        authenticate::rate_headers(response.headers_mut(), allowance);
    }
    response
}

async fn answer(
    app: &App,
    caller: Caller,
    form: &Form,
    allowance: &mut Option<Allowance>,
) -> Result<DeviceAuthorizationResponse, Failure> {
    let params = form.params()?;
    params.refuse_any_doubled()?;
    let client = authenticate::client(app, caller, form, &params).await?;
    *allowance = authenticate::within_rate(app, caller, &client)?;
    device::begin(&app.server, &client, &params, caller.now).await
}
