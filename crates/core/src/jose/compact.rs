//! Compact tokens, signed and verified: RFC 7515 §5, §7.1, with the advice of RFC 8725.

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
    let header = parse_header(header, allowed)?;
    let key = choose(keys, &header)?;
    let signature = decode(signature, "the signature is not base64url")?;
    key.key.verify_sig(signed.as_bytes(), &signature).map_err(|_| JoseError::BadSignature)?;
    let payload = decode(payload, "the payload is not base64url")?;
    Ok(Verified { header, payload })
}

fn parse_header(encoded: &str, allowed: &[Algorithm]) -> Result<Header, JoseError> {
    let bytes = decode(encoded, "the header is not base64url")?;
    let mut members = parse_object_strict(&bytes)?;
    // RFC 7515 §4.1.11: a critical extension that is not understood invalidates the token.
    if members.contains_key("crit") {
        return Err(JoseError::Critical);
    }
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
