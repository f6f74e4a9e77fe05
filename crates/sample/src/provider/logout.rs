//! Leaving: RFC 7009, OpenID Connect RP-Initiated Logout 1.0 §2.

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use openidconnect::{AuthType, CsrfToken, HttpRequest};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{Metadata, Provider, Role, auth_type, chain};

impl Provider {
    /// Revokes a refresh token where the provider has an endpoint for it; what fails is logged.
    pub(crate) async fn revoke(&self, role: Role, refresh_token: &str) {
        let Ok(metadata) = self.metadata().await else {
            return;
        };
        let Some(request) = self.revocation(role, &metadata, refresh_token) else {
            return;
        };
        match self.http.send(request).await {
            // RFC 7009 §2.2: 200 for every token, known or not.
            Ok(answer) if answer.status() == StatusCode::OK => {}
            Ok(answer) => tracing::warn!(status = %answer.status(), "the token was not revoked"),
            Err(error) => tracing::warn!(reason = chain(&error), "the token was not revoked"),
        }
    }

    /// Where to send the browser so that the provider's own session ends too, if it can.
    pub(crate) async fn end_session(&self, id_token: &str) -> Option<Url> {
        let metadata = self.metadata().await.ok()?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.as_ref()?;
        let mut url = endpoint.url().clone();
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", &self.settings.config.client_id)
            .append_pair("post_logout_redirect_uri", self.settings.base.as_str())
            .append_pair("state", CsrfToken::new_random().secret());
        Some(url)
    }

    fn revocation(&self, role: Role, metadata: &Metadata, token: &str) -> Option<HttpRequest> {
        let (client_id, secret) = self.credentials(role).ok()?;
        let endpoint = metadata.additional_metadata().revocation_endpoint.as_ref()?;
        let mut form = Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "refresh_token");
        let mut request = Request::post(endpoint.url().as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (secret, auth_type(metadata)) {
            (Some(secret), AuthType::BasicAuth) => {
                request = request.header(AUTHORIZATION, basic(client_id, secret));
            }
            (secret, _) => {
                form.append_pair("client_id", client_id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret);
                }
            }
        }
        request.body(form.finish().into_bytes()).ok()
    }
}

// RFC 6749 §2.3.1: both are form-encoded before they are joined.
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}
