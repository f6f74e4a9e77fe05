//! `POST /revoke`: RFC 7009.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::revoke;

use crate::app::App;
use crate::authenticate;
use crate::extract::{Caller, Form};
use crate::respond::{ApiError, Challenge};

/// Ends a token and what belongs to it.
pub(crate) async fn answer(State(app): State<Arc<App>>, caller: Caller, form: Form) -> Response {
    match ended(&app, caller, &form).await {
        // RFC 7009 §2.2: the content of the answer is ignored by the client, so there is none.
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(failure) => ApiError::new(failure, Challenge::Basic, caller.request_id).into_response(),
    }
}

async fn ended(app: &App, caller: Caller, form: &Form) -> Result<(), Failure> {
    let params = form.params()?;
    params.refuse_any_doubled()?;
    let client = authenticate::client(app, caller, form, &params).await?;
    revoke::revoke(&app.server, &client, &params, caller.now).await
}
