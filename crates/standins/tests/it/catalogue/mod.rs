//! Each provider of the catalogue: a sign-in, a refresh, a dead grant, a wrong client, who it is.

mod github;
mod id_tokens;
mod microsoft;
mod notion;
mod rotating;
mod salesforce;
mod slack;
mod staying;
mod zendesk;
mod zoho;

use crate::caller::Caller;

#[tokio::test]
async fn a_path_is_found_with_its_own_host_only() {
    let caller = Caller::at("github").await;
    for (path, status) in [
        ("/user", 401),
        ("/api.github.com/user", 401),
        ("/github.com/user", 404),
        ("/login/oauth/nothing", 404),
    ] {
        let request = caller.ask("GET", path).header("user-agent", "tests");
        assert_eq!(caller.send(request).await.status, status, "{path}");
    }
}

#[test]
fn there_are_24_real_providers_and_a_plain_one() {
    let mut names: Vec<_> = standins::catalogue::names().collect();
    names.retain(|name| !["plain", "slack-classic"].contains(name));
    assert_eq!(names.len(), 24, "{names:?}");
}

#[tokio::test]
async fn faults_and_counts_are_those_of_one_provider() {
    let zoho = Caller::at("zoho").await;
    let fault = serde_json::json!({ "endpoint": "token", "fault": { "html": 503 } });
    zoho.control("faults", fault).await;
    let other = Caller { base: zoho.base.replace("/zoho", "/plain"), ..zoho.clone() };
    assert_eq!(other.post("/token", &[]).await.status, 400);
    assert_eq!(zoho.post("/oauth/v2/token", &[]).await.status, 503);
    let counts = zoho.send(zoho.ask("GET", "/_control/counts")).await.json();
    assert_eq!(counts["endpoints"]["token"]["answered"]["503"], 1);
}
