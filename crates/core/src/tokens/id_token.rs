//! ID tokens: OpenID Connect Core 1.0 §2.

use serde::Serialize;

use crate::error::Failure;
use crate::id::UserId;
use crate::jose::{half_hash, sign_compact};
use crate::model::{Client, Family, Scope, User};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;
use crate::userinfo::PersonClaims;

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
    acr: &'static str,
    amr: &'a [String],
    azp: &'a str,
    at_hash: String,
    #[serde(flatten)]
    person: PersonClaims<'a>,
}

/// An ID token about the person of `family`, bound to the access token, if that has the scope `openid`. `nonce` is repeated in the
/// answer to a code, and left out when tokens are refreshed (§12.2).
pub(crate) fn mint_id_token(
    server: &AuthorizationServer,
    client: &Client,
    family: &Family,
    user: &User,
    nonce: Option<&str>,
    (access_token, scope): (&str, &Scope),
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    if !scope.contains("openid") {
        return Ok(None);
    }
    let algorithm = client.id_token_signed_response_alg;
    let asked = &family.claims.id_token;
    let claims = IdTokenClaims {
        iss: &server.policy.issuer,
        sub: family.user,
        aud: &client.client_id,
        exp: now.plus(server.policy.lifetimes.of(client).id_token),
        iat: now,
        auth_time: family.authentication.auth_time,
        nonce,
        acr: family.authentication.method.as_str(),
        amr: &family.authentication.amr,
        azp: &client.client_id,
        // OpenID Connect Core 1.0 §3.1.3.6
        at_hash: half_hash(algorithm, access_token),
        person: PersonClaims::select(user, |claim| asked.iter().any(|own| own == claim)),
    };
    let keys = server.keys.current();
    Ok(Some(sign_compact(keys.signing(algorithm, now)?, Some("JWT"), &claims)?))
}
