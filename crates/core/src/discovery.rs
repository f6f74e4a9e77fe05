//! Server metadata, generated from what is enabled: RFC 8414 §2, OpenID Connect Discovery 1.0 §3.

use serde::Serialize;

use crate::authorize::ResponseMode;
use crate::jose::Algorithm;
use crate::model::GrantType;
use crate::policy::Policy;

/// What a client can find out about this server.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by the two specifications")]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    pub end_session_endpoint: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub acr_values_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub display_values_supported: Vec<&'static str>,
    pub claim_types_supported: Vec<&'static str>,
    pub claims_supported: Vec<&'static str>,
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub prompt_values_supported: Vec<&'static str>,
    pub ui_locales_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
}

/// The metadata of a server with this policy.
pub fn metadata(policy: &Policy) -> Metadata {
    let at = |path: &str| format!("{}{path}", policy.issuer.trim_end_matches('/'));
    Metadata {
        issuer: policy.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        userinfo_endpoint: at("/userinfo"),
        jwks_uri: at("/jwks.json"),
        end_session_endpoint: at("/logout"),
        scopes_supported: policy.scopes.keys().cloned().collect(),
        response_types_supported: vec!["code"],
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
        grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
        acr_values_supported: policy.sign_in.methods.iter().map(|own| own.as_str()).collect(),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: signing(policy),
        token_endpoint_auth_methods_supported: vec![
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        display_values_supported: vec!["page"],
        claim_types_supported: vec!["normal"],
        claims_supported: vec![
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "azp",
            "at_hash",
            "name",
            "preferred_username",
            "updated_at",
            "email",
            "email_verified",
        ],
        code_challenge_methods_supported: vec!["S256"],
        prompt_values_supported: vec!["none", "login", "consent", "select_account"],
        ui_locales_supported: vec!["en", "de"],
        claims_parameter_supported: true,
        // OpenID Connect Discovery 1.0 §3: request_uri counts as supported when this is left out.
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true, // RFC 9207 §3
    }
}

fn signing(policy: &Policy) -> Vec<&'static str> {
    policy.keys.algorithms.iter().copied().map(Algorithm::as_str).collect()
}
