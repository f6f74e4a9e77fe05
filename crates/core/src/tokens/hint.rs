//! An ID token that comes back as a hint: OpenID Connect Core 1.0 §3.1.2.1, RP-Initiated Logout §2.

use serde::Deserialize;

use crate::error::Refusal;
use crate::id::UserId;
use crate::jose::{parse_object_strict, verify_compact};
use crate::server::AuthorizationServer;
use crate::time::Timestamp;

/// Who an ID token of ours was about, and for which client. It may have expired.
#[derive(Clone, Debug)]
pub struct Hint {
    /// `sub`.
    pub subject: UserId,
    /// `aud`.
    pub client_id: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: String,
}

/// Reads a hint; only the signature and the issuer must be right.
pub fn read_hint(
    server: &AuthorizationServer,
    token: &str,
    now: Timestamp,
) -> Result<Hint, Refusal> {
    let bad = || Refusal::BadParameter {
        name: "id_token_hint",
        want: "it is not an ID token of this server",
    };
    let set = server.keys.current();
    let keys: Vec<_> = set.published(now).map(|own| own.key.verifying_key().clone()).collect();
    let verified =
        verify_compact(token, &keys, &server.policy.keys.algorithms).map_err(|_| bad())?;
    // RFC 8725 §3.11: what is signed for another purpose is no ID token.
    if verified.header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(bad());
    }
    let object = parse_object_strict(&verified.payload).map_err(|_| bad())?;
    let claims: Claims = serde_json::from_value(object.into()).map_err(|_| bad())?;
    if claims.iss != server.policy.issuer {
        return Err(bad());
    }
    Ok(Hint { subject: claims.sub, client_id: claims.aud })
}
