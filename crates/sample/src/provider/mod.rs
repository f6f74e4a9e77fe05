//! The provider as this application knows it: OpenID Connect Discovery 1.0, RFC 8414, RFC 9207.

mod device;
mod grants;
mod logout;

pub(crate) use device::Invitation;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, Nonce, PkceCodeChallenge, ProviderMetadata, RedirectUrl, RevocationUrl, Scope,
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{Secret, Settings};
use crate::flow::Pending;
use crate::http::Http;
use crate::problem::Problem;

/// How long a discovery document is used before it is looked at again.
const FRESH: Duration = Duration::from_secs(3600);
/// A provider that is just starting gets this many chances within one request.
const ATTEMPTS: u32 = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(300);

/// The members of the discovery document that the crate does not know.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Extra {
    end_session_endpoint: Option<EndSessionUrl>,
    revocation_endpoint: Option<RevocationUrl>,
    device_authorization_endpoint: Option<DeviceAuthorizationUrl>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type OidcClient = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    since: Instant,
}

pub(crate) struct Provider {
    settings: Arc<Settings>,
    http: Http,
    known: RwLock<Option<Known>>,
    fetching: tokio::sync::Mutex<()>,
}

/// As which of its two clients this application speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// The web site that signs people in.
    Site,
    /// The television, which has no secret.
    Television,
}

/// What a caller of `/signin` wants passed on, checked already.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) passed_on: Vec<(&'static str, String)>,
    pub(crate) max_age: Option<u64>,
}

impl Provider {
    pub(crate) fn new(settings: Arc<Settings>, http: Http) -> Self {
        Self { settings, http, known: RwLock::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// Where to send the browser, under which state, and what to remember.
    pub(crate) async fn authorize(
        &self,
        asked: Asked,
    ) -> Result<(Url, CsrfToken, Pending), Problem> {
        let metadata = self.metadata().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(Role::Site, &metadata)?;
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .set_pkce_challenge(challenge);
        for scope in self.settings.config.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in asked.passed_on {
            request = request.add_extra_param(name, value);
        }
        let (url, state, nonce) = request.url();
        Ok((url, state, Pending { verifier, nonce, max_age: asked.max_age }))
    }

    /// Checks who sent an authorization response.
    pub(crate) async fn check_sender(&self, iss: Option<&str>) -> Result<(), Problem> {
        // RFC 9207 §2.4: compare as strings; a provider that promises `iss` must send it.
        match iss {
            Some(iss) if iss == self.settings.config.issuer => Ok(()),
            Some(_) => Err(Problem::WrongIssuer),
            None => {
                let metadata = self.metadata().await?;
                let extra = metadata.additional_metadata();
                match extra.authorization_response_iss_parameter_supported {
                    true => Err(Problem::WrongIssuer),
                    false => Ok(()),
                }
            }
        }
    }

    /// The origins to which the sign-out form may lead, for the content security policy.
    pub(crate) fn form_targets(&self) -> Vec<String> {
        let mut targets = vec![self.settings.issuer.origin().ascii_serialization()];
        let known = self.known().map(|known| known.metadata);
        let end =
            known.and_then(|metadata| metadata.additional_metadata().end_session_endpoint.clone());
        if let Some(end) = end {
            targets.push(end.url().origin().ascii_serialization());
        }
        targets.dedup();
        targets
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, Problem> {
        match self.known() {
            Some(known) if known.since.elapsed() < FRESH => Ok(known.metadata),
            known => self.look_again(known.map(|known| known.since)).await,
        }
    }

    /// Fetches discovery and keys unless somebody else did since; an old copy beats none.
    async fn look_again(&self, seen: Option<Instant>) -> Result<Arc<Metadata>, Problem> {
        let _fetching = self.fetching.lock().await;
        let known = self.known();
        if let Some(newer) = known.as_ref().filter(|known| Some(known.since) != seen) {
            return Ok(newer.metadata.clone());
        }
        match self.discover().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                let known = Known { metadata: metadata.clone(), since: Instant::now() };
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
                Ok(metadata)
            }
            Err(problem) => known.map(|known| known.metadata).ok_or(problem),
        }
    }

    async fn discover(&self) -> Result<Metadata, Problem> {
        let issuer = IssuerUrl::new(self.settings.config.issuer.clone())
            .map_err(|_| Problem::ProviderWrong)?;
        for attempt in 1..=ATTEMPTS {
            match Metadata::discover_async(issuer.clone(), &self.http).await {
                Ok(metadata) => return Ok(metadata),
                Err(error) => {
                    let reason = chain(&error);
                    tracing::warn!(attempt, issuer = %*issuer, reason, "discovery failed");
                }
            }
            tokio::time::sleep(BETWEEN_ATTEMPTS * u32::from(attempt < ATTEMPTS)).await;
        }
        Err(Problem::ProviderAway)
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn client(&self, role: Role, metadata: &Metadata) -> Result<OidcClient, Problem> {
        let (client_id, secret) = self.credentials(role)?;
        let redirect = RedirectUrl::new(self.settings.redirect_uri.clone())
            .map_err(|_| Problem::ProviderWrong)?;
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(client_id.to_owned()),
            secret.map(|secret| ClientSecret::new(secret.to_owned())),
        );
        Ok(client.set_redirect_uri(redirect).set_auth_type(auth_type(metadata)))
    }

    fn credentials(&self, role: Role) -> Result<(&str, Option<&str>), Problem> {
        let config = &self.settings.config;
        match role {
            Role::Site => {
                Ok((&config.client_id, config.client_secret.as_ref().map(Secret::expose)))
            }
            Role::Television => {
                Ok((config.tv_client_id.as_deref().ok_or(Problem::NoTelevision)?, None))
            }
        }
    }
}

// OpenID Connect Discovery §3: where nothing is said, it is client_secret_basic.
fn auth_type(metadata: &Metadata) -> AuthType {
    match metadata.token_endpoint_auth_methods_supported() {
        Some(methods)
            if methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic) =>
        {
            AuthType::RequestBody
        }
        _ => AuthType::BasicAuth,
    }
}

/// An error with its causes on one line, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
