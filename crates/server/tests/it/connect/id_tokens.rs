//! ID tokens that are not what they seem: OpenID Connect Core 1.0 §3.1.3.7.

use serde_json::{Value, json};

use crate::support::connect::{CLIENT_ID, Vault};
use crate::support::signer::{Signer, Wanted, by, changed, now, under};

/// The stand-in publishes the keys of the test, too, so that the test can sign as the provider.
async fn vault(signer: &Signer) -> Vault {
    let vault = Vault::start().await;
    let jwks = signer.jwks(&["RS256", "ES256"]).to_string();
    let fault = json!({"answer": {"status": 200, "body": jwks}});
    let fault = json!({"endpoint": "certs", "until_cleared": true, "fault": fault});
    vault.google.control("POST", "faults", &fault).await;
    vault
}

/// A flow in which the provider's ID token is replaced; whether it was taken.
async fn taken(vault: &Vault, signer: &Signer, make: impl Fn(&Value) -> Wanted) -> bool {
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let nonce = url.split("nonce=").nth(1).expect("a nonce").split('&').next().expect("a value");
    let good = json!({
        "iss": vault.google.base, "aud": CLIENT_ID, "azp": CLIENT_ID, "sub": "1018",
        "email": "ada@example.com", "iat": now(), "exp": now() + 3_600, "nonce": nonce,
    });
    let token = signer.tokens(&[make(&good)]).remove(0);
    vault.google.fault("token", json!({"change": {"id_token": token}})).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    if page.status == 303 {
        return true;
    }
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("This answer cannot be trusted");
    page.must_say("Try again");
    false
}

#[tokio::test]
async fn only_a_good_id_token_says_whose_account_it_is() {
    let signer = Signer::new(&["RS256", "ES256"]);
    let stranger = Signer::new(&["RS256"]);
    let vault = vault(&signer).await;
    assert!(taken(&vault, &signer, |good| by("RS256", good)).await, "the test can sign at all");
    for (name, value) in [
        ("aud", json!("other.apps.example")),
        ("aud", json!([CLIENT_ID, "other.apps.example"])),
        ("aud", Value::Null),
        ("azp", json!("other.apps.example")),
        ("iss", json!("https://accounts.google.com")),
        ("iss", Value::Null),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("exp", json!(now() - 3_600)),
        ("exp", Value::Null),
        ("iat", json!(now() + 3_600)),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("sub", json!("")),
    ] {
        let make = |good: &Value| by("RS256", &changed(good, name, value.clone()));
        assert!(!taken(&vault, &signer, make).await, "{name}: {value}");
    }
    // Signed by nobody, with the secret that both know, by a key that is not the provider's, or with
    // an algorithm that the provider does not use.
    let unsigned = |good: &Value| (json!({"alg": "none"}), good.clone(), None);
    assert!(!taken(&vault, &signer, unsigned).await, "none");
    let secret = |good: &Value| under("GOCSPX-a-secret-of-the-tests-xxxx", good);
    assert!(!taken(&vault, &signer, secret).await, "HS256");
    assert!(!taken(&vault, &stranger, |good| by("RS256", good)).await, "another key of that name");
    assert!(!taken(&vault, &signer, |good| by("ES256", good)).await, "another algorithm");
    let connected = vault.server.sql("SELECT count(*) FROM connection");
    assert_eq!(connected, "0");
    let noted = vault.server.sql(
        "SELECT count(*) FROM audit_event WHERE action = 'connect.failed' \
         AND json_extract(details, '$.reason') = 'untrusted_answer'",
    );
    assert_eq!(noted, "17");
}
