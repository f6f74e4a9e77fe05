//! Signatures against the vectors of the RFCs, against misuse and against arbitrary input.

use std::fmt::Write as _;
use std::slice::from_ref;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{
    Algorithm, JoseError, MAX_TOKEN_BYTES, Peeked, PublicJwk, SigningKey, VerifyingKey, decode,
    encode, half_hash, parse_object_strict, sign_compact, verify_compact, verify_hmac_compact,
};

/// RFC 7515 A.2.1.
const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// RFC 7515 A.2.1: the three parts of the token.
const RS256_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 A.3.1.
const ES256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// RFC 7515 A.1.1.
const HS256_SECRET: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
/// RFC 7515 A.1.1: the three parts of the token.
const HS256_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7515 A.1, A.2 and A.3 sign the same claims.
const JOE: &[u8] =
    b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
/// RFC 8037 A.1.
const ED25519_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// RFC 8037 A.3.
const ED25519_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// RFC 8037 A.4.
const EDDSA_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// One key for each algorithm; RSA keys take long to make.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let generate = |algorithm| SigningKey::generate(algorithm).expect("the system has randomness");
    Algorithm::ALL.into_iter().map(generate).collect()
});

fn verifying() -> Vec<VerifyingKey> {
    KEYS.iter().map(|key| key.verifying_key().clone()).collect()
}

fn key(algorithm: Algorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm() == algorithm).expect("one of each")
}

fn parse(jwk: Value) -> Result<VerifyingKey, JoseError> {
    let jwk: PublicJwk = serde_json::from_value(jwk).expect("a JWK");
    VerifyingKey::from_jwk(&jwk)
}

fn rfc_7515_rsa() -> VerifyingKey {
    parse(json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256"})).expect("valid")
}

fn rfc_7515_ec() -> VerifyingKey {
    parse(json!({"kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}))
    .expect("valid")
}

fn rfc_8037() -> SigningKey {
    let mut pkcs8 = vec![0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];
    pkcs8.extend(decode(ED25519_SEED, "").expect("base64url"));
    SigningKey::from_pkcs8(Algorithm::EdDsa, ED25519_THUMBPRINT, &pkcs8).expect("valid")
}

/// A token with any header, signed for real.
fn forge(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let mut token = format!("{}.{}", encode(header.as_bytes()), encode(payload));
    key.append_signature(&mut token).expect("signs");
    token
}

#[test]
fn the_vectors_of_rfc_7515_verify() {
    for (token, key) in [(RS256_TOKEN, rfc_7515_rsa()), (ES256_TOKEN, rfc_7515_ec())] {
        let verified = verify_compact(token, &[key], &Algorithm::ALL).expect("the RFC's token");
        assert_eq!(verified.payload, JOE);
        assert_eq!(verified.header.kid, None);
    }
}

#[test]
fn the_vector_of_rfc_8037_is_signed_to_the_byte_and_verifies() {
    let key = rfc_8037();
    assert_eq!(forge(&key, r#"{"alg":"EdDSA"}"#, b"Example of Ed25519 signing"), EDDSA_TOKEN);
    let verified = verify_compact(EDDSA_TOKEN, &[key.verifying_key().clone()], &Algorithm::ALL);
    assert_eq!(verified.expect("the RFC's token").payload, b"Example of Ed25519 signing");
}

#[test]
fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
    let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
    assert_eq!(parse(rsa).expect("valid").kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(rfc_8037().kid(), ED25519_THUMBPRINT);
}

#[test]
fn half_hashes_are_those_of_openid_connect() {
    // OpenID Connect Core 1.0 A.3 and A.4.
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(half_hash(Algorithm::Rs256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    assert_eq!(half_hash(Algorithm::Es256, code), "LDktKdoQak3Pk0cnXxCltA");
    assert_eq!(half_hash(Algorithm::EdDsa, code).len(), 43);
}

#[test]
fn algorithms_have_the_names_of_the_registry() {
    for algorithm in Algorithm::ALL {
        assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        assert_eq!(json!(algorithm), json!(algorithm.as_str()));
    }
    let error = "none".parse::<Algorithm>().expect_err("not supported").to_string();
    for algorithm in Algorithm::ALL {
        assert!(error.contains(algorithm.as_str()), "{error}");
    }
}

#[test]
fn every_algorithm_signs_stores_and_verifies() {
    for key in KEYS.iter() {
        let pkcs8 = key.to_pkcs8().expect("writes");
        let again = SigningKey::from_pkcs8(key.algorithm(), key.kid(), &pkcs8).expect("reads");
        for typ in [None, Some("JWT"), Some("at+jwt"), Some("a \"quoted\" type")] {
            let token = sign_compact(&again, typ, &json!({"sub": "ä"})).expect("signs");
            let verified = verify_compact(&token, &verifying(), &Algorithm::ALL).expect("own");
            assert_eq!(verified.header.typ.as_deref(), typ);
            assert_eq!(verified.header.alg, key.algorithm());
            assert_eq!(verified.header.kid.as_deref(), Some(key.kid()));
            assert_eq!(verified.payload, "{\"sub\":\"ä\"}".as_bytes());
        }
    }
}

#[test]
fn the_token_is_allocated_once_and_to_size() {
    for key in KEYS.iter() {
        let token = sign_compact(key, Some("JWT"), &json!({"sub": "someone"})).expect("signs");
        assert_eq!(token.capacity(), token.len());
    }
}

#[test]
fn a_key_stored_under_the_name_of_another_is_refused() {
    let key = key(Algorithm::Es256);
    let pkcs8 = key.to_pkcs8().expect("writes");
    let error = SigningKey::from_pkcs8(Algorithm::Es256, "other", &pkcs8).expect_err("mixed up");
    assert!(matches!(error, JoseError::KidMismatch { .. }), "{error}");
    for algorithm in [Algorithm::Rs256, Algorithm::EdDsa] {
        let error = SigningKey::from_pkcs8(algorithm, key.kid(), &pkcs8).expect_err("other kind");
        assert!(matches!(error, JoseError::KeyRejected(_)), "{error}");
    }
}

#[test]
fn only_the_algorithm_of_the_key_and_of_the_caller_is_taken() {
    let rsa = key(Algorithm::Rs256);
    let keys = verifying();
    let allowed = [Algorithm::Es256];
    let refused = |token: &str, allowed| verify_compact(token, &keys, allowed).expect_err(token);

    let honest = sign_compact(rsa, Some("JWT"), &json!({})).expect("signs");
    assert_eq!(refused(&honest, &allowed), JoseError::AlgorithmNotAllowed("RS256".to_owned()));
    // The same RSA key must not do for the other padding.
    let header = format!(r#"{{"alg":"PS256","kid":"{}"}}"#, rsa.kid());
    let crossed = forge(rsa, &header, b"{}");
    let error = refused(&crossed, &Algorithm::ALL);
    assert_eq!(error, JoseError::AlgorithmNotAllowed("PS256".to_owned()));
    for alg in ["none", "None", "HS256", "RS512", "rs256", "ES256K", ""] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, rsa.kid());
        let error = refused(&forge(rsa, &header, b"{}"), &Algorithm::ALL);
        assert_eq!(error, JoseError::AlgorithmNotAllowed(alg.to_owned()));
    }
    let unsigned = format!("{}.{}.", encode(br#"{"alg":"none"}"#), encode(b"{}"));
    assert_eq!(
        refused(&unsigned, &Algorithm::ALL),
        JoseError::AlgorithmNotAllowed("none".to_owned())
    );
}

#[test]
fn the_kid_decides_and_without_one_only_a_sole_key_is_taken() {
    let (signer, other) = (key(Algorithm::Es256), SigningKey::generate(Algorithm::Es256));
    let other = other.expect("generates").verifying_key().clone();
    let own = signer.verifying_key().clone();
    let token = sign_compact(signer, None, &json!({})).expect("signs");
    let verify = |token: &str, keys: &[VerifyingKey]| verify_compact(token, keys, &Algorithm::ALL);

    assert!(verify(&token, &[other.clone(), own.clone()]).is_ok());
    assert_eq!(verify(&token, from_ref(&other)), Err(JoseError::UnknownKey));
    assert_eq!(verify(&token, &[]), Err(JoseError::UnknownKey));
    let nameless = forge(signer, r#"{"alg":"ES256"}"#, b"{}");
    assert!(verify(&nameless, from_ref(&own)).is_ok());
    assert_eq!(verify(&nameless, from_ref(&other)), Err(JoseError::BadSignature));
    assert_eq!(verify(&nameless, &[other.clone(), own]), Err(JoseError::UnknownKey));
    let misnamed = forge(signer, &format!(r#"{{"alg":"ES256","kid":"{}"}}"#, other.kid()), b"{}");
    assert_eq!(verify(&misnamed, &[other]), Err(JoseError::BadSignature));
}

#[test]
fn headers_that_two_parsers_could_read_differently_are_refused() {
    let signer = key(Algorithm::EdDsa);
    let keys = [signer.verifying_key().clone()];
    for header in [
        r#"{"alg":"EdDSA","alg":"EdDSA"}"#,
        r#"{"alg":"none","\u0061lg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","x":{"a":1,"a":2}}"#,
        r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"alg":"EdDSA","kid":7}"#,
        r#"{"alg":"EdDSA","typ":null}"#,
        r#"{"typ":"JWT"}"#,
        r#"["EdDSA"]"#,
        "",
    ] {
        let token = forge(signer, header, b"{}");
        assert!(verify_compact(&token, &keys, &Algorithm::ALL).is_err(), "{header}");
    }
    let harmless = forge(signer, r#"{"alg":"EdDSA","jwk":{"kty":"oct"}}"#, b"{}");
    assert!(verify_compact(&harmless, &keys, &Algorithm::ALL).is_ok());
}

#[test]
fn the_spelling_of_a_token_is_strict() {
    let keys = [rfc_7515_ec()];
    let refused = |token: &str| verify_compact(token, &keys, &Algorithm::ALL).is_err();
    let (signed, signature) = ES256_TOKEN.rsplit_once('.').expect("three parts");
    // 64 bytes leave four loose bits in the last character: Q (010000) must not become R.
    assert!(signature.ends_with('Q'));
    assert!(refused(&format!("{}R", &ES256_TOKEN[..ES256_TOKEN.len() - 1])));
    for token in [
        format!("{ES256_TOKEN}=="),
        format!("{ES256_TOKEN}\n"),
        format!(" {ES256_TOKEN}"),
        format!("{ES256_TOKEN}."),
        format!("{ES256_TOKEN}.{signature}"),
        format!(".{ES256_TOKEN}"),
        ES256_TOKEN.replace('-', "+"),
        signed.to_owned(),
        format!("{signed}."),
    ] {
        assert!(refused(&token), "{token}");
    }
    let long = format!("{ES256_TOKEN}{}", "A".repeat(MAX_TOKEN_BYTES));
    assert_eq!(
        verify_compact(&long, &keys, &Algorithm::ALL),
        Err(JoseError::Malformed("it is longer than 16 KiB"))
    );
    for cut in 0..ES256_TOKEN.len() {
        assert!(refused(&ES256_TOKEN[..cut]), "{cut}");
    }
}

#[test]
fn an_es256_signature_in_der_is_refused() {
    let signer = key(Algorithm::Es256);
    let pkcs8 = signer.to_pkcs8().expect("writes");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8).expect("reads");
    let signed = format!("{}{}", signer.header(None), encode(b"{}"));
    let der = pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("signs");
    let token = format!("{signed}.{}", encode(der.as_ref()));
    let verified = verify_compact(&token, &verifying(), &Algorithm::ALL);
    assert_eq!(verified, Err(JoseError::BadSignature));
}

#[test]
fn duplicate_claims_are_refused() {
    let signer = key(Algorithm::EdDsa);
    let token = forge(signer, r#"{"alg":"EdDSA"}"#, br#"{"sub":"a","sub":"b"}"#);
    let verified = verify_compact(&token, &verifying(), &Algorithm::ALL).expect("signed");
    assert!(parse_object_strict(&verified.payload).is_err());
}

#[test]
fn a_published_key_reads_back_and_says_what_it_is_for() {
    for key in KEYS.iter() {
        let text = serde_json::to_string(key.public_jwk()).expect("serializes");
        let jwk: PublicJwk = serde_json::from_str(&text).expect("own JWK");
        assert_eq!(&jwk, key.public_jwk());
        let fields = parse_object_strict(text.as_bytes()).expect("an object");
        assert_eq!(fields["kid"], key.kid());
        assert_eq!(fields["use"], "sig");
        assert_eq!(fields["alg"], key.algorithm().as_str());
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(!fields.contains_key(private), "{text}");
        }
    }
}

#[test]
fn weak_and_broken_keys_are_refused() {
    let short = encode(&[0xff; 255]);
    let padded = encode(&[&[0][..], &decode(RSA_N, "").expect("base64url")].concat());
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    for jwk in [
        json!({"kty": "RSA", "n": short, "e": "AQAB", "alg": "RS256"}),
        json!({"kty": "RSA", "n": padded, "e": "AQAB", "alg": "RS256"}),
        json!({"kty": "RSA", "n": encode(&[0xff; 1025]), "e": "AQAB", "alg": "RS256"}),
        json!({"kty": "RSA", "n": "", "e": "AQAB", "alg": "RS256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "", "alg": "RS256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQ", "alg": "RS256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAA", "alg": "RS256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "ES256"}),
        json!({"kty": "RSA", "n": RSA_N, "e": "AQAB", "alg": "RS256", "use": "enc"}),
        json!({"kty": "EC", "crv": "P-384", "x": x, "y": y}),
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": x}),
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": &y[1..]}),
        json!({"kty": "EC", "crv": "P-256", "x": encode(&[0; 32]), "y": encode(&[0; 32])}),
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "EdDSA"}),
        json!({"kty": "OKP", "crv": "X25519", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&[1; 31])}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": format!("{x}=")}),
    ] {
        let error = parse(jwk.clone()).expect_err(&jwk.to_string());
        assert!(matches!(error, JoseError::KeyRejected(_)), "{error}");
    }
    let symmetric = json!({"kty": "oct", "k": "AAAA"});
    assert!(serde_json::from_value::<PublicJwk>(symmetric).is_err());
}

#[test]
fn debug_shows_no_private_key() {
    let key = rfc_8037();
    let shown = format!("{key:?} {:?}", key.verifying_key());
    assert!(shown.contains(ED25519_THUMBPRINT) && shown.contains("not shown"), "{shown}");
    assert!(!shown.contains(ED25519_SEED) && !shown.contains("9d61b19d"), "{shown}");
}

/// A token with any header under an HMAC.
fn forge_hmac(secret: &[u8], header: &str, payload: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", encode(tag.as_ref()))
}

#[test]
fn the_hmac_vector_of_rfc_7515_verifies() {
    let secret = decode(HS256_SECRET, "").expect("base64url");
    let verified = verify_hmac_compact(HS256_TOKEN, &secret).expect("the RFC's token");
    assert_eq!((verified.payload.as_slice(), verified.typ.as_deref()), (JOE, Some("JWT")));
    let peeked = Peeked::into(HS256_TOKEN).expect("readable");
    assert_eq!((&peeked.header["alg"], &peeked.claims["iss"]), (&json!("HS256"), &json!("joe")));
    let mut other = secret.clone();
    other[0] ^= 1;
    assert_eq!(verify_hmac_compact(HS256_TOKEN, &other), Err(JoseError::BadSignature));
}

#[test]
fn a_shared_secret_verifies_hs256_only_and_needs_its_length() {
    let secret = [7; 32];
    for alg in ["none", "HS512", "hs256", "RS256", "ES256", ""] {
        let token = forge_hmac(&secret, &format!(r#"{{"alg":"{alg}"}}"#), b"{}");
        let refused = JoseError::AlgorithmNotAllowed(alg.to_owned());
        assert_eq!(verify_hmac_compact(&token, &secret), Err(refused));
    }
    let critical = forge_hmac(&secret, r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, b"{}");
    assert_eq!(verify_hmac_compact(&critical, &secret), Err(JoseError::Critical));
    let doubled = forge_hmac(&secret, r#"{"alg":"none","alg":"HS256"}"#, b"{}");
    assert!(matches!(verify_hmac_compact(&doubled, &secret), Err(JoseError::Json(_))));
    let short = forge_hmac(&secret[..31], r#"{"alg":"HS256"}"#, b"{}");
    let refused = verify_hmac_compact(&short, &secret[..31]);
    assert!(matches!(refused, Err(JoseError::KeyRejected(_))), "{refused:?}");
    let unsigned = format!("{}.{}.", encode(br#"{"alg":"HS256"}"#), encode(b"{}"));
    assert_eq!(verify_hmac_compact(&unsigned, &secret), Err(JoseError::BadSignature));
}

/// RFC 8725 §2.1: whoever can read a public key could make an HMAC with it.
#[test]
fn a_public_key_never_does_for_a_secret() {
    for key in KEYS.iter() {
        let public = serde_json::to_vec(key.public_jwk()).expect("serializes");
        let header = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, key.kid());
        let token = forge_hmac(&public, &header, b"{}");
        let verified = verify_compact(&token, &verifying(), &Algorithm::ALL);
        assert_eq!(verified, Err(JoseError::AlgorithmNotAllowed("HS256".to_owned())));
        let signed = sign_compact(key, None, &json!({})).expect("signs");
        let verified = verify_hmac_compact(&signed, &public);
        assert_eq!(verified, Err(JoseError::AlgorithmNotAllowed(key.algorithm().to_string())));
    }
}

/// For `scripts/jose_interop.py`, which verifies with another implementation.
#[test]
fn tokens_for_another_implementation() {
    let mut lines = String::new();
    for key in KEYS.iter() {
        for typ in [None, Some("JWT"), Some("at+jwt")] {
            let token = sign_compact(key, typ, &json!({"sub": "ä", "exp": 1})).expect("signs");
            let jwk = serde_json::to_string(key.public_jwk()).expect("serializes");
            writeln!(lines, "{}\t{jwk}\t{token}", key.algorithm()).expect("memory");
        }
    }
    if let Some(file) = std::env::var_os("GRANTOR_JOSE_OUT") {
        std::fs::write(file, &lines).expect("GRANTOR_JOSE_OUT names a file that can be written");
    }
    assert_eq!(lines.lines().count(), 3 * Algorithm::ALL.len());
}

proptest! {
    #[test]
    fn arbitrary_input_is_refused(token in prop_oneof![
        ".*", r"[\w-]*\.[\w-]*\.[\w-]*", r"eyJhbGciOiJFUzI1NiJ9\.[\w-]{0,40}\.[\w-]{84,87}",
    ]) {
        prop_assert!(verify_compact(&token, &verifying(), &Algorithm::ALL).is_err());
    }

    #[test]
    fn an_arbitrary_header_is_refused(
        header: Vec<u8>,
        json in r#"\{("alg"|"kid"|[:,"]|\w){0,9}\}"#,
    ) {
        for header in [header, json.into_bytes()] {
            let token = format!("{}.e30.AAAA", encode(&header));
            prop_assert!(verify_compact(&token, &verifying(), &Algorithm::ALL).is_err());
            prop_assert!(verify_hmac_compact(&token, &[7; 32]).is_err());
            let _ = Peeked::into(&token);
        }
    }

    #[test]
    fn a_flipped_bit_is_seen(which in 0..4_usize, at in any::<Index>(), bit in 0..7) {
        let token = sign_compact(&KEYS[which], Some("JWT"), &json!({"sub": "a"})).expect("signs");
        let mut bytes = token.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let token = String::from_utf8(bytes).expect("still ASCII");
        prop_assert!(verify_compact(&token, &verifying(), &Algorithm::ALL).is_err());
    }

    #[test]
    fn a_payload_comes_back_to_the_byte(payload: Vec<u8>) {
        let token = forge(key(Algorithm::Es256), r#"{"alg":"ES256"}"#, &payload);
        let verified = verify_compact(&token, &verifying(), &Algorithm::ALL).expect("signed");
        prop_assert_eq!(verified.payload, payload);
    }
}
