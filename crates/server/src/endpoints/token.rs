//! `POST /token`: RFC 6749 §3.2.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::error::Failure;
use grantor_core::grants;
use grantor_core::model::GrantType;
use grantor_core::tokens::TokenResponse;
use grantor_core::vault::audit::Origin;

use crate::app::App;
use crate::authenticate;
use crate::extract::{Caller, Form};
use crate::limits::Allowance;
use crate::respond::{ApiError, Challenge, json};

/// Exchanges a grant for tokens.
pub(crate) async fn exchange(State(app): State<Arc<App>>, caller: Caller, form: Form) -> Response {
    let mut allowance = None;
    let mut response = match answer(&app, caller, &form, &mut allowance).await {
        Ok(tokens) => json(StatusCode::OK, &tokens),
        Err(failure) => {
            // RFC 6749 §5.2 wants the challenge after a failed header, RFC 9110 §15.5.2 with every 401.
            ApiError::new(failure, Challenge::Basic, caller.request_id).into_response()
        }
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
) -> Result<TokenResponse, Failure> {
    let params = form.params()?;
    let grant = grants::requested(&params)?;
    let client = authenticate::client(app, caller, form, &params).await?;
    *allowance = authenticate::within_rate(app, caller, &client)?;
    if grant == GrantType::Password {
        // RFC 6749 §4.3.2: the endpoint must be protected against guessing passwords.
        app.limits.sign_in(caller.source).map_err(authenticate::throttled)?;
        let name = params.get("username").unwrap_or_default();
        app.limits.account(name).map_err(authenticate::throttled)?;
    }
    let origin = Origin { address: caller.source, request_id: &caller.request_id };
    let tokens = grants::exchange(&app.server, &client, grant, &params, origin, caller.now).await?;
    app.metrics.token_issued(grant.as_str());
    Ok(tokens)
}
