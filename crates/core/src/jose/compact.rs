//! Compact tokens, signed and verified: RFC 7515 §5, §7.1, with the advice of RFC 8725.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Algorithm, JoseError, SigningKey, VerifyingKey, decode, parse_object_strict};

/// Longer tokens are refused before anything is decoded.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Room for the claims of a usual token, so that their buffer is allocated once.
const USUAL_CLAIMS_BYTES: usize = 512;

/// Signs `claims` in compact form. `typ` is the media type without `application/` (RFC 7515
/// §4.1.9), such as `JWT` or `at+jwt`.
pub fn sign_compact(
    key: &SigningKey,
    typ: Option<&str>,
    claims: &impl Serialize,
) -> Result<String, JoseError> {
    let mut payload = Vec::with_capacity(USUAL_CLAIMS_BYTES);
    serde_json::to_writer(&mut payload, claims)
        .map_err(|error| JoseError::Json(error.to_string()))?;
    let header = key.header(typ);
    let length = header.len() + encoded(payload.len()) + 1 + encoded(key.signature_len());
    let mut token = String::with_capacity(length);
    token.push_str(&header);
    URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
    key.append_signature(&mut token)?;
    Ok(token)
}

/// A token whose signature is right. Whether its claims hold is for the caller to check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the header says.
    pub header: Header,
    /// The signed bytes; read claims with [`parse_object_strict`].
    pub payload: Vec<u8>,
}

/// The header members that have a meaning here: RFC 7515 §4.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm, which is also the one of the key.
    pub alg: Algorithm,
    /// The media type.
    pub typ: Option<String>,
    /// The name of the key.
    pub kid: Option<String>,
}

/// Verifies a compact token with the one of `keys` that its `kid` names; without a `kid`, exactly
/// one key must fit. The algorithm must be in `allowed` and be the key's own.
pub fn verify_compact(
    token: &str,
    keys: &[VerifyingKey],
    allowed: &[Algorithm],
) -> Result<Verified, JoseError> {
    let parts = Parts::of(token)?;
    let header = parse_header(parts.header, allowed)?;
    let key = choose(keys, &header)?;
    let signature = decode(parts.signature, "the signature is not base64url")?;
    key.key.verify_sig(parts.signed.as_bytes(), &signature).map_err(|_| JoseError::BadSignature)?;
    let payload = decode(parts.payload, "the payload is not base64url")?;
    Ok(Verified { header, payload })
}

/// A token under a shared secret whose authentication code is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHmac {
    /// The media type.
    pub typ: Option<String>,
    /// The signed bytes; read claims with [`parse_object_strict`].
    pub payload: Vec<u8>,
}

/// Bytes of a secret for HS256 at least.
pub const MIN_HMAC_SECRET_BYTES: usize = 32;

/// Verifies a compact token under a shared secret, with HS256 and nothing else. Apart from
/// [`verify_compact`] on purpose: no argument makes a public key a secret, or the other way round.
pub fn verify_hmac_compact(token: &str, secret: &[u8]) -> Result<VerifiedHmac, JoseError> {
    // RFC 7518 §3.2: a key of the size of the hash or larger must be used.
    if secret.len() < MIN_HMAC_SECRET_BYTES {
        return Err(JoseError::KeyRejected("a secret for HS256 needs 32 bytes or more"));
    }
    let parts = Parts::of(token)?;
    let mut members = header_members(parts.header)?;
    let alg = text(&mut members, "alg")?.ok_or(JoseError::Malformed("the header has no alg"))?;
    if alg != "HS256" {
        return Err(JoseError::AlgorithmNotAllowed(alg));
    }
    let signature = decode(parts.signature, "the signature is not base64url")?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::verify(&key, parts.signed.as_bytes(), &signature).map_err(|_| JoseError::BadSignature)?;
    let payload = decode(parts.payload, "the payload is not base64url")?;
    Ok(VerifiedHmac { typ: text(&mut members, "typ")?, payload })
}

/// What a token says of itself, verified by nobody: only to find out whose keys to verify it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The members of the header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl Peeked {
    /// Looks into a compact token.
    pub fn into(token: &str) -> Result<Self, JoseError> {
        let parts = Parts::of(token)?;
        let payload = decode(parts.payload, "the payload is not base64url")?;
        Ok(Self { header: header_members(parts.header)?, claims: parse_object_strict(&payload)? })
    }
}

/// The texts of RFC 7515 §7.1.
struct Parts<'t> {
    signed: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Result<Self, JoseError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JoseError::Malformed("it is longer than 16 KiB"));
        }
        let (signed, signature) =
            token.rsplit_once('.').ok_or(JoseError::Malformed("it has no signature"))?;
        let (header, payload) =
            signed.split_once('.').ok_or(JoseError::Malformed("it has two parts, not three"))?;
        if payload.contains('.') {
            return Err(JoseError::Malformed("it has more than three parts"));
        }
        Ok(Self { signed, header, payload, signature })
    }
}

fn header_members(encoded: &str) -> Result<Map<String, Value>, JoseError> {
    let bytes = decode(encoded, "the header is not base64url")?;
    let members = parse_object_strict(&bytes)?;
    // RFC 7515 §4.1.11: a critical extension that is not understood invalidates the token.
    if members.contains_key("crit") {
        return Err(JoseError::Critical);
    }
    Ok(members)
}

fn parse_header(encoded: &str, allowed: &[Algorithm]) -> Result<Header, JoseError> {
    let mut members = header_members(encoded)?;
    let alg = text(&mut members, "alg")?.ok_or(JoseError::Malformed("the header has no alg"))?;
    // RFC 8725 §3.1: only algorithms that the caller allows; `none` and HMAC are not among them.
    let alg = match alg.parse() {
        Ok(known) if allowed.contains(&known) => known,
        Ok(_) | Err(_) => return Err(JoseError::AlgorithmNotAllowed(alg)),
    };
    Ok(Header { alg, typ: text(&mut members, "typ")?, kid: text(&mut members, "kid")? })
}

/// Keys that the header brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
fn choose<'k>(keys: &'k [VerifyingKey], header: &Header) -> Result<&'k VerifyingKey, JoseError> {
    let named = |key: &&VerifyingKey| header.kid.as_ref().is_none_or(|kid| *kid == key.kid);
    let mut fitting = keys.iter().filter(named).filter(|key| key.algorithm == header.alg);
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (None, _) if header.kid.is_some() && keys.iter().any(|key| named(&key)) => {
            Err(JoseError::AlgorithmNotAllowed(header.alg.to_string()))
        }
        (None | Some(_), _) => Err(JoseError::UnknownKey),
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, JoseError> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JoseError::Malformed("alg, typ and kid in the header must be text")),
    }
}

const fn encoded(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
