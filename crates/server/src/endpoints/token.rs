//! `POST /token`: RFC 6749 §3.2.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use grantor_core::client_auth::{self, Presented};
use grantor_core::error::{Failure, Refusal};
use grantor_core::grants;
use grantor_core::model::Client;
use grantor_core::time::Seconds;
use grantor_core::tokens::TokenResponse;

use crate::app::App;
use crate::extract::{Caller, Form};
use crate::limits::RetryAfter;
use crate::respond::{ApiError, Challenge, json};

/// Exchanges a grant for tokens.
pub(crate) async fn exchange(State(app): State<Arc<App>>, caller: Caller, form: Form) -> Response {
    match answer(&app, caller, &form).await {
        Ok(tokens) => json(StatusCode::OK, &tokens),
        Err(failure) => {
            // RFC 6749 §5.2: WWW-Authenticate when the client used the Authorization header.
            let challenge = form.authorization().map_or(Challenge::None, |_| Challenge::Basic);
            ApiError::new(failure, challenge, caller.request_id).into_response()
        }
    }
}

async fn answer(app: &App, caller: Caller, form: &Form) -> Result<TokenResponse, Failure> {
    let params = form.params()?;
    let grant = grants::requested(&params)?;
    let presented = Presented { authorization: form.authorization(), params: &params };
    let client = authenticate(app, caller, presented).await?;
    let tokens = grants::exchange(&app.server, &client, grant, &params, caller.now).await?;
    app.metrics.token_issued(grant.as_str());
    Ok(tokens)
}

/// Failed attempts are counted per source, so that a secret cannot be searched for.
async fn authenticate(
    app: &App,
    caller: Caller,
    presented: Presented<'_>,
) -> Result<Arc<Client>, Failure> {
    app.limits.client_auth(caller.source).map_err(throttled)?;
    let client = client_auth::authenticate(&app.server, presented).await;
    if let Err(Failure::Refused(Refusal::ClientAuthenticationFailed {})) = client {
        app.limits.client_auth_failed(caller.source);
    }
    let client = client?;
    let rate = client.requests_per_minute.unwrap_or(app.client_rates.interactive);
    app.limits.client(&client.client_id, rate).map_err(throttled)?;
    Ok(client)
}

/// The refusal of a rate limit.
pub(crate) fn throttled(RetryAfter(wait): RetryAfter) -> Refusal {
    Refusal::Throttled { wait: Seconds(wait) }
}
