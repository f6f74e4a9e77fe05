//! The code and refresh grants, and what makes an ID token ours: RFC 6749 §4.1.3 and §6, OpenID
//! Connect Core §3.1.3.7, §5.3 and §12.2.

use openidconnect::core::{
    CoreErrorResponseType, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm, CoreRequestTokenError, CoreTokenResponse, CoreTokenType,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClaimsVerificationError, Nonce,
    OAuth2TokenResponse, RefreshToken, SubjectIdentifier, TokenResponse,
};

use super::{OidcClient, Provider, Role, chain};
use crate::flow::Pending;
use crate::http::HttpError;
use crate::problem::{OAuthError, Problem};
use crate::sessions::Record;
use crate::tokens::{Person, TokenSet, now};

/// How far the provider's clock may be from ours, in seconds.
const CLOCK_SKEW: u64 = 60;

/// Signatures only: a shared-secret algorithm would let every holder of the secret sign people in.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
];

impl Provider {
    /// Exchanges a code and verifies whose sign-in it is.
    pub(crate) async fn redeem(
        &self,
        code: &str,
        pending: Pending,
    ) -> Result<(Person, TokenSet), Problem> {
        let metadata = self.metadata().await?;
        let client = self.client(Role::Site, &metadata)?;
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| wrong(&error))?
            .set_pkce_verifier(pending.verifier);
        let answer = request.request_async(&self.http).await.map_err(|e| refused(e, "code"))?;
        let id_token = answer.id_token().ok_or_else(|| wrong(&"no ID token"))?;
        let claims = self
            .verified(Role::Site, id_token, Some(&pending.nonce), answer.access_token())
            .await?;
        check_auth_time(&claims, pending.max_age)?;
        let tokens = token_set(&answer, &claims, id_token, &self.settings.config.scopes)?;
        let info = self.user_info(&client, answer.access_token(), claims.subject()).await;
        Ok((person(&claims, info.as_ref()), tokens))
    }

    /// Exchanges the refresh token of a record for a new token set.
    pub(crate) async fn refresh(&self, record: &Record) -> Result<TokenSet, Problem> {
        let old = &record.tokens;
        let refresh_token = old.refresh_token.clone().ok_or(Problem::NoRefreshToken)?;
        let metadata = self.metadata().await?;
        let client = self.client(Role::Site, &metadata)?;
        let token = RefreshToken::new(refresh_token);
        let request = client.exchange_refresh_token(&token).map_err(|error| wrong(&error))?;
        let answer = request.request_async(&self.http).await.map_err(|e| refused(e, "refresh"))?;
        let mut tokens = match answer.id_token() {
            Some(id_token) => {
                let claims =
                    self.verified(Role::Site, id_token, None, answer.access_token()).await?;
                // OpenID Connect Core §12.2: the same person as at sign-in.
                if claims.subject().as_str() != record.person.sub {
                    return Err(wrong(&"the refreshed ID token is for someone else"));
                }
                token_set(&answer, &claims, id_token, &old.scopes)?
            }
            None => TokenSet {
                id_token: old.id_token.clone(),
                id_token_expires_at: old.id_token_expires_at,
                ..bare_token_set(&answer, &old.scopes)?
            },
        };
        // RFC 6749 §6: without a new refresh token the old one stays in use.
        tokens.refresh_token = tokens.refresh_token.or_else(|| old.refresh_token.clone());
        Ok(tokens)
    }

    /// Verifies an ID token; keys that were rotated meanwhile are fetched once.
    pub(super) async fn verified(
        &self,
        role: Role,
        id_token: &CoreIdToken,
        nonce: Option<&Nonce>,
        access_token: &AccessToken,
    ) -> Result<CoreIdTokenClaims, Problem> {
        let client = self.client(role, &*self.metadata().await?)?;
        let seen = self.known().map(|known| known.since);
        match check(&verifier(&client), id_token, nonce, access_token) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {}
            result => return result.map_err(|error| wrong(&error)),
        }
        let client = self.client(role, &*self.look_again(seen).await?)?;
        check(&verifier(&client), id_token, nonce, access_token)
            .map_err(|error| wrong(&chain(&error)))
    }

    /// Claims from the user information endpoint; a sign-in does not fail for want of them.
    pub(super) async fn user_info(
        &self,
        client: &OidcClient,
        token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Option<CoreUserInfoClaims> {
        client.user_info_url()?;
        // OpenID Connect Core §5.3.2: claims for another subject must not be used.
        let request = client.user_info(token.clone(), Some(subject.clone())).ok()?;
        match request.request_async(&self.http).await {
            Ok(claims) => Some(claims),
            Err(error) => {
                tracing::warn!(reason = chain(&error), "no answer from the userinfo endpoint");
                None
            }
        }
    }
}

fn verifier(client: &OidcClient) -> CoreIdTokenVerifier<'_> {
    client.id_token_verifier().set_allowed_algs(SIGNATURES)
}

fn check(
    verifier: &CoreIdTokenVerifier<'_>,
    id_token: &CoreIdToken,
    nonce: Option<&Nonce>,
    access_token: &AccessToken,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let claims = match nonce {
        Some(nonce) => id_token.claims(verifier, nonce)?,
        None => id_token.claims(verifier, |_: Option<&Nonce>| Ok(()))?,
    };
    // OpenID Connect Core §3.1.3.8: where there is an `at_hash`, it must be that of our token.
    if let Some(expected) = claims.access_token_hash() {
        let signature = ClaimsVerificationError::SignatureVerification;
        let alg = id_token.signing_alg().map_err(signature)?;
        let key = id_token.signing_key(verifier).map_err(signature)?;
        let other = |error: &dyn std::error::Error| ClaimsVerificationError::Other(chain(error));
        let actual =
            AccessTokenHash::from_token(access_token, alg, key).map_err(|error| other(&error))?;
        if actual != *expected {
            return Err(ClaimsVerificationError::Other("at_hash is of another token".into()));
        }
    }
    Ok(claims.clone())
}

fn check_auth_time(claims: &CoreIdTokenClaims, max_age: Option<u64>) -> Result<(), Problem> {
    let Some(max_age) = max_age else {
        return Ok(());
    };
    // OpenID Connect Core §3.1.3.7 step 13: who asked for max_age checks auth_time.
    let auth_time = claims.auth_time().and_then(|at| u64::try_from(at.timestamp()).ok());
    match auth_time {
        Some(at) if at.saturating_add(max_age).saturating_add(CLOCK_SKEW) >= now() => Ok(()),
        Some(_) => Err(wrong(&"the sign-in is older than max_age")),
        None => Err(wrong(&"no auth_time although max_age was asked for")),
    }
}

pub(super) fn token_set(
    answer: &CoreTokenResponse,
    claims: &CoreIdTokenClaims,
    id_token: &CoreIdToken,
    asked: &[String],
) -> Result<TokenSet, Problem> {
    Ok(TokenSet {
        id_token: id_token.to_string(),
        id_token_expires_at: u64::try_from(claims.expiration().timestamp()).unwrap_or_default(),
        ..bare_token_set(answer, asked)?
    })
}

fn bare_token_set(answer: &CoreTokenResponse, asked: &[String]) -> Result<TokenSet, Problem> {
    // RFC 6749 §7.1: a token of a type that is not understood must not be used.
    if *answer.token_type() != CoreTokenType::Bearer {
        return Err(wrong(&"the token type is not Bearer"));
    }
    let received_at = now();
    // RFC 6749 §5.1: a scope that is not repeated is the one asked for.
    let scopes = answer.scopes().map(|scopes| scopes.iter().map(|s| s.to_string()).collect());
    Ok(TokenSet {
        access_token: answer.access_token().secret().clone(),
        token_type: "Bearer".to_owned(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        id_token: String::new(),
        id_token_expires_at: 0,
        scopes: scopes.unwrap_or_else(|| asked.to_vec()),
        received_at,
        expires_at: answer
            .expires_in()
            .map(|lifetime| received_at.saturating_add(lifetime.as_secs())),
    })
}

pub(super) fn person(claims: &CoreIdTokenClaims, info: Option<&CoreUserInfoClaims>) -> Person {
    let name = info.and_then(|info| info.name()).or(claims.name());
    let username = info.and_then(|info| info.preferred_username()).or(claims.preferred_username());
    Person {
        sub: claims.subject().to_string(),
        name: name.and_then(|name| name.get(None)).map(|name| name.to_string()),
        preferred_username: username.map(|username| username.to_string()),
        email: info.and_then(|info| info.email()).or(claims.email()).map(|email| email.to_string()),
        email_verified: info
            .and_then(CoreUserInfoClaims::email_verified)
            .or(claims.email_verified()),
    }
}

pub(super) fn refused(error: CoreRequestTokenError<HttpError>, grant: &'static str) -> Problem {
    match error {
        CoreRequestTokenError::ServerResponse(answer) => {
            let description = answer.error_description().map(String::as_str);
            let error = OAuthError::new(answer.error().as_ref(), description);
            tracing::warn!(grant, error = error.error, "the token endpoint refused");
            match answer.error() {
                CoreErrorResponseType::InvalidGrant if grant == "refresh" => Problem::Ended,
                _ => Problem::ProviderRefused(error),
            }
        }
        CoreRequestTokenError::Request(error) => {
            tracing::warn!(grant, reason = chain(&error), "the token endpoint does not answer");
            Problem::ProviderAway
        }
        // The body may hold tokens, so that only the path of the fault is written down.
        CoreRequestTokenError::Parse(error, _) => {
            tracing::warn!(grant, at = %error.path(), "the token endpoint's answer is not readable");
            Problem::ProviderAway
        }
        CoreRequestTokenError::Other(reason) => {
            tracing::warn!(grant, reason, "the token endpoint's answer is not usable");
            Problem::ProviderAway
        }
    }
}

pub(super) fn wrong(reason: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(%reason, "an answer of the provider was not accepted");
    Problem::ProviderWrong
}
