//! The key sets of others: RFC 7517 §5, read with patience for what is not for us.

use serde_json::{Map, Value};

use super::{Algorithm, JoseError, PublicJwk, VerifyingKey};

/// Keys that are looked at in one set.
pub const MAX_KEYS: usize = 50;

/// The keys of a set that can verify a signature here.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    /// An RSA key that names no algorithm is there twice, for RS256 and for PS256.
    pub keys: Vec<VerifyingKey>,
}

impl JwkSet {
    /// Reads `{"keys": […]}`. Keys of other kinds, sizes and uses are passed over.
    pub fn parse(set: &Value) -> Result<Self, JoseError> {
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or_else(|| JoseError::Json("a JWK set has an array `keys`".into()))?;
        // RFC 7517 §5: keys that are not understood should be ignored.
        let keys = keys.iter().take(MAX_KEYS).filter_map(Value::as_object).flat_map(read);
        Ok(Self { keys: keys.collect() })
    }

    /// Whether a key has this name.
    pub fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == kid)
    }
}

fn read(members: &Map<String, Value>) -> Vec<VerifyingKey> {
    // RFC 7517 §4.2 and §4.3: what a key is not for, it is not used for.
    let verifies = members.get("key_ops").is_none_or(|ops| {
        ops.as_array().is_some_and(|ops| ops.iter().any(|op| op.as_str() == Some("verify")))
    });
    if !verifies || is_private(members) {
        return Vec::new();
    }
    let with = |alg: Option<Algorithm>| {
        let jwk: PublicJwk = serde_json::from_value(Value::Object(members.clone())).ok()?;
        VerifyingKey::from_jwk(&PublicJwk { alg: alg.or(jwk.alg), ..jwk }).ok()
    };
    // RFC 7517 §4.4: alg is optional, and many sets of RSA keys leave it out.
    let both = [Some(Algorithm::Rs256), Some(Algorithm::Ps256)];
    let one = [None];
    let rsa_without_alg =
        members.get("kty").is_some_and(|kty| kty == "RSA") && !members.contains_key("alg");
    let algorithms: &[_] = if rsa_without_alg { &both } else { &one };
    algorithms.iter().filter_map(|alg| with(*alg)).collect()
}

/// A private key that was published is nobody's any more.
fn is_private(members: &Map<String, Value>) -> bool {
    ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| members.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jose::SigningKey;

    fn jwk(algorithm: Algorithm) -> Value {
        let key = SigningKey::generate(algorithm).expect("generates");
        serde_json::to_value(key.public_jwk()).expect("serializes")
    }

    fn kids(set: &Value) -> Vec<(String, Algorithm)> {
        let set = JwkSet::parse(set).expect("a set");
        set.keys.iter().map(|key| (key.kid().to_owned(), key.algorithm())).collect()
    }

    fn changed(jwk: &Value, name: &str, value: Value) -> Value {
        let mut changed = jwk.clone();
        changed[name] = value;
        changed
    }

    #[test]
    fn keys_that_are_not_understood_are_passed_over() {
        let own = jwk(Algorithm::Es256);
        let kid = own["kid"].as_str().expect("a kid").to_owned();
        let set = json!({"keys": [
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
            {"kty": "LMS"},
            7,
            changed(&own, "use", json!("enc")),
            changed(&own, "key_ops", json!(["encrypt"])),
            changed(&own, "alg", json!("ES512")),
            changed(&own, "d", json!("AA")),
            changed(&own, "key_ops", json!(["sign", "verify"])),
        ]});
        assert_eq!(kids(&set), [(kid, Algorithm::Es256)]);
    }

    #[test]
    fn an_rsa_key_without_alg_does_for_both_paddings_and_with_one_for_that() {
        let named = jwk(Algorithm::Ps256);
        let mut free = named.clone();
        free.as_object_mut().expect("an object").remove("alg");
        free["kid"] = json!("free");
        let kid = named["kid"].as_str().expect("a kid").to_owned();
        assert_eq!(
            kids(&json!({"keys": [named, free]})),
            [
                (kid, Algorithm::Ps256),
                ("free".to_owned(), Algorithm::Rs256),
                ("free".to_owned(), Algorithm::Ps256),
            ]
        );
    }

    #[test]
    fn a_set_is_an_object_with_keys_and_has_an_end() {
        for set in [json!([]), json!({}), json!({"keys": {}}), json!(null)] {
            assert!(JwkSet::parse(&set).is_err(), "{set}");
        }
        let own = jwk(Algorithm::EdDsa);
        let many = (0..MAX_KEYS + 20).map(|n| changed(&own, "kid", json!(n.to_string())));
        let many: Vec<_> = many.collect();
        let set = JwkSet::parse(&json!({ "keys": many })).expect("a set");
        assert_eq!(set.keys.len(), MAX_KEYS);
        assert!(set.has("0") && !set.has("65"));
    }
}
