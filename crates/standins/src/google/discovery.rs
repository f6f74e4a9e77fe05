//! Metadata and key set: OpenID Connect Discovery 1.0 §3, with the members that Google's has.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::app::{App, Asked};
use crate::http::Answer;

pub(super) fn metadata(app: &App, _: &Asked) -> Answer {
    let base = &app.base;
    let mut metadata = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/o/oauth2/v2/auth"),
        "token_endpoint": format!("{base}/token"),
        "userinfo_endpoint": format!("{base}/v1/userinfo"),
        "revocation_endpoint": format!("{base}/revoke"),
        "jwks_uri": format!("{base}/oauth2/v3/certs"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": [
            "aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss",
            "name", "sub",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    });
    // RFC 9207 §3: Google sends the parameter and did not say so when it began to.
    if app.state().behaviour.declares_iss {
        metadata["authorization_response_iss_parameter_supported"] = true.into();
    }
    Answer::json(StatusCode::OK, metadata).with(header::CACHE_CONTROL, "public, max-age=3600")
}

pub(super) fn keys(app: &App, _: &Asked) -> Answer {
    match app.keys.published() {
        Ok(keys) => {
            let answer = Answer::json(StatusCode::OK, keys);
            answer.with(header::CACHE_CONTROL, "public, max-age=19800, must-revalidate")
        }
        Err(_) => crate::faults::broken(),
    }
}
