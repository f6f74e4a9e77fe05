//! Signing in a television: RFC 8628 §3.1 to §3.5.

use std::time::Duration;

use openidconnect::core::{CoreDeviceAuthorizationResponse, CoreTokenResponse};
use openidconnect::{
    DeviceCodeErrorResponse, DeviceCodeErrorResponseType, OAuth2TokenResponse, RequestTokenError,
    Scope, TokenResponse,
};

use super::grants::{person, refused, token_set, wrong};
use super::{Provider, Role, chain};
use crate::http::{HttpError, Patient};
use crate::problem::{OAuthError, Problem};
use crate::tokens::{Person, TokenSet};

/// What a television asks for, beside `openid`.
const SCOPES: [&str; 2] = ["profile", "read"];
/// The longest pause while the provider does not answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// No provider is asked more often, whatever interval it names.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The codes that the provider gave a television.
pub(crate) struct Invitation(CoreDeviceAuthorizationResponse);

impl Invitation {
    /// What the person types.
    pub(crate) fn user_code(&self) -> &str {
        self.0.user_code().secret()
    }

    /// Where the person goes.
    pub(crate) fn verification_uri(&self) -> &str {
        self.0.verification_uri().as_str()
    }

    /// Where the person goes with the code in the address.
    pub(crate) fn complete_uri(&self) -> Option<&str> {
        self.0.verification_uri_complete().map(|uri| uri.secret().as_str())
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.0.expires_in()
    }

    /// The least time between two questions.
    pub(crate) fn interval(&self) -> Duration {
        self.0.interval().max(SHORTEST_PAUSE)
    }
}

impl Provider {
    /// Asks for a code to show.
    pub(crate) async fn invite(&self) -> Result<Invitation, Problem> {
        let metadata = self.metadata().await?;
        let client = self.client(Role::Television, &metadata)?;
        let endpoint = metadata.additional_metadata().device_authorization_endpoint.clone();
        let client = client.set_device_authorization_url(endpoint.ok_or(Problem::NoDevices)?);
        let scopes = SCOPES.map(|scope| Scope::new(scope.to_owned()));
        let request = client.exchange_device_code().add_scopes(scopes);
        let answer: CoreDeviceAuthorizationResponse =
            request.request_async(&self.http).await.map_err(|error| refused(error, "device"))?;
        let shown = answer.verification_uri_complete().map(|uri| uri.secret().as_str());
        let all = [Some(answer.verification_uri().as_str()), shown];
        if !all.into_iter().flatten().all(is_web) {
            return Err(wrong(&"the verification URI is not a web address"));
        }
        Ok(Invitation(answer))
    }

    /// Asks until the person has decided or the code has run out.
    pub(crate) async fn wait_for(
        &self,
        invitation: &Invitation,
    ) -> Result<(Person, TokenSet), Problem> {
        let metadata = self.metadata().await?;
        let client = self.client(Role::Television, &metadata)?;
        // RFC 8628 §3.5: wait between questions; a person takes longer than one interval anyway.
        tokio::time::sleep(invitation.interval()).await;
        let request = client
            .exchange_device_access_token(&invitation.0)
            .map_err(|error| wrong(&error))?
            .set_max_backoff_interval(LONGEST_PAUSE.max(invitation.interval()));
        let http = Patient(self.http.clone());
        let pause = |time: Duration| tokio::time::sleep(time.max(SHORTEST_PAUSE));
        let answer: CoreTokenResponse =
            request.request_async(&http, pause, None).await.map_err(undecided)?;
        let id_token = answer.id_token().ok_or_else(|| wrong(&"no ID token"))?;
        // RFC 8628 has no nonce: the ID token comes straight from the token endpoint.
        let claims = self.verified(Role::Television, id_token, None, answer.access_token()).await?;
        let asked = ["openid"].into_iter().chain(SCOPES).map(str::to_owned).collect::<Vec<_>>();
        let tokens = token_set(&answer, &claims, id_token, &asked)?;
        let info = self.user_info(&client, answer.access_token(), claims.subject()).await;
        Ok((person(&claims, info.as_ref()), tokens))
    }
}

fn undecided(error: RequestTokenError<HttpError, DeviceCodeErrorResponse>) -> Problem {
    let answer = match error {
        RequestTokenError::ServerResponse(answer) => answer,
        RequestTokenError::Request(error) => {
            tracing::warn!(reason = chain(&error), "the token endpoint does not answer");
            return Problem::ProviderAway;
        }
        RequestTokenError::Parse(error, _) => {
            tracing::warn!(at = %error.path(), "the token endpoint's answer is not readable");
            return Problem::ProviderAway;
        }
        RequestTokenError::Other(reason) => return wrong(&reason),
    };
    match answer.error() {
        DeviceCodeErrorResponseType::AccessDenied => Problem::TelevisionDenied,
        DeviceCodeErrorResponseType::ExpiredToken => Problem::CodeExpired,
        other => {
            let description = answer.error_description().map(String::as_str);
            Problem::ProviderRefused(OAuthError::new(other.as_ref(), description))
        }
    }
}

// The page makes a link of it.
fn is_web(uri: &str) -> bool {
    url::Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}
