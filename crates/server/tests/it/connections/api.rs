//! The management API.

use serde_json::{Value, json};

use crate::support::connect::Vault;
use crate::support::{assert_error, client};

const NOT_FOUND: &str = "There is no such connection within reach of this caller. Compare its id with GET /connections, or ask the operator: grantor connection list.";

#[tokio::test]
async fn connections_are_listed_page_by_page_and_without_tokens() {
    let vault = Vault::start().await;
    for (subject, account) in [
        ("a", "ada@example.com"),
        ("a", "grace@example.org"),
        ("b", "ada@example.com"),
        ("c", "alan@example.com"),
    ] {
        vault.connect(subject, account).await;
    }
    let mut seen = Vec::new();
    let mut next = String::new();
    for expected in [3, 1] {
        let page = vault.api("GET", &format!("/connections?limit=3{next}")).await;
        assert!(!page.body.contains("ya29.") && !page.body.contains("1//0"), "{page:?}");
        let json = page.json();
        let rows = json["connections"].as_array().expect("a list");
        assert_eq!(rows.len(), expected, "{json}");
        seen.extend(rows.iter().map(|row| row["connection_id"].clone()));
        match json["next"].as_str() {
            Some(id) => next = format!("&after={id}"),
            None => assert_eq!(expected, 1, "the last page"),
        }
    }
    assert_eq!(seen.len(), 4);
    for (query, expected) in [
        ("subject=a", 2),
        ("subject=a&account=grace%40example.org", 1),
        ("integration=google", 4),
        ("integration=github", 0),
        ("status=active", 4),
        ("status=reauth_required", 0),
    ] {
        let json = vault.api("GET", &format!("/connections?{query}")).await.json();
        assert_eq!(json["connections"].as_array().map(Vec::len), Some(expected), "{query}");
    }
    for query in ["limit=0", "limit=1001", "limit=x", "status=dead", "after=x", "limit=1&limit=2"] {
        let page = vault.api("GET", &format!("/connections?{query}")).await;
        assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
    }
}

#[tokio::test]
async fn a_key_sees_what_it_reaches_and_no_more() {
    let vault = Vault::start().await;
    let own = vault.connect("a", "ada@example.com").await;
    let other = vault.connect("b", "ada@example.com").await;
    let key = vault.key_with(&["--action", "manage", "--subject", "a"]);
    let get = |path: String| {
        let request = client().get(vault.server.url(&path)).bearer_auth(&key);
        vault.server.request(request)
    };
    let listed = get("/connections".to_owned()).await.json();
    assert_eq!(listed["connections"], json!([own]));
    assert_eq!(get("/connections?subject=b".to_owned()).await.json()["connections"], json!([]));
    let id = |told: &Value| told["connection_id"].as_str().expect("an id").to_owned();
    assert_eq!(get(format!("/connections/{}", id(&own))).await.json(), own);
    let bare = id(&own).replace("con_", "");
    assert_eq!(get(format!("/connections/{bare}")).await.json(), own);
    for path in [id(&other), "con_x".to_owned(), "%ff".to_owned()] {
        assert_error(
            &get(format!("/connections/{path}")).await,
            404,
            "connection_not_found",
            NOT_FOUND,
        );
    }
    let url = vault.server.url(&format!("/connections/{}", id(&other)));
    let page = vault.server.request(client().delete(url).bearer_auth(&key)).await;
    assert_error(&page, 404, "connection_not_found", NOT_FOUND);
    let reader = vault.key_with(&["--action", "token", "--action", "connect"]);
    let url = vault.server.url("/connections");
    let page = vault.server.request(client().get(&url).bearer_auth(reader)).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
    let page = vault.server.request(client().get(&url)).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (401, Some("missing_token")));
}
