//! Allow and Deny: whose form it is, and which of two answers counts.

use crate::support::Server;
use crate::support::device::{decide, link};

#[tokio::test]
async fn of_two_answers_one_counts() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    for _ in 0..5 {
        let device = server.device(&app).await;
        let (ada, bob) = (server.browser(), server.browser());
        server.sign_in(&ada, "ada").await;
        server.sign_in(&bob, "bob").await;
        let (hers, his) = (ada.open(&link(&device)).await, bob.open(&link(&device)).await);
        let (hers, his) = tokio::join!(decide(&ada, &hers, "allow"), decide(&bob, &his, "deny"));
        let won = [&hers, &his].into_iter().filter(|page| page.status == 200).count();
        assert_eq!(won, 1, "{hers:?} {his:?}");
        let lost = if hers.status == 200 { &his } else { &hers };
        assert_eq!(lost.status, 400);
        lost.must_say("This link no longer works");
        let polled = server.poll(&app, &device).await.status;
        assert_eq!(polled, if hers.status == 200 { 200 } else { 400 });
    }
}

#[tokio::test]
async fn a_form_is_good_for_one_person_and_one_code() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let (first, second) = (server.device(&app).await, server.device(&app).await);
    let (ada, eve) = (server.browser(), server.browser());
    server.sign_in(&ada, "ada").await;
    server.sign_in(&eve, "eve").await;
    let mine = ada.open(&link(&first)).await.form("/device").with("decision", "allow");
    let hers = eve.open(&link(&second)).await.form("/device").with("decision", "allow");
    let code = hers.value("user_code").expect("a code").to_owned();

    for (browser, form) in [
        // The form of one code with another.
        (&ada, mine.clone().with("user_code", &code)),
        // The form of another person.
        (&ada, hers.clone()),
        (&eve, mine.clone()),
        (&ada, mine.clone().without("csrf")),
        (&ada, mine.clone().with("csrf", "AAAA")),
    ] {
        let page = browser.submit(&form).await;
        assert_eq!(page.status, 400, "{page:?}");
        page.must_say("This form no longer works");
    }
    // Somebody who is not signed in any more.
    let page = server.browser().submit(&mine).await;
    assert!(page.location().is_some_and(|own| own.starts_with("/login?then=")), "{page:?}");
    for device in [&first, &second] {
        assert_eq!(server.poll(&app, device).await.json()["error"], "authorization_pending");
    }
    decide(&ada, &ada.open(&link(&first)).await, "allow").await.must_say("connected");
}

#[tokio::test]
async fn the_code_form_is_protected_too() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let device = server.device(&app).await;
    let browser = server.browser();
    let form = browser.open("/device").await.form("/device");
    let form = form.with("user_code", &device.user_code);
    let page = browser.submit(&form.clone().without("csrf")).await;
    page.must_say("This form no longer works");
    let page = server.browser().submit(&form).await;
    page.must_say("This form no longer works");
}

#[tokio::test]
async fn a_client_that_is_gone_gets_nothing() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let device = server.device(&app).await;
    server.sql("DELETE FROM oauth2_client");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let page = server.browser().open(&link(&device)).await;
    page.must_say("No device waits for this code.");
}
