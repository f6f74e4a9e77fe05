//! What is asked for, and what is granted.

use serde_json::{Value, json};

use crate::support::client;
use crate::support::connect::{CALENDAR, DRIVE, Vault};

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const TASKS: &str = "https://www.googleapis.com/auth/tasks.readonly";

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_str().expect("text").split(' ').collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_was_unticked_is_named_and_not_granted() {
    let vault = Vault::with(|setup| setup.set("integrations.google.link", true)).await;
    let body = json!({"integration": "google", "subject": "user-42", "mode": "link"});
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "ada@example.com", &[DRIVE]).await;
    page.must_say("You did not allow");
    let page = browser.submit(&page.form("/connect/confirm").with("decision", "allow")).await;
    page.must_say("You did not allow");
    page.must_say("See all files in Drive");
    let connection = vault.connections_of("user-42").await.remove(0);
    assert_eq!(names(&connection["scope"]), [CALENDAR, EMAIL, "openid"]);
    assert_eq!(names(&connection["requested_scope"]), [CALENDAR, DRIVE, EMAIL, "openid"]);
}

#[tokio::test]
async fn without_what_is_required_nothing_is_connected() {
    let vault =
        Vault::with(|setup| setup.set("integrations.google.required_scopes", vec![CALENDAR])).await;
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "user-42"})).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "ada@example.com", &[CALENDAR]).await;
    assert_eq!(page.status, 400, "{page:?}");
    page.must_say("Something needed was not allowed");
    page.must_say("See all calendars");
    assert!(vault.connections_of("user-42").await.is_empty());
    assert_eq!(vault.google.calls("revoke").await, 0, "other connections may share the grant");
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    assert_eq!(vault.complete(&page.answer()["connect_code"]).await.status, 200);
    // It is asked for whatever a session names.
    let body = json!({"integration": "google", "subject": "b", "scopes": [DRIVE]});
    let (link, _) = vault.link(&body).await;
    let url = vault.leave(&vault.server.browser(), &link).await;
    assert!(url.contains("calendar.readonly") && url.contains("drive.readonly"), "{url}");
}

#[tokio::test]
async fn a_session_may_ask_for_other_scopes_than_the_integration() {
    let vault = Vault::start().await;
    let asked = format!("openid {TASKS}");
    let body = json!({"integration": "google", "subject": "user-42", "scopes": asked});
    let (link, _) = vault.link(&body).await;
    let page = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[]).await;
    let done = vault.complete(&page.answer()["connect_code"]).await.json();
    assert_eq!(names(&done["scope"]), [TASKS, "openid"]);
    let bad = json!({"integration": "google", "subject": "a", "scopes": ["a\"b"]});
    let page = vault.ask(&bad).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_scope")));
}

#[tokio::test]
async fn more_scopes_come_on_top_of_those_that_are_granted() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    let body = json!({"connection_id": first["connection_id"], "scopes": [TASKS]});
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    for scope in ["tasks.readonly", "calendar.readonly", "drive.readonly"] {
        assert!(url.contains(scope), "the union is asked for: {scope}: {url}");
    }
    assert_eq!(
        vault.connections_of("user-42").await,
        std::slice::from_ref(&first),
        "kept until it is replaced"
    );
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let second = vault.complete(&page.answer()["connect_code"]).await.json();
    assert_eq!(names(&second["scope"]), [CALENDAR, DRIVE, TASKS, EMAIL, "openid"]);
    assert_eq!(second["connection_id"], first["connection_id"]);
}

#[tokio::test]
async fn a_link_that_has_done_its_work_is_not_handed_out_again() {
    let vault = Vault::with(|setup| {
        setup.set("vault.return_urls", Vec::<String>::new()).set("integrations.google.link", true)
    })
    .await;
    let key = vault.key_with(&["--action", "token", "--action", "connect"]);
    let link = async |body: &Value| {
        let url = vault.server.url("/oauth/token");
        let page = vault.server.request(client().post(url).bearer_auth(&key).json(body)).await;
        let json = page.json();
        let link = json["connect_url"].as_str().unwrap_or_else(|| panic!("no link: {page:?}"));
        link.strip_prefix(&vault.server.issuer).expect("at the server").to_owned()
    };
    let browser = vault.server.browser();
    let decide = async |link: &str, refused: &[&str], decision| {
        let page = vault.walk(&browser, link, "ada@example.com", refused).await;
        browser.submit(&page.form("/connect/confirm").with("decision", decision)).await
    };
    let anybody = json!({"integration": "google", "subject": "user-42"});
    // Declined.
    let first = link(&anybody).await;
    assert_eq!(link(&anybody).await, first, "while it opens, one is enough");
    decide(&first, &[], "deny").await;
    let second = link(&anybody).await;
    assert_ne!(second, first);
    // Connected, and disconnected.
    decide(&second, &[], "allow").await;
    let connection = vault.connections_of("user-42").await.remove(0);
    let id = connection["connection_id"].as_str().expect("an id");
    assert!(vault.api("DELETE", &format!("/connections/{id}")).await.status < 300);
    let third = link(&anybody).await;
    assert_ne!(third, second);
    decide(&third, &[], "allow").await;
    // Followed, and not all of it allowed.
    let more = json!({"subject": "user-42", "scopes": [TASKS]});
    let fourth = link(&more).await;
    decide(&fourth, &[TASKS], "allow").await;
    let fifth = link(&more).await;
    assert_ne!(fifth, fourth);
    decide(&fifth, &[], "allow").await;
    let connection = vault.connections_of("user-42").await.remove(0);
    assert!(names(&connection["scope"]).contains(&TASKS), "{connection}");
}

#[tokio::test]
async fn a_scope_with_two_names_is_asked_for_once() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    assert!(names(&first["scope"]).contains(&EMAIL), "{first}");
    let body = json!({"connection_id": first["connection_id"]});
    let (link, _) = vault.link(&body).await;
    let url = vault.leave(&vault.server.browser(), &link).await;
    let (_, query) = url.split_once('?').expect("a query");
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, scope) = pairs.find(|(name, _)| name == "scope").expect("a scope");
    assert_eq!(scope.split(' ').collect::<Vec<_>>(), ["openid", "email", CALENDAR, DRIVE]);
}

#[tokio::test]
async fn scopes_that_a_provider_forgets_are_asked_for_again() {
    let vault = Vault::start().await;
    let first = vault.connect("user-42", "ada@example.com").await;
    // A link that knows nothing of the connection, at a provider that grants what is asked and no more.
    let body = json!({"integration": "google", "subject": "user-42", "scopes": ["openid", TASKS]});
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    assert!(!url.contains("calendar.readonly"), "{url}");
    let forgets = json!({"change": {"scope": format!("openid {TASKS}")}});
    vault.google.fault("token", forgets).await;
    let at_google = vault.google.browser();
    let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
    let url = browser.get(&back).await.location().expect("to the provider again");
    assert!(url.contains("calendar.readonly") && url.contains("tasks.readonly"), "{url}");
    let back = vault.google.allow(&at_google, &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let second = vault.complete(&page.answer()["connect_code"]).await.json();
    assert_eq!(names(&second["scope"]), [CALENDAR, DRIVE, TASKS, EMAIL, "openid"]);
    assert_eq!(second["connection_id"], first["connection_id"]);
}
