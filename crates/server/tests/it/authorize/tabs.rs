//! Several flows in one browser, and forms that come from somewhere else.

use crate::support::{Page, Request, STATIC_TOKEN, Server};

#[tokio::test]
async fn several_tabs_finish_in_any_order() {
    let server = Server::start().await;
    let (notes, shop) = (server.app("notes"), server.app("shop"));
    let browser = server.browser();
    let (one, two) = (Request::of(&notes), Request::of(&shop));
    let three = Request::of(&notes).with("scope", "openid");

    let first = browser.open(&one.url(&server)).await;
    let second = browser.open(&two.url(&server)).await;
    let third = browser.open(&three.url(&server)).await;
    first.must_say("to continue to notes");
    second.must_say("to continue to shop");

    // The person signs in in the second tab; the others go on from there.
    let consent = server.type_token(&browser, &second, "ada").await;
    let answer = browser.submit(&consent.form("/consent").with("decision", "allow")).await;
    assert_eq!(answer.answer()["state"], two.value("state"));
    let consent = browser.open(&first.url).await;
    consent.must_say("notes asks for access");
    let answer = browser.submit(&consent.form("/consent").with("decision", "allow")).await;
    assert_eq!(answer.answer()["state"], one.value("state"));
    let answer = browser.open(&third.url).await;
    assert_eq!(answer.answer()["state"], three.value("state"));

    for (app, request, page) in [(&notes, &three, answer)] {
        assert_eq!(server.redeem(app, request, &page.answer()["code"]).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_asked_for_in_a_second_tab_replaces_the_first_and_both_go_on() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let (one, two) = (Request::of(&app), Request::of(&app));
    let first = browser.open(&one.url(&server)).await;
    let second = browser.open(&two.url(&server)).await;
    let ask = |page: &Page| page.form_with("email").with("email", "ada@example.com");
    let first = browser.send_form(&ask(&first)).await;
    let second = browser.send_form(&ask(&second)).await;
    let typed = |page: &Page| page.form_with("token").with("token", STATIC_TOKEN);
    browser.send_form(&typed(&first)).await.must_say("Send a new token below.");

    let page = browser.send_form(&typed(&second)).await;
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert_eq!(page.answer()["state"], two.value("state"));
    // The first tab finds the person signed in.
    let request = first.form_with("token").value("request").expect("a request").to_owned();
    let page = browser.open(&format!("/login?request={request}")).await;
    assert_eq!(page.answer()["state"], one.value("state"));
}

#[tokio::test]
async fn a_consent_form_of_a_foreign_tab_is_refused() {
    let server = Server::start().await;
    let (notes, shop) = (server.app("notes"), server.app("shop"));
    let browser = server.browser();
    let page = browser.open(&Request::of(&notes).url(&server)).await;
    let consent = server.type_token(&browser, &page, "ada").await;
    let other = browser.open(&Request::of(&shop).url(&server)).await;
    other.must_say("shop asks for access");

    // The form of one tab, with the request of the other.
    let (own, foreign) = (consent.form("/consent"), other.form("/consent"));
    let request = foreign.value("request").expect("a request");
    let mixed = own.clone().with("request", request).with("decision", "allow");
    let page = browser.submit(&mixed).await;
    assert_eq!((page.status, page.location()), (400, None), "{page:?}");
    page.must_say("This form no longer works");
    page.must_say("Nothing was changed.");
    assert_eq!(server.sql("SELECT count(*) FROM consent"), "0");
    // Both tabs still work.
    assert_eq!(browser.submit(&own.with("decision", "allow")).await.status, 303);
    assert_eq!(browser.submit(&foreign.with("decision", "allow")).await.status, 303);
}

#[tokio::test]
async fn a_request_of_another_browser_cannot_be_picked_up() {
    let server = Server::start().await;
    let app = server.app("notes");
    let (ada, eve) = (server.browser(), server.browser());
    let page = ada.open(&Request::of(&app).url(&server)).await;
    server.sign_in(&eve, "eve").await;

    // Eve opens the link of Ada's sign-in page.
    let stolen = eve.open(&page.url).await;
    assert_eq!((stolen.status, stolen.location()), (400, None), "{stolen:?}");
    let consent = page.url.replace("/login?", "/consent?");
    assert_eq!(eve.open(&consent).await.status, 400);
    // Ada goes on undisturbed.
    server.type_token(&ada, &page, "ada").await.must_say("asks for access");
}

#[tokio::test]
async fn an_answered_request_is_spent() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).url(&server)).await;
    let consent = server.type_token(&browser, &page, "ada").await;
    let form = consent.form("/consent").with("decision", "allow");
    assert!(browser.submit(&form).await.answer().contains_key("code"));

    let again = browser.submit(&form).await;
    assert_eq!((again.status, again.location()), (400, None), "{again:?}");
    again.must_say("This link no longer works");
    for path in [page.url.as_str(), consent.url.as_str(), "/login?request=nonsense", "/consent"] {
        let page = browser.open(path).await;
        assert!((400..500).contains(&page.status), "{path}: {}", page.status);
    }
}

#[tokio::test]
async fn forms_from_other_sites_are_refused() {
    let server = Server::start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).url(&server)).await;
    let consent = server.type_token(&browser, &page, "ada").await;
    let form = consent.form("/consent").with("decision", "allow");

    for forged in [form.clone().without("csrf"), form.clone().with("csrf", "x")] {
        let page = browser.post_from("https://evil.example", "/consent", &forged.fields).await;
        assert!((400..500).contains(&page.status), "{page:?}");
        assert_eq!(page.location(), None);
    }
    // The token of another browser does not fit.
    let eve = server.browser();
    let hers = eve.open(&Request::of(&app).url(&server)).await;
    let hers = server.type_token(&eve, &hers, "eve").await.form("/consent");
    let csrf = hers.value("csrf").expect("a token");
    let page = browser.submit(&form.clone().with("csrf", csrf)).await;
    assert!((400..500).contains(&page.status) && page.location().is_none(), "{page:?}");
    assert_eq!(browser.submit(&form).await.status, 303, "the real one still works");
}
