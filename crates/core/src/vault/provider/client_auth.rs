//! How our client proves who it is at a provider: RFC 6749 §2.3.1, RFC 7523 §2.2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::calls::Context;
use super::description::ClientAuth;
use super::requests::Fields;
use crate::jose::{Algorithm, SigningKey, sign_compact};
use crate::time::Seconds;

/// How long an assertion works: it is made for one request.
const ASSERTION: Seconds = Seconds::minutes(5);

/// Puts the client into a request: into its fields or its headers. Without a secret, and with a
/// key that cannot be used, the provider is told the client id alone, and refuses it.
pub(crate) fn prove(
    auth: ClientAuth,
    ctx: &Context<'_>,
    audience: &str,
    fields: &mut Fields,
    headers: &mut Fields,
) {
    let client = ctx.integration;
    match (auth, &client.client_secret) {
        (ClientAuth::Basic, Some(secret)) => {
            headers.set("authorization", &basic(&client.client_id, secret));
        }
        (ClientAuth::Post, Some(secret)) => {
            fields.set("client_id", &client.client_id);
            fields.set("client_secret", secret);
        }
        (ClientAuth::PrivateKeyJwt, Some(pem)) => {
            fields.set("client_id", &client.client_id);
            if let Some(assertion) = assertion(ctx, pem, audience) {
                // RFC 7523 §2.2
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                fields.set("client_assertion_type", kind);
                fields.set("client_assertion", &assertion);
            }
        }
        (ClientAuth::None, _)
        | (ClientAuth::Basic | ClientAuth::Post | ClientAuth::PrivateKeyJwt, None) => {
            fields.set("client_id", &client.client_id);
        }
    }
}

/// RFC 6749 §2.3.1: id and secret are form-encoded before they are put together.
fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let encoded = |text: &str| {
        Zeroizing::new(form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>())
    };
    let pair = Zeroizing::new(format!("{}:{}", *encoded(id), *encoded(secret)));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// RFC 7523 §3: iss and sub are the client, aud is the provider, and it is for one use.
fn assertion(ctx: &Context<'_>, pem: &str, audience: &str) -> Option<Zeroizing<String>> {
    let key = signing_key(pem).ok()?;
    let claims = json!({
        "iss": ctx.integration.client_id,
        "sub": ctx.integration.client_id,
        "aud": audience,
        "jti": ctx.jti,
        "iat": ctx.now.epoch(),
        "exp": ctx.now.plus(ASSERTION).epoch(),
    });
    sign_compact(&key, Some("JWT"), &claims).ok().map(Zeroizing::new)
}

/// The key in a PEM text (RFC 7468 §10): RSA signs with RS256, P-256 with ES256, Ed25519 with EdDSA.
pub(crate) fn signing_key(pem: &str) -> Result<SigningKey, String> {
    const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
    const END: &str = "-----END PRIVATE KEY-----";
    let wrong = || {
        "it is not a private key in PKCS #8 and PEM that can sign (RSA of 2048 bits or more, \
         P-256, Ed25519); convert it with `openssl pkcs8 -topk8 -nocrypt`"
            .to_owned()
    };
    let body =
        pem.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).ok_or_else(wrong)?;
    let base64 = body.0.chars().filter(|c| !c.is_ascii_whitespace());
    let base64 = Zeroizing::new(base64.collect::<String>());
    let der = STANDARD.decode(base64.as_bytes()).map(Zeroizing::new).map_err(|_| wrong())?;
    let mut found = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa]
        .into_iter()
        .filter_map(|algorithm| SigningKey::import_pkcs8(algorithm, &der).ok());
    found.next().ok_or_else(wrong)
}
