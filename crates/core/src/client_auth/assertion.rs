//! Clients that sign who they are: RFC 7521 §4.2, RFC 7523 §2.2 and §3, OpenID Connect Core 1.0 §9.

use crate::assertion::{Claims, Expected, Flaw, KeySource, NOT_SIGNED, claimed_issuer};
use crate::error::{Failure, Refusal};
use crate::jose::{Algorithm, verify_compact, verify_hmac_compact};
use crate::model::{Client, ClientSecret};
use crate::params::Params;
use crate::server::AuthorizationServer;
use crate::store::Once;
use crate::time::Timestamp;

use super::secret::{no_secret, sealed_place};

/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The assertion in the body, if there is one.
pub(super) fn presented<'p>(params: &'p Params<'_>) -> Result<Option<&'p str>, Refusal> {
    // RFC 7521 §4.2: client_assertion and client_assertion_type come together.
    match (params.get("client_assertion_type"), params.get("client_assertion")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Refusal::MissingParameter { name: "client_assertion_type" }),
        (Some(_), None) => Err(Refusal::MissingParameter { name: "client_assertion" }),
        (Some(JWT_BEARER), Some(token)) => Ok(Some(token)),
        (Some(_), Some(_)) => Err(refused("has an unknown client_assertion_type")),
    }
}

/// The client that an assertion is said to be of. Whether that is so is to be verified yet.
pub(super) fn client_id(token: &str, parameter: Option<&str>) -> Result<String, Refusal> {
    let issuer = claimed_issuer(token).map_err(refused)?;
    // RFC 7521 §4.2: a client_id is not needed, but when it is there it must be the same client.
    if parameter.is_some_and(|id| id != issuer) {
        return Err(refused("is of another client than the client_id"));
    }
    Ok(issuer)
}

/// `client_secret_jwt`: under the client's secret, which is sealed in the store.
pub(super) async fn verify_hmac(
    server: &AuthorizationServer,
    client: &Client,
    token: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(ClientSecret::Sealed(sealed)) = &client.secret else {
        return Err(no_secret(client).into());
    };
    let secret = server.ring.open(sealed, &sealed_place(&client.client_id))?;
    // RFC 7523 §3: the signature or MAC must hold.
    let verified = verify_hmac_compact(token, &secret).map_err(|_| {
        refused("does not verify: sign it with HS256 and the client secret of 32 bytes or more")
    })?;
    let claims = expected(server).check(verified.typ.as_deref(), &verified.payload, now);
    spend(server, client, claims, now).await
}

/// `private_key_jwt`: with a key that the client registered.
pub(super) async fn verify_signature(
    server: &AuthorizationServer,
    client: &Client,
    token: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let source = match (&client.jwks, &client.jwks_uri) {
        (Some(set), _) => KeySource::Set(set),
        (None, Some(uri)) => KeySource::Uri(uri),
        (None, None) => return Err(refused(NOT_SIGNED).into()),
    };
    let set = source.keys_for(token, &server.key_sets, server.outbound.as_ref(), now).await;
    let set = set.map_err(refused)?;
    let verified = verify_compact(token, &set.keys, &algorithms(client));
    // RFC 7523 §3: the signature or MAC must hold.
    let verified = verified.map_err(|_| refused(NOT_SIGNED))?;
    let claims = expected(server).check(verified.header.typ.as_deref(), &verified.payload, now);
    spend(server, client, claims, now).await
}

/// The algorithm that the client registered (`token_endpoint_auth_signing_alg`), or all.
fn algorithms(client: &Client) -> Vec<Algorithm> {
    let own = client.other_metadata.get("token_endpoint_auth_signing_alg");
    match own.and_then(serde_json::Value::as_str) {
        Some(name) => name.parse().into_iter().collect(),
        None => Algorithm::ALL.to_vec(),
    }
}

fn expected(server: &AuthorizationServer) -> Expected<'_> {
    Expected { audience: &server.policy.issuer, typ: "client-authentication+jwt" }
}

/// The rules that need to know the client, and the store last: an assertion that is refused for
/// another reason is not used up.
async fn spend(
    server: &AuthorizationServer,
    client: &Client,
    claims: Result<Claims, Flaw>,
    now: Timestamp,
) -> Result<(), Failure> {
    let claims = claims.map_err(refused)?;
    // RFC 7523 §3: for client authentication sub is the client_id; OpenID Connect Core 1.0 §9: iss
    // too.
    if claims.subject != client.client_id || claims.issuer != client.client_id {
        return Err(refused("is not of this client: iss and sub must both be the client_id").into());
    }
    let spent = claims.spend(server.store.as_ref(), Once::ClientAssertion, now).await?;
    spent.map_err(|flaw| refused(flaw).into())
}

const fn refused(why: Flaw) -> Refusal {
    Refusal::ClientAssertionRefused { why }
}
