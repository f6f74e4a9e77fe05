//! `/.well-known/…`: RFC 8414, OpenID Connect Discovery 1.0.

use crate::support::Server;

#[tokio::test]
async fn both_documents_say_what_the_server_does() {
    let server = Server::start().await;
    let openid = server.get("/.well-known/openid-configuration").await;
    let oauth = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(openid.body, oauth.body);
    assert_eq!(openid.header("content-type"), Some("application/json"));
    let issuer = server.issuer.clone();
    let text = openid.body.replace(&issuer, "ISSUER");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["issuer"], "ISSUER");
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks.json"),
        ("end_session_endpoint", "/logout"),
        ("introspection_endpoint", "/introspect"),
        ("revocation_endpoint", "/revoke"),
    ] {
        assert_eq!(json[name], format!("ISSUER{path}"));
        assert_ne!(server.get(path).await.status, 404, "{path} is there");
    }
    let list = |name: &str| serde_json::to_string(&json[name]).expect("JSON");
    assert_eq!(
        list("response_types_supported"),
        r#"["code","token","id_token","id_token token","code token","code id_token","code id_token token"]"#
    );
    assert_eq!(list("response_modes_supported"), r#"["query","fragment","form_post"]"#);
    assert_eq!(
        json["grant_types_supported"],
        serde_json::json!([
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "implicit",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ])
    );
    assert_eq!(list("code_challenge_methods_supported"), r#"["S256"]"#);
    assert_eq!(
        list("token_endpoint_auth_methods_supported"),
        r#"["none","client_secret_basic","client_secret_post","client_secret_jwt","private_key_jwt"]"#
    );
    for alg in ["RS256", "ES256", "EdDSA", "PS256"] {
        assert!(list("id_token_signing_alg_values_supported").contains(alg));
    }
    for endpoint in ["token", "introspection", "revocation"] {
        let algs = list(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported"));
        assert!(algs.contains("RS256") && !algs.contains("none"), "{endpoint}: {algs}");
    }
    assert_eq!(json["request_uri_parameter_supported"], false);
    assert_eq!(json["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn what_is_off_is_not_claimed() {
    let server = Server::setup()
        .set("sign_in.methods", vec!["password"])
        .set("keys.algorithms", vec!["RS256"])
        .set("sample_api.enabled", false)
        .start()
        .await;
    let json = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(json["acr_values_supported"], serde_json::json!(["password"]));
    assert_eq!(json["id_token_signing_alg_values_supported"], serde_json::json!(["RS256"]));
    assert_eq!(server.get("/protected").await.status, 404);
    let members = json.as_object().expect("an object");
    assert!(members.values().all(|own| *own != serde_json::json!([])), "{json}");
    assert!(!members.contains_key("protected_resources"));
}

#[tokio::test]
async fn the_issuer_never_follows_from_the_host() {
    let server = Server::start().await;
    let url = server.url("/.well-known/openid-configuration");
    let request = crate::support::client().get(url).header("host", "evil.example");
    let request = request.header("x-forwarded-host", "evil.example");
    assert_eq!(server.request(request).await.json()["issuer"], server.issuer.as_str());
}
