//! The client behind a request, and how many requests it may make: RFC 6749 §2.3, RFC 6585 §4.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use grantor_core::client_auth::{self, Presented};
use grantor_core::error::{Failure, Refusal};
use grantor_core::model::Client;
use grantor_core::params::Params;
use grantor_core::time::Seconds;

use crate::app::App;
use crate::extract::{Caller, Form};
use crate::limits::{Allowance, RetryAfter};

/// Finds out which client calls. Failed attempts are counted per source, so that a secret cannot be
/// searched for.
pub(crate) async fn client(
    app: &App,
    caller: Caller,
    form: &Form,
    params: &Params<'_>,
) -> Result<Arc<Client>, Failure> {
    app.limits.client_auth(caller.source).map_err(throttled)?;
    let presented = Presented { authorization: form.authorization(), params };
    let client = client_auth::authenticate(&app.server, presented, caller.now).await;
    if let Err(Failure::Refused(refusal)) = &client
        && refusal.is_failed_authentication()
    {
        app.limits.client_auth_failed(caller.source);
    }
    client
}

/// Counts a token request of `client`.
pub(crate) fn within_rate(
    app: &App,
    caller: Caller,
    client: &Client,
) -> Result<Option<Allowance>, Refusal> {
    let rate = app.client_rates.of(client);
    // A public client only names itself; one who uses its name must not use up everybody's requests.
    let source = client.is_public().then_some(caller.source);
    app.limits
        .client(&client.client_id, source, rate)
        .map_err(|RetryAfter(wait)| Refusal::Throttled { wait: Seconds(wait), per_minute: rate })
}

/// The refusal of a rate limit.
pub(crate) fn throttled(RetryAfter(wait): RetryAfter) -> Refusal {
    Refusal::Throttled { wait: Seconds(wait), per_minute: 0 }
}

/// Says how many requests are left: draft-ietf-httpapi-ratelimit-headers §3 and §4.
pub(crate) fn rate_headers(headers: &mut HeaderMap, allowance: Allowance) {
    let Allowance { per_minute, left, reset } = allowance;
    let policy = HeaderValue::from_str(&format!("\"client\";q={per_minute};w=60"));
    let limit = HeaderValue::from_str(&format!("\"client\";r={left};t={reset}"));
    if let (Ok(policy), Ok(limit)) = (policy, limit) {
        headers.insert("ratelimit-policy", policy);
        headers.insert("ratelimit", limit);
    }
}
