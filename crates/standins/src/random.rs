//! Random text for tokens, and the fingerprints under which tests speak of them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// So many random characters of base64url.
pub(crate) fn text(length: usize) -> String {
    let mut bytes = vec![0; length * 3 / 4 + 1];
    // The random source of the system does not fail once the program runs.
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        tracing::error!("the system gave no random bytes");
    }
    let mut text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    text.truncate(length);
    text
}

/// The first eight hexadecimal digits of a token's SHA-256: enough to count by, and not the token.
pub(crate) fn fingerprint(token: &str) -> String {
    let digest = digest(&SHA256, token.as_bytes());
    digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, text};

    #[test]
    fn tokens_have_the_length_that_was_asked_for_and_differ() {
        for length in [1, 43, 512, 2048] {
            assert_eq!(text(length).len(), length);
        }
        assert_ne!(text(43), text(43));
    }

    #[test]
    fn a_fingerprint_begins_the_sha_256_of_a_token() {
        // FIPS 180-4's example: SHA-256 of "abc".
        assert_eq!(fingerprint("abc"), "ba7816bf");
    }
}
