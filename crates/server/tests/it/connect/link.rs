//! Mode `link`: whoever opens the link is asked whether this account is for this subject.

use serde_json::json;

use crate::support::connect::{RETURN_URL, Vault};

async fn vault() -> Vault {
    Vault::with(|setup| setup.set("integrations.google.link", true)).await
}

fn body() -> serde_json::Value {
    json!({"integration": "google", "subject": "user-42", "mode": "link"})
}

#[tokio::test]
async fn account_and_subject_are_named_before_anything_is_connected() {
    let vault = vault().await;
    let (link, id) = vault.link(&body()).await;
    let browser = vault.server.browser();
    let page = browser.get(&link).await;
    page.must_say("Connect Google");
    page.must_say("reports asks to use an account of yours.");
    page.must_say("user-42");
    page.must_say("See all calendars");
    assert_eq!(vault.session(&id).await["status"], "open", "looking at a link changes nothing");

    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    assert_eq!(page.status, 200, "{page:?}");
    for text in ["Connect this account?", "ada@example.com", "user-42", "reports"] {
        page.must_say(text);
    }
    assert!(vault.connections_of("user-42").await.is_empty(), "not before the answer");
    let form = page.form("/connect/confirm");
    let done = browser.submit(&form.clone().with("decision", "allow")).await;
    done.must_say("Your account is connected");
    done.must_say("ada@example.com");
    done.must_say("You can close this page.");
    let connection = vault.connections_of("user-42").await.remove(0);
    assert_eq!(connection["account"]["email"], "ada@example.com");

    let again = browser.submit(&form.with("decision", "allow")).await;
    again.must_say("This page was loaded a second time.");
    assert_eq!(vault.connections_of("user-42").await, [connection]);
    vault.assert_no_token_kept();
}

#[tokio::test]
async fn whoever_is_asked_by_a_stranger_says_no_and_the_link_is_dead() {
    let vault = vault().await;
    let (link, id) = vault.link(&body()).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    let form = page.form("/connect/confirm");
    let declined = browser.submit(&form.clone().with("decision", "deny")).await;
    declined.must_say("Nothing was connected");
    declined.must_say("ask for a new link");
    assert!(!declined.says("try again"), "there is nothing to try again with: {declined:?}");
    let session = vault.session(&id).await;
    assert_eq!(
        (&session["status"], &session["error"]),
        (&json!("failed"), &json!("access_denied"))
    );
    let late = browser.submit(&form.with("decision", "allow")).await;
    late.must_say("This page is out of date");
    assert_eq!(browser.get(&link).await.status, 410);
    assert!(vault.connections_of("user-42").await.is_empty());
}

#[tokio::test]
async fn the_answer_is_taken_from_the_browser_that_was_asked() {
    let vault = vault().await;
    let (link, _) = vault.link(&body()).await;
    let (browser, other) = (vault.server.browser(), vault.server.browser());
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    let form = page.form("/connect/confirm").with("decision", "allow");
    other.get(&link).await;
    let page = other.submit(&form).await;
    assert_eq!(page.status, 400, "a form of another browser: {page:?}");
    page.must_say("This form no longer works");
    // The attacker's own form, with what the other browser was given.
    let (own, _) = vault.link(&body()).await;
    let page = vault.walk(&other, &own, "grace@example.org", &[]).await;
    let stolen = page.form("/connect/confirm").with("decision", "allow");
    let stolen = stolen.with("code", form.value("code").expect("a code"));
    assert_eq!(other.submit(&stolen).await.status, 400);
    let without = form.clone().without("csrf");
    assert_eq!(browser.submit(&without).await.status, 400);
    assert!(vault.connections_of("user-42").await.is_empty());
    browser.submit(&form).await.must_say("Your account is connected");
}

#[tokio::test]
async fn the_way_back_is_a_link_of_the_result_page() {
    let vault = vault().await;
    let body = json!({
        "integration": "google", "subject": "user-42", "mode": "link", "return_url": RETURN_URL,
    });
    let (link, _) = vault.link(&body).await;
    let browser = vault.server.browser();
    let page = vault.walk(&browser, &link, "ada@example.com", &[]).await;
    let page = browser.submit(&page.form("/connect/confirm").with("decision", "allow")).await;
    page.must_say("Back to the application");
    page.must_say(RETURN_URL);
}

#[tokio::test]
async fn links_for_anybody_are_the_operators_choice() {
    let vault = Vault::start().await;
    let page = vault.ask(&body()).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
    assert!(page.body.contains("integrations.NAME.link"), "{page:?}");
    // A link that only one account can answer is harmless.
    let connection = vault.connect("user-42", "ada@example.com").await;
    let again = json!({"connection_id": connection["connection_id"], "mode": "link"});
    let (link, _) = vault.link(&again).await;
    vault.server.browser().get(&link).await.must_say("Connect Google again");
    // Where nobody knows whose account it is, anybody's would be attached.
    vault.server.sql("UPDATE connection SET account_sub = ''");
    assert_eq!(vault.server.browser().get(&link).await.status, 403, "made before");
    let page = vault.ask(&again).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (400, Some("invalid_request")));
}
