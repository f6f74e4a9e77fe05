//! The authorization code grant: RFC 6749 §4.1.3, RFC 7636 §4.6, OpenID Connect Core 1.0 §3.1.3.

use crate::authorize::pkce;
use crate::error::{Failure, Refusal};
use crate::id::CodeId;
use crate::model::{Client, Code};
use crate::params::Params;
use crate::resource;
use crate::secret::{Credential, Kind};
use crate::server::AuthorizationServer;
use crate::store::{CodeView, Redeemed};
use crate::time::Timestamp;
use crate::tokens::{Granted, TokenResponse, issue, subject_active};

/// Exchanges a code. Of any number of requests with the same code, one gets tokens, and every
/// later one revokes them.
pub(super) async fn exchange(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params<'_>,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    let credential = Credential::parse(Kind::Code, params.required("code")?);
    let credential = credential.ok_or(Refusal::CodeUnknown {})?;
    let view = server.store.code(CodeId(credential.id()), &credential.digest()).await?;
    let CodeView { code, user } = view.ok_or(Refusal::CodeUnknown {})?;
    if let Err(refusal) = check(client, &code, params, now) {
        return spend(server, &code, refusal, now).await;
    }
    let user = subject_active(user.as_ref()).ok_or(Refusal::PersonGone {})?;
    let audience = match resource::narrowed(&server.policy, &code.resource, params) {
        Ok(audience) => audience,
        Err(refusal) => return spend(server, &code, refusal, now).await,
    };
    let granted = Granted {
        client,
        user: Some(user),
        session: Some(code.session),
        authentication: Some(code.authentication),
        scope: code.scope,
        resource: code.resource,
        audience,
        claims: code.claims,
        nonce: code.nonce.as_deref(),
        refresh: true,
        id_token: true,
    };
    let (issued, answer) = issue(server, granted, now)?;
    match server.store.redeem_code(code.id, &code.digest, issued, now).await? {
        Redeemed::Done => Ok(answer),
        Redeemed::Replayed { .. } => Err(Refusal::CodeReplayed {}.into()),
        Redeemed::Gone => Err(Refusal::CodeUnknown {}.into()),
    }
}

/// The checks of RFC 6749 §4.1.3, in its order.
fn check(client: &Client, code: &Code, params: &Params<'_>, now: Timestamp) -> Result<(), Refusal> {
    // RFC 6749 §4.1.3: the code must have been issued to the authenticated client.
    if code.client_id != client.client_id {
        return Err(Refusal::CodeOfOtherClient {});
    }
    // RFC 6749 §4.1.2: once, and soon. Told here, before an ID token is signed for nothing; the store
    // decides between two that come at once.
    if code.redeemed_as.is_some() || code.expires_at <= now {
        return Err(Refusal::CodeUnknown {});
    }
    // RFC 6749 §4.1.3: redirect_uri must be there if it was in the request, and be the same.
    match params.get("redirect_uri") {
        Some(given) if given != code.redirect_uri => return Err(Refusal::CodeRedirectMismatch {}),
        None if code.redirect_uri_given => return Err(Refusal::CodeRedirectMismatch {}),
        Some(_) | None => {}
    }
    match (code.challenge, params.get("code_verifier")) {
        (None, None) => Ok(()),
        // RFC 9700 §2.1.1: a verifier without a challenge is a sign that the challenge was stripped.
        (None, Some(_)) => Err(Refusal::VerifierUnexpected {}),
        (Some(_), None) => Err(Refusal::VerifierMissing {}),
        // RFC 7636 §4.6: the verifier must be the one behind the challenge.
        (Some(challenge), Some(verifier)) if pkce::verifies(challenge, verifier) => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::VerifierMismatch {}),
    }
}

/// A code that was presented wrongly is in wrong hands: it is spent, and if it had been used
/// before, what it was used for is revoked. A code held by another client is not theirs to spend.
async fn spend(
    server: &AuthorizationServer,
    code: &Code,
    refusal: Refusal,
    now: Timestamp,
) -> Result<TokenResponse, Failure> {
    if refusal == (Refusal::CodeOfOtherClient {}) {
        return Err(refusal.into());
    }
    match server.store.spend_code(code.id, &code.digest, now).await? {
        Redeemed::Replayed { .. } => Err(Refusal::CodeReplayed {}.into()),
        Redeemed::Done | Redeemed::Gone => Err(refusal.into()),
    }
}
