//! Mode `bound`: nothing is connected before the application says so.

use serde_json::json;

use crate::support::connect::{CALENDAR, DRIVE, RETURN_URL, Vault};
use crate::support::{assert_error, client};

#[tokio::test]
async fn an_application_connects_the_account_of_its_user() {
    let vault = Vault::start().await;
    let body = json!({
        "integration": "google",
        "subject": "user-42",
        "return_url": format!("{RETURN_URL}?flow=1"),
    });
    let (link, id) = vault.link(&body).await;
    assert!(link.starts_with("/connect/grt_cl_"), "{link}");
    assert_eq!(vault.session(&id).await["status"], "open");

    let browser = vault.server.browser();
    let url = vault.leave(&browser, &link).await;
    for part in [
        "response_type=code",
        "access_type=offline",
        "include_granted_scopes=true",
        "code_challenge_method=S256",
        "nonce=",
        "state=grt_cs_",
    ] {
        assert!(url.contains(part), "{part}: {url}");
    }
    assert_eq!(vault.session(&id).await["status"], "started");
    let back = vault.google.allow(&vault.google.browser(), &url, "ada@example.com", &[]).await;
    let page = browser.get(&back).await;
    let location = page.location().expect("a redirect");
    assert!(
        location.starts_with(&format!("{RETURN_URL}?flow=1&connect_code=grt_cc_")),
        "{location}"
    );
    assert_eq!(vault.session(&id).await["status"], "waiting");
    assert!(vault.connections_of("user-42").await.is_empty(), "not before it is completed");

    let code = page.answer()["connect_code"].clone();
    let done = vault.complete(&code).await;
    assert_eq!(done.status, 200, "{done:?}");
    let told = done.json();
    assert_eq!(told["account"]["email"], "ada@example.com");
    assert_eq!(told["subject"], "user-42");
    assert_eq!(told["status"], "active");
    assert_eq!(told["refreshable"], true);
    for scope in ["openid", "https://www.googleapis.com/auth/userinfo.email", CALENDAR, DRIVE] {
        let granted = told["scope"].as_str().expect("text");
        assert!(granted.split(' ').any(|own| own == scope), "{scope}: {granted}");
    }
    let session = vault.session(&id).await;
    assert_eq!(
        (&session["status"], &session["connection_id"]),
        (&json!("done"), &told["connection_id"])
    );
    assert_eq!(vault.connections_of("user-42").await, [told]);

    let again = vault.complete(&code).await;
    assert_error(
        &again,
        400,
        "invalid_grant",
        "The connect_code is unknown, expired or already used. Make another link with POST /connect/sessions, and send the person there.",
    );
    let page = browser.get(&back).await;
    page.must_say("The account is connected");
    let page = browser.get(&link).await;
    assert_eq!(page.status, 410, "{page:?}");
    page.must_say("This link was used");
    assert_eq!(vault.audit(), ["api_key.created", "connect.begun", "connection.connected"]);
    vault.assert_no_token_kept();
}

#[tokio::test]
async fn a_code_of_somebody_elses_browser_is_worth_nothing_without_the_key() {
    let vault = Vault::start().await;
    // An attacker has made a link for himself and sends it to Ada, who allows it.
    let (link, _) = vault.link(&json!({"integration": "google", "subject": "mallory"})).await;
    let page = vault.walk(&vault.server.browser(), &link, "ada@example.com", &[]).await;
    let code = page.answer()["connect_code"].clone();
    assert!(vault.connections_of("mallory").await.is_empty(), "nothing is connected by the visit");

    // Nobody but the application can complete it.
    let url = vault.server.url("/connect/complete");
    let body = json!({"connect_code": code, "subject": "mallory"});
    let page = vault.server.request(client().post(&url).json(&body)).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (401, Some("missing_token")));
    let tokens_only = vault.key_with(&["--action", "token"]);
    let page = vault.server.request(client().post(&url).bearer_auth(tokens_only).json(&body)).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));
    let of_others = vault.key_with(&["--action", "connect", "--subject", "user-42"]);
    let page = vault.server.request(client().post(&url).bearer_auth(of_others).json(&body)).await;
    assert_eq!((page.status, page.json()["error"].as_str()), (403, Some("access_denied")));

    // Her browser brings the code to the application, which says who is signed in there: Ada.
    let said = "The connect_code is of a link that was made for another subject. Nothing was \
                connected. Make a link for the person who is signed in.";
    assert_error(&vault.complete_for("ada", &code).await, 400, "invalid_grant", said);
    let gone = "The connect_code is unknown, expired or already used. Make another link with POST /connect/sessions, and send the person there.";
    assert_error(&vault.complete_for("mallory", &code).await, 400, "invalid_grant", gone);
    for subject in ["ada", "mallory"] {
        assert!(vault.connections_of(subject).await.is_empty(), "{subject}");
    }
    let noted = "SELECT actor LIKE 'api_key:%', json_extract(details, '$.reason') FROM audit_event \
                 WHERE action = 'connect.failed'";
    assert_eq!(vault.server.sql(noted), "1|other_person");
}
