//! `/jwks.json`: RFC 7517.

use crate::support::Server;

#[tokio::test]
async fn public_keys_only_one_for_each_algorithm() {
    let server = Server::start().await;
    let page = server.get("/jwks.json").await;
    assert_eq!(page.status, 200);
    let json = page.json();
    let keys = json["keys"].as_array().expect("keys");
    let mut algorithms: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "PS256", "RS256"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        assert!(key["kid"].is_string());
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private} in {key}");
        }
    }
    let rsa = keys.iter().find(|key| key["kty"] == "RSA").expect("an RSA key");
    assert!(rsa["n"].as_str().is_some_and(|n| n.len() >= 342), "2048 bits at least");
}

#[tokio::test]
async fn keys_survive_a_restart() {
    let mut server = Server::start().await;
    let before = server.get("/jwks.json").await.json();
    assert_eq!(server.stop(), Some(0));
    server.start_again().await;
    assert_eq!(server.get("/jwks.json").await.json(), before);
}

#[tokio::test]
async fn keys_are_sealed_in_the_database() {
    let server = Server::start().await;
    for sealed in server.sql("SELECT hex(sealed) FROM signing_key").lines() {
        // A PKCS #8 key begins with a version and the identifier of its algorithm.
        for plain in ["2A8648CE3D0201", "2A864886F70D010101", "06032B6570"] {
            assert!(!sealed.contains(plain), "a private key in clear");
        }
    }
}
