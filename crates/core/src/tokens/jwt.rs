//! Access tokens that resource servers read themselves: RFC 9068.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Access, ActiveToken, asked, no_id, subject};
use crate::error::Failure;
use crate::id::{AccessTokenId, FamilyId, Id};
use crate::jose::{Algorithm, parse_object_strict, sign_compact, verify_compact};
use crate::model::{AccessTokenFormat, Authentication, Scope};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// RFC 9068 §2.1: so that no other JWT of this server is taken for an access token.
const TYPE: &str = "at+jwt";

/// RFC 9068 §2.2.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    client_id: &'a str,
    scope: &'a Scope,
    iat: Timestamp,
    exp: Timestamp,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<&'a Value>,
    /// The tokens that were exchanged for this one, by their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchanged_from: Option<&'a [AccessTokenId]>,
}

/// RFC 7519 §4.1.3: one is written as a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
}

/// Signs an access token.
pub(super) fn sign(
    server: &AuthorizationServer,
    access: &Access<'_>,
    algorithm: Algorithm,
    id: AccessTokenId,
    now: Timestamp,
) -> Result<String, Failure> {
    let authentication = access.authentication;
    let mut space = [0; JTI_CHARACTERS];
    let claims = Claims {
        iss: &server.policy.issuer,
        sub: access.subject,
        // RFC 9068 §3: without a resource the audience is a default one, here this server.
        aud: match access.audience.as_slice() {
            [] => Audience::One(&server.policy.issuer),
            [one] => Audience::One(one),
            several => Audience::Several(several),
        },
        client_id: &access.client.client_id,
        scope: &access.scope,
        iat: now,
        exp: now.plus(access.lifetime),
        jti: write_jti(server, id, access.family, &mut space),
        auth_time: authentication.map(|own| own.auth_time),
        acr: authentication.map(Authentication::acr),
        amr: authentication.map(|own| own.amr.as_slice()),
        act: access.exchanged.as_ref().and_then(|own| own.act.as_ref()),
        exchanged_from: access.exchanged.as_ref().map(|own| own.from.as_slice()),
    };
    let keys = server.keys.current();
    Ok(sign_compact(keys.signing(algorithm, now)?, Some(TYPE), &claims)?)
}

#[derive(Deserialize)]
struct Read {
    iss: String,
    aud: Value,
    client_id: String,
    #[serde(default)]
    sub: String,
    scope: Scope,
    iat: Timestamp,
    exp: Timestamp,
    jti: String,
    act: Option<Value>,
    #[serde(default)]
    exchanged_from: Vec<AccessTokenId>,
}

/// Whether `text` has the outer form of a signed token.
pub(super) fn looks_like_one(text: &str) -> bool {
    text.starts_with("ey") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The token, if this server signed it and nothing has ended it.
pub(super) async fn read(
    server: &AuthorizationServer,
    text: &str,
    now: Timestamp,
) -> Result<Option<ActiveToken>, Failure> {
    let Some(claims) = verified(server, text, now) else {
        return Ok(None);
    };
    let Some((id, family)) = read_jti(server, &claims.jti) else {
        return Ok(None);
    };
    let view = server.store.jwt(id, family, &claims.exchanged_from).await?;
    let kept =
        view.family.as_ref().map_or(family.is_none(), |own| own.keeps(id, &claims.exchanged_from));
    if view.revoked || !kept {
        return Ok(None);
    }
    let own = Some(claims.sub).filter(|_| family.is_none());
    let subject = subject(view.family.as_ref(), view.user.as_ref(), own, &claims.client_id);
    let is_of_family_holder =
        view.family.as_ref().is_some_and(|family| family.client_id == claims.client_id);
    let (claims_asked, authentication) = asked(view.family, &claims.scope);
    Ok(subject.map(|subject| ActiveToken {
        id,
        format: AccessTokenFormat::Jwt,
        family,
        client_id: claims.client_id,
        is_of_family_holder,
        subject,
        user: view.user,
        scope: claims.scope,
        audience: audience(&claims.aud, &server.policy.issuer),
        claims: claims_asked,
        authentication,
        act: claims.act,
        from: claims.exchanged_from,
        issued_at: claims.iat,
        expires_at: claims.exp,
    }))
}

/// The checks of RFC 9068 §4 that do not need the store.
fn verified(server: &AuthorizationServer, text: &str, now: Timestamp) -> Option<Read> {
    let set = server.keys.current();
    let keys: Vec<_> = set.published(now).map(|own| own.key.verifying_key().clone()).collect();
    let verified = verify_compact(text, &keys, &server.policy.keys.algorithms).ok()?;
    // RFC 9068 §4: any other typ is refused.
    let typed = verified.header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE));
    let object = parse_object_strict(&verified.payload).ok().filter(|_| typed)?;
    let claims: Read = serde_json::from_value(object.into()).ok()?;
    // RFC 9068 §4: the issuer must be this server and exp be in the future.
    (claims.iss == server.policy.issuer && now < claims.exp).then_some(claims)
}

fn audience(aud: &Value, issuer: &str) -> Vec<String> {
    let names: Vec<String> = match aud {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => {
            several.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect()
        }
        _ => Vec::new(),
    };
    if names == [issuer] { Vec::new() } else { names }
}

/// 32 bytes in base64url without padding.
const JTI_CHARACTERS: usize = 43;

/// The id of the token and, hidden, that of its family. Whoever knows a family's id could have its
/// refresh token taken for stolen, so a resource server must not learn it.
fn write_jti<'a>(
    server: &AuthorizationServer,
    id: AccessTokenId,
    family: Option<FamilyId>,
    space: &'a mut [u8; JTI_CHARACTERS],
) -> &'a str {
    let hidden = hide(server, id, family.map_or(no_id(), |family| family.0));
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(id.0.as_bytes());
    bytes[16..].copy_from_slice(hidden.as_bytes());
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, space).unwrap_or(0);
    std::str::from_utf8(&space[..written]).unwrap_or_default()
}

fn read_jti(server: &AuthorizationServer, jti: &str) -> Option<(AccessTokenId, Option<FamilyId>)> {
    let mut bytes = [0; 32];
    URL_SAFE_NO_PAD.decode_slice(jti, &mut bytes).ok().filter(|&read| read == bytes.len())?;
    let (mut id, mut hidden) = ([0; 16], [0; 16]);
    id.copy_from_slice(&bytes[..16]);
    hidden.copy_from_slice(&bytes[16..]);
    let id = AccessTokenId(Id::from_bytes(id));
    let family = hide(server, id, Id::from_bytes(hidden));
    Some((id, Some(FamilyId(family)).filter(|family| family.0 != no_id())))
}

/// Its own inverse: a mask that follows from the token's id.
fn hide(server: &AuthorizationServer, id: AccessTokenId, family: Id) -> Id {
    let mask = server.secrets.token_family.tag(&[id.0.as_bytes()]);
    let mut bytes = *family.as_bytes();
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    Id::from_bytes(bytes)
}
