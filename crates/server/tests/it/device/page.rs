//! Typing the code and signing in.

use crate::support::device::{decide, link};
use crate::support::{STATIC_TOKEN, Server};

#[tokio::test]
async fn from_the_code_to_the_answer_with_every_page_between() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let device = server.device(&app).await;
    let browser = server.browser();
    let page = browser.open("/device").await;
    page.must_say("Type the code that your device shows.");
    // Lower case and spaces are fine.
    let typed = device.user_code.to_lowercase().replace('-', " ");
    let page = browser.send_form(&page.form("/device").with("user_code", &typed)).await;
    // Nobody is signed in: the sign-in page comes first, and leads back.
    page.must_say("Sign in");
    let page = browser.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let page = browser.send_form(&page.form_with("token").with("token", STATIC_TOKEN)).await;
    page.must_say("tv on a device asks for access");
    page.must_say(&device.user_code);
    page.must_say("Read your data");
    page.must_say("ada@example.com");
    assert_eq!(server.poll(&app, &device).await.json()["error"], "authorization_pending");
    let page = decide(&browser, &page, "allow").await;
    page.must_say("You can go back to your device.");
    assert_eq!(server.poll(&app, &device).await.status, 200);

    // The consent is remembered, and can be withdrawn.
    browser.open("/account").await.must_say("Withdraw the access of tv");
    let again = server.device(&app).await;
    let page = browser.open(&link(&again)).await;
    page.must_say("You already allowed it to");
    page.must_say(&again.user_code);
}

#[tokio::test]
async fn a_link_with_the_code_still_asks() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let device = server.device(&app).await;
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    let page = browser.open(&link(&device)).await;
    page.must_say("Your device has to show this code:");
    page.must_say(&device.user_code);
    page.must_say("If somebody sent you the code or this link, deny it.");
    assert_eq!(server.poll(&app, &device).await.json()["error"], "authorization_pending");
}

#[tokio::test]
async fn with_a_password_one_comes_back_as_well() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    server.person("ada", "correct horse battery");
    let device = server.device(&app).await;
    let browser = server.browser();
    let page = browser.open(&link(&device)).await;
    let page = browser
        .open(&crate::support::html::unescape(
            page.body
                .split("href=\"")
                .find(|own| own.contains("method=password"))
                .expect("a link")
                .split('"')
                .next()
                .expect("its end"),
        ))
        .await;
    let form = page.form_with("password").with("username", "ada").with("password", "wrong");
    let page = browser.send_form(&form).await;
    page.must_say("The name or the password is not right.");
    let form = page.form_with("password").with("password", "correct horse battery");
    browser.send_form(&form).await.must_say(&device.user_code);
}

#[tokio::test]
async fn wrong_expired_and_answered_codes_look_the_same() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let (expired, answered) = (server.device(&app).await, server.device(&app).await);
    server.answer_device("ada", &answered, "allow").await;
    let letters = expired.user_code.replace('-', "");
    server.sql(&format!(
        "UPDATE device_authorization SET expires_at = 1 WHERE user_code = '{letters}'"
    ));
    let browser = server.browser();
    let form = browser.open("/device").await.form("/device");
    let mut pages = Vec::new();
    for typed in [&expired.user_code, &answered.user_code, "BBBB-BBBB", "ABCD-EFGH"] {
        let page = browser.submit(&form.clone().with("user_code", typed)).await;
        assert_eq!(page.status, 400, "{page:?}");
        page.must_say("No device waits for this code.");
        pages.push(page.body.replace(typed, ""));
        let linked = browser.get(&format!("/device?user_code={typed}")).await;
        assert_eq!((linked.status, linked.body.replace(typed, "")), (400, pages[0].clone()));
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    let page = browser.submit(&form.clone().with("user_code", "")).await;
    page.must_say("No device waits for this code.");
}

#[tokio::test]
async fn searching_for_a_code_is_stopped() {
    let setup = Server::setup().set("limits.user_codes", 5);
    let (server, app) = setup.start_with_device(&[]).await;
    let device = server.device(&app).await;
    let browser = server.browser();
    let form = browser.open("/device").await.form("/device");
    for n in 0..5 {
        let guess = if n % 2 == 0 { "BBBB-BBBB" } else { "rubbish" };
        assert_eq!(browser.submit(&form.clone().with("user_code", guess)).await.status, 400);
    }
    let right = form.with("user_code", &device.user_code);
    for page in [browser.submit(&right).await, browser.get(&link(&device)).await] {
        assert_eq!(page.status, 429);
        page.must_say("Too many requests");
        assert!(page.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn the_sign_in_page_leads_nowhere_else() {
    let server = Server::start().await;
    for then in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/device?user_code=WDJB-MJHT&next=https://evil.example",
        "/device/../account",
        "/logout",
        "javascript:alert(1)",
        "",
    ] {
        let encoded: String = form_urlencoded::byte_serialize(then.as_bytes()).collect();
        let browser = server.browser();
        let page = browser.open(&format!("/login?then={encoded}")).await;
        assert!(!page.body.contains("evil") && !page.body.contains("name=\"then\""), "{then}");
        let form = page.form_with("email").with("email", "ada@example.com").with("then", then);
        let page = browser.send_form(&form).await;
        let form = page.form_with("token").with("token", STATIC_TOKEN).with("then", then);
        let page = browser.submit(&form).await;
        assert_eq!(page.location().as_deref(), Some("/account"), "{then}");
    }
}

#[tokio::test]
async fn another_person_can_take_over() {
    let (server, app) = Server::setup().start_with_device(&[]).await;
    let device = server.device(&app).await;
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    let page = browser.open(&link(&device)).await;
    page.must_say("ada@example.com");
    let not_you = page.body.split("<a href=\"").find(|own| own.contains("Not you?"));
    let not_you = not_you.and_then(|own| own.split('"').next()).expect("a link");
    let page = browser.open(&crate::support::html::unescape(not_you)).await;
    let page = server.type_token(&browser, &page, "bob").await;
    page.must_say("bob@example.com");
    decide(&browser, &page, "allow").await.must_say("Your device is connected");
    let tokens = crate::support::Tokens::of(&server.poll(&app, &device).await);
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(userinfo["email"], "bob@example.com");
}

#[tokio::test]
async fn the_clients_own_methods_and_ages_hold_for_devices() {
    let options = ["--sign-in-method", "password", "--session-lifetime", "1h"];
    let (server, app) = Server::setup().start_with_device(&options).await;
    server.person("ada", "correct horse battery");
    let device = server.device(&app).await;
    let browser = server.browser();
    server.sign_in(&browser, "ada").await;
    // Signed in by a method that the client does not take.
    let page = browser.open(&link(&device)).await;
    let form = page.form_with("password").with("username", "ada");
    let page = browser.send_form(&form.with("password", "correct horse battery")).await;
    page.must_say(&device.user_code);
    // Signed in too long ago.
    server.sql("UPDATE session SET auth_time = auth_time - 3700");
    let page = decide(&browser, &page, "allow").await;
    page.form_with("password");
    assert_eq!(server.poll(&app, &device).await.json()["error"], "authorization_pending");
}
