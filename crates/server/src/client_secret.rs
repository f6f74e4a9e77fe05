//! Client secrets that Grantor makes: RFC 6749 §2.3.1, §10.10.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::ports::Entropy;

/// 256 random bits behind the prefix `grt_cs_`.
pub(crate) fn generate(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    format!("grt_cs_{}", URL_SAFE_NO_PAD.encode(bytes))
}
