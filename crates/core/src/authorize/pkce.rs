//! Proof key for code exchange: RFC 7636.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Refusal;
use crate::model::{Challenge, Client, ResponseType};
use crate::params::Params;
use crate::secret::Digest;

/// The challenge of a request, which a public client must have.
pub(super) fn check(
    client: &Client,
    response_type: ResponseType,
    params: &Params<'_>,
) -> Result<Option<Challenge>, Refusal> {
    let method = params.get("code_challenge_method");
    let Some(challenge) = params.get("code_challenge") else {
        // RFC 9700 §2.1.1: public clients must use PKCE.
        let needed = response_type.has_code() && (client.is_public() || client.require_pkce);
        if needed || method.is_some() {
            return Err(Refusal::PkceRequired {});
        }
        return Ok(None);
    };
    // RFC 7636 §4.3: a missing method means plain. RFC 9700 §2.1.1: plain protects nobody who can
    // read the request, so S256 is the only one.
    if method != Some("S256") {
        return Err(Refusal::PkceMethod {});
    }
    let mut bytes = [0; 32];
    match URL_SAFE_NO_PAD.decode_slice(challenge, &mut bytes) {
        Ok(32) => Ok(Some(Challenge(Digest::from_bytes(bytes)))),
        _ => Err(Refusal::PkceChallenge {}),
    }
}

/// Whether `verifier` is the one behind `challenge`.
// RFC 7636 §4.6: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge
pub(crate) fn verifies(challenge: Challenge, verifier: &str) -> bool {
    // RFC 7636 §4.1: code-verifier = 43*128unreserved
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let sound = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
    let mut hashed = [0; 32];
    hashed.copy_from_slice(digest(&SHA256, verifier.as_bytes()).as_ref());
    sound && Digest::from_bytes(hashed) == challenge.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_verifies() {
        // RFC 7636 appendix B
        let mut bytes = [0; 32];
        let text = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).expect("base64url");
        let challenge = Challenge(Digest::from_bytes(bytes));
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(verifies(challenge, verifier));
        assert!(!verifies(challenge, &verifier.to_lowercase()));
        assert!(!verifies(challenge, &verifier[..42]));
        assert!(!verifies(challenge, ""));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        let of = |verifier: &str| {
            let mut bytes = [0; 32];
            bytes.copy_from_slice(digest(&SHA256, verifier.as_bytes()).as_ref());
            Challenge(Digest::from_bytes(bytes))
        };
        for good in ["a".repeat(43), "~".repeat(128)] {
            assert!(verifies(of(&good), &good), "{good}");
        }
        for bad in ["a".repeat(42), "a".repeat(129), "a+".repeat(22), "ä".repeat(43)] {
            assert!(!verifies(of(&bad), &bad), "{bad}");
        }
    }
}
