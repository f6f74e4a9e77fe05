//! `/account`: what has access, and where one is signed in.

use crate::support::{Request, Server, assert_error};

#[tokio::test]
async fn withdrawing_a_consent_ends_the_access_at_once() {
    let server = Server::start().await;
    let (notes, shop) = (server.app("notes"), server.app("shop"));
    let browser = server.browser();
    let lost = server.tokens_for(&notes, "ada", &browser, &Request::of(&notes)).await;
    let kept = server.tokens_for(&shop, "ada", &browser, &Request::of(&shop)).await;
    let waiting = Request::of(&notes);
    let code = server.code(&browser, "ada", &waiting).await;

    let page = browser.open("/account").await;
    page.must_say("notes");
    page.must_say("shop");
    let ask = page.form_with("client_id");
    assert_eq!(ask.value("client_id"), Some("notes"), "the first one");
    let confirm = browser.send_form(&ask).await;
    confirm.must_say("Withdraw access?");
    assert_eq!(server.bearer("/protected", &lost.access).await.status, 200, "only asked so far");
    let page = browser.send_form(&confirm.form("/account/consents/withdraw")).await;
    page.must_say("The application no longer has access.");

    let gone = server.bearer("/protected", &lost.access).await;
    assert_error(&gone, 401, "invalid_token", "The access token is unknown, expired or revoked.");
    assert_eq!(server.refresh(&notes, &lost.refresh).await.status, 400);
    assert_eq!(server.redeem(&notes, &waiting, &code).await.status, 400, "a code on its way");
    assert_eq!(server.bearer("/protected", &kept.access).await.status, 200);
    browser.open(&Request::of(&notes).url(&server)).await.must_say("notes asks for access");
}

#[tokio::test]
async fn another_session_can_be_ended_and_all_others_at_once() {
    let server = Server::start().await;
    let (here, phone, laptop) = (server.browser(), server.browser(), server.browser());
    for browser in [&here, &phone, &laptop] {
        server.sign_in(browser, "ada").await;
    }
    let page = here.open("/account").await;
    page.must_say("This browser");
    let confirm = here.send_form(&page.form_with("session")).await;
    confirm.must_say("End this session?");
    let page = here.send_form(&confirm.form("/account/sessions/end")).await;
    page.must_say("Those sessions are signed out.");
    let mut out = 0;
    for browser in [&phone, &laptop] {
        out += usize::from(browser.get("/account").await.status == 303);
    }
    assert_eq!(out, 1, "one of them");

    let others = here.get("/account/sessions/end?session=others").await;
    others.must_say("Sign out everywhere else?");
    here.send_form(&others.form("/account/sessions/end")).await;
    for browser in [&phone, &laptop] {
        assert_eq!(browser.get("/account").await.location().as_deref(), Some("/login"));
    }
    here.open("/account").await.must_say("Your account");
}

#[tokio::test]
async fn nobody_ends_the_sessions_of_somebody_else() {
    let server = Server::start().await;
    let (ada, second, eve) = (server.browser(), server.browser(), server.browser());
    server.sign_in(&ada, "ada").await;
    server.sign_in(&second, "ada").await;
    server.sign_in(&eve, "eve").await;
    let page = ada.open("/account").await;
    let id = page.form_with("session").value("session").expect("an id").to_owned();

    assert_eq!(eve.get(&format!("/account/sessions/end?session={id}")).await.status, 400);
    let hers = eve.get("/account/sessions/end?session=others").await;
    let form = hers.form("/account/sessions/end").with("session", &id);
    eve.submit(&form).await;
    second.open("/account").await.must_say("Your account");
    ada.open("/account").await.must_say("Your account");

    // A form of another person, or of nobody.
    let ask = ada.get(&format!("/account/sessions/end?session={id}")).await;
    let form = ask.form("/account/sessions/end");
    let page = eve.submit(&form).await;
    assert_eq!((page.status, page.location()), (400, None), "{page:?}");
    let page = ada.submit(&form.clone().without("csrf")).await;
    assert_eq!((page.status, page.location()), (400, None), "{page:?}");
    second.open("/account").await.must_say("Your account");
}

#[tokio::test]
async fn sessions_end_when_they_are_not_used_and_in_the_end_anyway() {
    let setup = Server::setup().set("lifetimes.session_idle", "5s");
    let server = setup.set("lifetimes.session_absolute", "8s").start().await;
    let (used, idle) = (server.browser(), server.browser());
    server.sign_in(&used, "ada").await;
    server.sign_in(&idle, "bob").await;
    let mut lived = 0;
    for _ in 0..12 {
        tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
        lived += usize::from(used.get("/account").await.status == 200);
    }
    // Longer than without being used, though how long a second takes depends on the machine.
    assert!((5..=9).contains(&lived), "it lived {lived} of 12 seconds");
    assert_eq!(idle.get("/account").await.location().as_deref(), Some("/login"));
}

#[tokio::test]
async fn without_a_session_there_is_no_account() {
    let server = Server::start().await;
    for path in [
        "/account",
        "/account/sessions/end?session=others",
        "/account/consents/withdraw?client_id=x",
    ] {
        assert_eq!(
            server.browser().get(path).await.location().as_deref(),
            Some("/login"),
            "{path}"
        );
    }
    let browser = server.browser();
    browser.set_cookie("grantor_session", &format!("grt_se_{}", "A".repeat(64)));
    assert_eq!(browser.get("/account").await.location().as_deref(), Some("/login"));
}
