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
            // RFC 6749 §5.2 wants the challenge after a failed header, RFC 9110 §15.5.2 with every 401.
            ApiError::new(failure, Challenge::Basic, caller.request_id).into_response()
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
    // A public client only names itself; one who uses its name must not use up everybody's requests.
    let source = client.is_public().then_some(caller.source);
    app.limits.client(&client.client_id, source, rate).map_err(throttled)?;
    Ok(client)
}

/// The refusal of a rate limit.
pub(crate) fn throttled(RetryAfter(wait): RetryAfter) -> Refusal {
    Refusal::Throttled { wait: Seconds(wait) }
}
