//! The key set of a client: RFC 7517 §5, as far as a registration can check it.

use serde_json::Value;

use super::text::MOST_ITEMS;
use crate::jose::JwkSet;

/// Why `jwks` is no set of public keys that this server could use, if it is none.
pub(super) fn problem(jwks: &Value) -> Option<&'static str> {
    let Some(keys) = jwks.get("keys").and_then(Value::as_array) else {
        return Some("it must be a JWK set: an object with a list of keys");
    };
    if keys.len() > MOST_ITEMS {
        return Some("it has more than 50 keys");
    }
    if !keys.iter().all(Value::is_object) {
        return Some("a key must be an object");
    }
    // RFC 7591 §2: these are public keys. A private one that was sent is nobody's any more.
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if keys.iter().any(|key| private.iter().any(|name| key.get(*name).is_some())) {
        return Some("it has a private or symmetric key; send the public keys only");
    }
    let usable = JwkSet::parse(jwks).is_ok_and(|set| !set.keys.is_empty());
    (!usable).then_some("none of its keys can verify RS256, PS256, ES256 or EdDSA")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::{Algorithm, SigningKey};

    #[test]
    fn one_public_key_that_can_be_used_is_enough() {
        let own = SigningKey::generate(Algorithm::Es256).expect("generates");
        let own = serde_json::to_value(own.public_jwk()).expect("serializes");
        let foreign = json!({"kty": "LMS", "pub": "AA"});
        assert_eq!(problem(&json!({ "keys": [foreign, own] })), None);
        let mut private = own.clone();
        private["d"] = json!("AA");
        for bad in [
            json!(null),
            json!([own]),
            json!({}),
            json!({"keys": {}}),
            json!({"keys": []}),
            json!({"keys": [7, own]}),
            json!({"keys": [foreign]}),
            json!({"keys": [own, private]}),
            json!({"keys": [{"kty": "oct", "k": "AA"}]}),
            json!({"keys": vec![own.clone(); 51]}),
        ] {
            assert!(problem(&bad).is_some(), "{bad}");
        }
    }
}
