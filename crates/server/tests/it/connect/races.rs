//! Of many at once, one gets on.

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::connect::Vault;
use crate::support::{Page, Server, client};

/// Sends the same request 32 times at once; every answer.
async fn at_once(server: &Server, request: impl Fn() -> reqwest::RequestBuilder) -> Vec<Page> {
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (request, seen) = (request(), server.seen.clone());
        tasks.spawn(async move {
            let response = request.send().await.expect("answered");
            let url = response.url().to_string();
            Page::read(response, &url, &seen).await
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_callbacks_exchanges_the_code() {
    let vault = Vault::start().await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let cookies = browser.cookies();
    let request = || client().get(&back).header("cookie", &cookies).header("accept", "text/html");
    let answers = at_once(&vault.server, request).await;
    let won: Vec<&Page> = answers.iter().filter(|page| page.status == 303).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|page| page.status == 400).count(), 31, "{answers:?}");
    assert_eq!(vault.google.calls("token").await, 1);
    assert_eq!(vault.complete(&won[0].answer()["connect_code"]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_applications_completes_a_session() {
    let vault = Vault::start().await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let page = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[]).await;
    let body = json!({"connect_code": page.answer()["connect_code"], "subject": "user-42"});
    let url = vault.server.url("/connect/complete");
    let request = || client().post(&url).bearer_auth(&vault.key).json(&body);
    let answers = at_once(&vault.server, request).await;
    assert_eq!(answers.iter().filter(|page| page.status == 200).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|page| page.status == 400).count(), 31, "{answers:?}");
    let connection = vault.connections_of("user-42").await.remove(0);
    assert_eq!(connection["generation"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_32_answers_of_a_person_counts() {
    let vault = Vault::with(|setup| setup.set("integrations.google.link", true)).await;
    let body = json!({"integration": "google", "subject": "user-42", "mode": "link"});
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    let form = page.form("/connect/confirm").with("decision", "allow");
    let (url, cookies) = (vault.server.url("/connect/confirm"), browser.cookies());
    let request = || client().post(&url).header("cookie", &cookies).form(&form.fields);
    let answers = at_once(&vault.server, request).await;
    let connected = answers.iter().filter(|page| page.says("ada@example.com"));
    assert_eq!(connected.count(), 1, "{answers:?}");
    assert!(answers.iter().all(|page| page.status < 500), "{answers:?}");
    assert_eq!(vault.connections_of("user-42").await[0]["generation"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_links_for_one_account_are_generations_of_one_connection() {
    let vault = Vault::start().await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
        let page = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[]).await;
        codes.push(page.answer()["connect_code"].clone());
    }
    let url = vault.server.url("/connect/complete");
    let mut tasks = JoinSet::new();
    for code in codes {
        let body = json!({"connect_code": code, "subject": "user-42"});
        let request = client().post(&url).bearer_auth(&vault.key).json(&body);
        tasks.spawn(async move { request.send().await.expect("answered").status().as_u16() });
    }
    assert_eq!(tasks.join_all().await, [200; 6]);
    let connections = vault.connections_of("user-42").await;
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0]["generation"], 6);
}
