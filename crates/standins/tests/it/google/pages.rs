//! The pages as a browser without a script sees them.

use super::support::{ADA, CALENDAR, DRIVE, Google, ID, read};

#[tokio::test]
async fn pages_say_what_they_are_and_run_nothing() {
    let google = Google::start().await;
    let scope = format!("openid email {CALENDAR} {DRIVE}");
    let accounts = google.ask(&[("scope", &scope)]).await.location();
    let page = google.browse(google.get(&accounts)).await;
    let (path, request) = accounts.split_once("?request=").expect("a request");
    let form = [("request", request), ("account", ADA)];
    let consent = google.browse(google.post(path).form(&form)).await.location();
    let second = google.browse(google.get(&consent)).await;
    let connections = read(google.get("/connections")).await;
    let problem = google.ask(&[("client_id", "nobody")]).await;
    for page in [&page, &second, &connections, &problem] {
        assert!(page.text.contains("Stand-in for Google"), "{}", page.text);
        assert!(!page.text.contains("<script") && !page.text.contains("style="), "{}", page.text);
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(page.header("cache-control"), "no-store");
    }
    // A box for each scope but those that say who somebody is, and a label around it.
    assert_eq!(second.text.matches("type=\"checkbox\"").count(), 2, "{}", second.text);
    assert_eq!(second.text.matches("<label><input type=\"checkbox\"").count(), 2);
    assert!(second.text.contains("See and download all your calendars"));
}

#[tokio::test]
async fn a_consent_page_belongs_to_the_browser_that_signed_in() {
    let google = Google::start().await;
    let accounts = google.ask(&[]).await.location();
    let (path, request) = accounts.split_once("?request=").expect("a request");
    let form = [("request", request), ("account", ADA)];
    let consent = google.browse(google.post(path).form(&form)).await.location();
    google.forget_browser();
    let page = google.browse(google.get(&consent)).await;
    assert_eq!(page.status, 400);
    let form = [("request", request), ("decision", "allow")];
    let page = google.browse(google.post("/signin/oauth/consent").form(&form)).await;
    assert!(page.status == 400 && page.text.contains("Start again"), "{page:?}");
}

#[tokio::test]
async fn access_is_removed_and_the_clock_moved_on_the_page_of_connections() {
    let google = Google::start().await;
    let tokens = google.connect(&[("scope", CALENDAR)]).await;
    let page =
        read(google.get("/connections")).await.text.replace("&#x2f;", "/").replace("<wbr>", "");
    assert!(page.contains(CALENDAR) && page.contains("1 live refresh token<"), "{page}");
    let from = "sec-fetch-site";
    let move_clock = [("do", "advance"), ("seconds", "3600")];
    let request = google.post("/connections").form(&move_clock);
    assert_eq!(read(request.header(from, "cross-site")).await.status, 403);
    let request = google.post("/connections").form(&move_clock);
    assert_eq!(read(request.header(from, "same-origin")).await.status, 303);
    let page = read(google.get("/connections")).await.text;
    assert!(page.contains("1 hour ahead"), "{page}");
    let sub = google.call("/v1/userinfo", &tokens["access_token"]).await;
    assert_eq!(sub.status, 401, "the access token is over");
    let sub =
        page.split("name=\"account\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let revoke = [("do", "revoke"), ("account", sub.expect("an account")), ("project", "project")];
    read(google.post("/connections").form(&revoke)).await;
    assert_eq!(google.refresh(&tokens["refresh_token"]).await.status, 400);
    let counts = google.counts().await;
    assert!(counts["endpoints"]["token"]["calls"].as_u64() >= Some(2), "{ID} {counts}");
}
