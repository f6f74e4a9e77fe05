//! What Google may answer: tokens of every length, and an issuer with and without its scheme.

use serde_json::{Value, json};

use crate::support::connect::Vault;

/// The stand-in behaves so from now on.
async fn behave(vault: &Vault, how: Value) {
    vault.google.control("PUT", "behaviour", &how).await;
}

#[tokio::test]
async fn codes_and_tokens_of_the_greatest_length_go_through() {
    let vault = Vault::start().await;
    behave(&vault, json!({"largest_tokens": true})).await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let query = back.split_once('?').expect("a query").1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let code = pairs.find(|(name, _)| name == "code").expect("a code").1;
    assert_eq!(code.len(), 256);
    let page = browser.get(&back).await;
    let done = vault.complete(&page.answer()["connect_code"]).await;
    assert_eq!(done.json()["refreshable"], true, "{done:?}");

    let key = vault.key_with(&["--action", "token"]);
    let mut seen = Vec::new();
    for path in ["/oauth/token", "/oauth/refresh", "/oauth/refresh"] {
        let page = vault.post_with(&key, path, &json!({"subject": "user-42"})).await;
        assert_eq!(page.status, 200, "{page:?}");
        let token = page.json()["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(token.len(), 2_048, "{path}");
        vault.server.seen.add(&token);
        seen.push(token);
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "the refresh token of 512 bytes is kept whole");
    vault.assert_no_token_kept();
}

#[tokio::test]
async fn an_issuer_without_its_scheme_is_the_same() {
    let vault = Vault::start().await;
    behave(&vault, json!({"issuer_without_scheme": true})).await;
    let connection = vault.connect("user-42", "ada@example.com").await;
    assert_eq!(connection["account"]["email"], "ada@example.com");
}
