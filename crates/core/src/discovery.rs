//! Metadata, generated from what is enabled: RFC 8414 §2, OpenID Connect Discovery 1.0 §3, RFC 9728.

use serde::Serialize;

use crate::authorize::ResponseMode;
use crate::grants;
use crate::jose::Algorithm;
use crate::model::{AuthMethod, GrantType, ResponseType};
use crate::policy::{Policy, RegistrationMode};

/// What a client can find out about this server.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by the specifications")]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    pub end_session_endpoint: String,
    pub introspection_endpoint: String,
    pub revocation_endpoint: String,
    pub device_authorization_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    pub service_documentation: String,
    pub scopes_supported: Vec<String>,
    pub response_types_supported: Vec<&'static str>,
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub acr_values_supported: Vec<&'static str>,
    pub subject_types_supported: Vec<&'static str>,
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_resources: Vec<String>,
}

/// The metadata of a server with this policy.
pub fn metadata(policy: &Policy) -> Metadata {
    let at = |path: &str| format!("{}{path}", policy.issuer.trim_end_matches('/'));
    let registers = policy.registration.mode != RegistrationMode::Closed;
    let methods: Vec<_> = AuthMethod::ALL.iter().map(|own| own.as_str()).collect();
    // RFC 7662 §2.1: a resource server authenticates. RFC 7009 §2.1: a public client may revoke.
    let proofs: Vec<_> = methods.iter().copied().filter(|own| *own != "none").collect();
    let grants = GrantType::ALL.iter().copied().filter(|own| grants::enabled(policy, *own));
    Metadata {
        issuer: policy.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        userinfo_endpoint: at("/userinfo"),
        jwks_uri: at("/jwks.json"),
        end_session_endpoint: at("/logout"),
        introspection_endpoint: at("/introspect"),
        revocation_endpoint: at("/revoke"),
        device_authorization_endpoint: at("/device_authorization"),
        registration_endpoint: registers.then(|| at("/register")),
        service_documentation: at("/docs"),
        scopes_supported: policy.scopes.keys().cloned().collect(),
        response_types_supported: ResponseType::ALL.map(ResponseType::as_str).to_vec(),
        response_modes_supported: ResponseMode::ALL.map(ResponseMode::as_str).to_vec(),
        grant_types_supported: grants.map(GrantType::as_str).collect(),
        acr_values_supported: policy.sign_in.methods.iter().map(|own| own.as_str()).collect(),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: signing(policy),
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGS.to_vec(),
        introspection_endpoint_auth_methods_supported: proofs,
        introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGS.to_vec(),
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGS.to_vec(),
        display_values_supported: vec!["page"],
        claim_types_supported: vec!["normal"],
        claims_supported: CLAIMS.to_vec(),
        code_challenge_methods_supported: vec!["S256"],
        prompt_values_supported: vec!["none", "login", "consent", "select_account"],
        ui_locales_supported: vec!["en", "de"],
        claims_parameter_supported: true,
        // OpenID Connect Discovery 1.0 §3: request_uri counts as supported when this is left out.
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true, // RFC 9207 §3
        protected_resources: protected_resources(policy),     // RFC 9728 §4
    }
}

/// What client assertions may be signed with.
const ASSERTION_ALGS: [&str; 5] = ["RS256", "PS256", "ES256", "EdDSA", "HS256"];

const CLAIMS: [&str; 17] = [
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
    "c_hash",
    "name",
    "preferred_username",
    "updated_at",
    "email",
    "email_verified",
];

fn protected_resources(policy: &Policy) -> Vec<String> {
    let own = policy.sample_api.then(|| policy.issuer.clone());
    own.into_iter().chain(policy.resources.keys().cloned()).collect()
}

/// Metadata of the sample API as a protected resource: RFC 9728 §2.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the members are named and described by the specification")]
pub struct ResourceMetadata {
    pub resource: String,
    pub authorization_servers: Vec<String>,
    pub scopes_supported: Vec<&'static str>,
    pub bearer_methods_supported: Vec<&'static str>,
    pub resource_name: &'static str,
    pub resource_documentation: String,
}

/// Where the sample API's metadata are: RFC 9728 §3.1.
pub fn resource_metadata_url(policy: &Policy) -> String {
    format!("{}/.well-known/oauth-protected-resource", policy.issuer.trim_end_matches('/'))
}

/// The metadata of the sample API: it is this server's own resource.
pub fn resource_metadata(policy: &Policy) -> ResourceMetadata {
    let at = |path: &str| format!("{}{path}", policy.issuer.trim_end_matches('/'));
    ResourceMetadata {
        resource: policy.issuer.clone(),
        authorization_servers: vec![policy.issuer.clone()],
        scopes_supported: vec!["read"],
        bearer_methods_supported: vec!["header"],
        resource_name: "Sample API",
        resource_documentation: at("/docs"),
    }
}

fn signing(policy: &Policy) -> Vec<&'static str> {
    policy.keys.algorithms.iter().copied().map(Algorithm::as_str).collect()
}
