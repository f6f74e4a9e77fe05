//! ID tokens, by those providers that have them.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::caller::{Caller, How, ID};

fn decoded(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

/// The claims, when the signature is that of one of the keys.
fn verified(token: &str, keys: &Value) -> Value {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (head, claims) = signed.split_once('.').expect("three parts");
    let head: Value = serde_json::from_slice(&decoded(head)).expect("JSON");
    let keys = keys["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["kid"] == head["kid"]).expect("the key");
    let part = |name: &str| decoded(key[name].as_str().expect("text"));
    let key = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    let signature = decoded(signature);
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature).expect("signed by it");
    serde_json::from_slice(&decoded(claims)).expect("JSON")
}

/// Provider, way of asking, the paths (authorization, token, issuer, metadata below it), scopes.
type Case = (&'static str, How, [&'static str; 4], &'static str);

const CASES: [Case; 4] = [
    (
        "microsoft",
        How::Post,
        [
            "/login.microsoftonline.com/%T/oauth2/v2.0/authorize",
            "/login.microsoftonline.com/%T/oauth2/v2.0/token",
            "/login.microsoftonline.com/%T/v2.0",
            "/.well-known/openid-configuration",
        ],
        "openid profile email offline_access",
    ),
    (
        "gitlab",
        How::Basic,
        [
            "/gitlab.example.org/oauth/authorize",
            "/gitlab.example.org/oauth/token",
            "/gitlab.example.org",
            "/.well-known/openid-configuration",
        ],
        "openid profile email",
    ),
    (
        "linkedin",
        How::Post,
        [
            "/oauth/v2/authorization",
            "/oauth/v2/accessToken",
            "/oauth",
            "/.well-known/openid-configuration",
        ],
        "openid profile email",
    ),
    (
        "xero",
        How::Basic,
        [
            "/login.xero.com/identity/connect/authorize",
            "/identity.xero.com/connect/token",
            "/identity.xero.com",
            "/.well-known/openid-configuration",
        ],
        "openid profile email offline_access",
    ),
];
const TENANT: &str = "7b29111d-0000-4000-8000-00000000000a";

#[tokio::test]
async fn they_are_signed_and_say_what_the_metadata_say() {
    for (provider, how, paths, scope) in CASES {
        let caller = Caller::at(provider).await;
        let [authorize, token, issuer, metadata] = paths.map(|path| path.replace("%T", TENANT));
        let metadata = caller.send(caller.ask("GET", &format!("{issuer}{metadata}"))).await.json();
        assert_eq!(metadata["issuer"], format!("{}{issuer}", caller.base));
        assert_eq!(metadata["token_endpoint"], format!("{}{token}", caller.base));
        let path = |name: &str| metadata[name].as_str().expect("a URL").replace(&caller.base, "");
        let asked = [("scope", scope), ("nonce", "n-1")];
        let flow = caller.flow(how, &authorize, &asked, &token);
        let one = flow.first().await;
        let keys = caller.send(caller.ask("GET", &path("jwks_uri"))).await.json();
        let claims = verified(&one.text("id_token"), &keys);
        assert_eq!((&claims["iss"], &claims["aud"]), (&metadata["issuer"], &Value::from(ID)));
        assert_eq!(claims["nonce"], "n-1");
        assert_eq!(claims["email"], "ada@example.com");
        let person = caller.get(&path("userinfo_endpoint"), &one.text("access_token")).await;
        assert_eq!(person.json()["sub"], claims["sub"], "{provider}");
        let two = flow.refresh(&one.text("refresh_token")).await;
        assert_eq!(verified(&two.text("id_token"), &keys).get("nonce"), None);
    }
}

#[tokio::test]
async fn where_all_tenants_are_meant_the_issuer_has_a_hole() {
    let caller = Caller::at("microsoft").await;
    let metadata = "/login.microsoftonline.com/common/v2.0/.well-known/openid-configuration";
    let issuer = caller.send(caller.ask("GET", metadata)).await.text("issuer");
    assert_eq!(issuer, format!("{}/login.microsoftonline.com/{{tenantid}}/v2.0", caller.base));
}

#[tokio::test]
async fn without_openid_there_is_none() {
    let caller = Caller::at("gitlab").await;
    let (authorize, token) = ("/oauth/authorize", "/oauth/token");
    let flow = caller.flow(How::Basic, authorize, &[("scope", "read_user")], token);
    assert_eq!(flow.first().await.json().get("id_token"), None);
}
