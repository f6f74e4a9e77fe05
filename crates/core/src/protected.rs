//! What a protected resource checks: RFC 6750.

use crate::error::{Failure, Refusal};
use crate::params::Params;
use crate::resource;
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::tokens::{ActiveToken, read_access};

/// The access token of a request, from its Authorization header or its form body.
pub async fn bearer(
    server: &AuthorizationServer,
    authorization: Option<&str>,
    body: Option<&Params<'_>>,
    now: Timestamp,
) -> Result<ActiveToken, Failure> {
    let in_header = authorization.and_then(scheme_bearer);
    // RFC 6750 §3.1: a repeated parameter makes the request invalid.
    body.map_or(Ok(()), Params::refuse_any_doubled)?;
    let in_body = body.and_then(|params| params.get("access_token"));
    match (in_header, in_body) {
        // RFC 6750 §2: clients must not use more than one method to transmit the token.
        (Some(_), Some(_)) => Err(Refusal::TokenTwice {}.into()),
        // RFC 6750 §3: without any authentication information there is no error code to give.
        (None, None) => Err(Refusal::TokenMissing {}.into()),
        (Some(token), None) | (None, Some(token)) => {
            let active = read_access(server, token, now).await?;
            // RFC 8707 §2: a token that was asked for another resource opens nothing here.
            if !resource::is_own(&server.policy, &active.audience) {
                return Err(Refusal::TokenForOther {}.into());
            }
            Ok(active)
        }
    }
}

/// Refuses a token without `scope`.
// RFC 6750 §3.1: insufficient_scope
pub fn require_scope(token: &ActiveToken, scope: &'static str) -> Result<(), Refusal> {
    if token.scope.contains(scope) { Ok(()) } else { Err(Refusal::ScopeMissing { scope }) }
}

/// RFC 6750 §2.1, the scheme in any case: RFC 9110 §11.1.
pub(crate) fn scheme_bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
