//! `GET /connect/{link}`: the way to the provider, and when there is none.

use serde_json::{Value, json};

use crate::support::client;
use crate::support::connect::{CLIENT_ID, CLIENT_SECRET, Vault};

/// With an integration whose provider is known by its metadata alone.
async fn vault() -> Vault {
    Vault::with(|setup| {
        setup
            .set("integrations.discovered.client_id", CLIENT_ID)
            .set("integrations.discovered.client_secret", CLIENT_SECRET)
    })
    .await
}

fn body() -> Value {
    json!({"integration": "discovered", "subject": "user-42"})
}

#[tokio::test]
async fn metadata_without_a_page_to_go_to_are_the_operators_to_correct() {
    let vault = vault().await;
    let metadata = json!({"issuer": vault.google.base, "token_endpoint": vault.google.base});
    let answer = json!({"answer": {"status": 200, "body": metadata.to_string()}});
    vault.google.fault("discovery", answer).await;
    let (link, id) = vault.link(&body()).await;
    let page = vault.server.browser().get(&link).await;
    assert_eq!((page.status, page.location()), (502, None), "not back to the link: {page:?}");
    page.must_say("does not know this server");
    assert_eq!(vault.session(&id).await["status"], "open");
}

#[tokio::test]
async fn whoever_only_looks_at_a_link_does_not_end_the_way_of_a_person() {
    let vault = Vault::start().await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    for path in [link.clone(), format!("{link}/go")] {
        let looked = vault.server.request(client().head(vault.server.url(&path))).await;
        assert_eq!((looked.status, looked.location()), (204, None), "{looked:?}");
        let ahead = client().get(vault.server.url(&path));
        let ahead = ahead.header("sec-purpose", "prefetch;prerender");
        let fetched = vault.server.request(ahead).await;
        assert_eq!((fetched.status, fetched.location()), (503, None), "{fetched:?}");
    }
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    assert_eq!(browser.get(&back).await.status, 303, "the flow goes on");
}

#[tokio::test]
async fn who_finds_the_provider_away_can_try_again() {
    let vault = vault().await;
    vault.google.fault("discovery", json!({"html": 503})).await;
    let (link, id) = vault.link(&body()).await;
    let page = vault.server.browser().get(&link).await;
    assert_eq!(page.status, 503, "{page:?}");
    page.must_say("does not answer");
    assert!(page.says(&format!("href=\"{link}\"")), "{page:?}");
    assert_eq!(vault.session(&id).await["status"], "open");
}
