//! What a client is told about itself: RFC 7591 §3.2.1, RFC 7592 §3.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::secret::has_secret;
use crate::model::{AccessTokenFormat, Client};
use crate::server::AuthorizationServer;

/// The client information response: all registered metadata and the credentials that are known.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ClientInformation(Map<String, Value>);

impl ClientInformation {
    /// About `client`, to the holder of its registration access token `token`.
    pub(super) fn new(
        server: &AuthorizationServer,
        client: &Client,
        secret: Option<&str>,
        token: &str,
    ) -> Self {
        let issuer = server.policy.issuer.trim_end_matches('/');
        let encoded = percent_encoding::utf8_percent_encode(&client.client_id, SEGMENT);
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                members.insert(name.to_owned(), value);
            }
        };
        put("client_id", json!(client.client_id));
        put("client_id_issued_at", json!(client.created_at));
        put("client_secret", json!(secret));
        // RFC 7591 §3.2.1: required if there is a secret; 0 for one that does not expire.
        let expires = has_secret(client.token_endpoint_auth_method).then_some(0);
        put("client_secret_expires_at", json!(expires));
        put("registration_access_token", json!(token));
        put("registration_client_uri", json!(format!("{issuer}/register/{encoded}")));
        members.extend(metadata(client));
        Self(members)
    }
}

/// What is not escaped in a segment of a path: RFC 3986 §3.3.
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// RFC 7591 §3.2.1: all registered metadata, as they are in effect.
fn metadata(client: &Client) -> Map<String, Value> {
    let jwt = client.access_token_format == Some(AccessTokenFormat::Jwt);
    let list = |own: &[String]| (!own.is_empty()).then(|| own.to_vec());
    let members = [
        ("redirect_uris", json!(list(&client.redirect_uris))),
        ("post_logout_redirect_uris", json!(list(&client.post_logout_redirect_uris))),
        ("token_endpoint_auth_method", json!(client.token_endpoint_auth_method)),
        ("grant_types", json!(client.grant_types)),
        ("response_types", json!(client.response_types)),
        ("client_name", json!(client.client_name)),
        ("client_uri", json!(client.client_uri)),
        ("logo_uri", json!(client.logo_uri)),
        ("tos_uri", json!(client.tos_uri)),
        ("policy_uri", json!(client.policy_uri)),
        ("scope", json!(client.scope)),
        ("jwks", json!(client.jwks)),
        ("jwks_uri", json!(client.jwks_uri)),
        ("require_pkce", json!(client.require_pkce)),
        ("access_token_format", json!(client.access_token_format)),
        (
            "access_token_signed_response_alg",
            json!(jwt.then_some(client.access_token_signed_response_alg)),
        ),
        ("id_token_signed_response_alg", json!(client.id_token_signed_response_alg)),
        ("default_max_age", json!(client.lifetimes.session)),
        ("resource_server_for", json!(list(&client.resource_server_for))),
    ];
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    let members = members.map(|(name, value)| (name.to_owned(), value));
    members.chain(client.other_metadata.clone()).collect()
}
