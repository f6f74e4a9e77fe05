//! ID tokens: OpenID Connect Core 1.0 §2.

use serde::Serialize;

use crate::error::Failure;
use crate::id::UserId;
use crate::jose::{half_hash, sign_compact};
use crate::model::{Authentication, Client, Scope, User};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::userinfo::{PersonClaims, claims_of};

/// What an ID token is to say.
pub(crate) struct IdToken<'a> {
    /// Who gets it.
    pub(crate) client: &'a Client,
    /// Whom it is about.
    pub(crate) user: &'a User,
    /// How the person signed in.
    pub(crate) authentication: &'a Authentication,
    /// Claims that were asked for one by one.
    pub(crate) asked: &'a [String],
    /// Repeated, so that the client knows its own request (§3.1.2.1); left out when tokens are
    /// refreshed (§12.2).
    pub(crate) nonce: Option<&'a str>,
    /// The access token that comes with it.
    pub(crate) access_token: Option<&'a str>,
    /// The code that comes with it.
    pub(crate) code: Option<&'a str>,
    /// The scope, when no access token is ever issued that could fetch its claims.
    pub(crate) with_scope: Option<&'a Scope>,
}

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    iss: &'a str,
    sub: UserId,
    aud: &'a str,
    exp: Timestamp,
    iat: Timestamp,
    auth_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    amr: &'a [String],
    azp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c_hash: Option<String>,
    #[serde(flatten)]
    person: PersonClaims<'a>,
}

/// Signs an ID token.
pub(crate) fn mint_id_token(
    server: &AuthorizationServer,
    token: &IdToken<'_>,
    now: Timestamp,
) -> Result<String, Failure> {
    let algorithm = token.client.id_token_signed_response_alg;
    // OpenID Connect Core 1.0 §5.4: without an access token the claims of the scope are here.
    let by_scope = |claim: &str| token.with_scope.is_some_and(|scope| claims_of(scope, claim));
    let wanted = |claim: &str| by_scope(claim) || token.asked.iter().any(|own| own == claim);
    let claims = IdTokenClaims {
        iss: &server.policy.issuer,
        sub: token.user.id,
        aud: &token.client.client_id,
        exp: now.plus(server.policy.lifetimes.of(token.client).id_token),
        iat: now,
        auth_time: token.authentication.auth_time,
        nonce: token.nonce,
        acr: token.authentication.acr(),
        amr: &token.authentication.amr,
        azp: &token.client.client_id,
        // OpenID Connect Core 1.0 §3.1.3.6
        at_hash: token.access_token.map(|text| half_hash(algorithm, text)),
        // OpenID Connect Core 1.0 §3.3.2.11
        c_hash: token.code.map(|text| half_hash(algorithm, text)),
        person: PersonClaims::select(token.user, wanted),
    };
    let keys = server.keys.current();
    Ok(sign_compact(keys.signing(algorithm, now)?, Some("JWT"), &claims)?)
}
