//! Signing in with an admin token that came by mail.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::{Browser, Page, Request, Server, Smtp, Tokens};

/// From the address to the page for the token.
async fn ask(browser: &Browser, email: &str) -> Page {
    let page = browser.open("/login?method=admin_token").await;
    browser.send_form(&page.form_with("email").with("email", email)).await
}

#[tokio::test]
async fn a_mailed_token_signs_in_once() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let browser = server.browser();
    let page = ask(&browser, "ada@example.com").await;
    page.must_say("Type your token");
    page.must_say("a•••@example.com");
    let token = smtp.mails(1).await[0].token();
    server.seen.add(&token);

    // Lower case, spaces or no dash are fine.
    let typed = format!(" {} {}", token[..4].to_lowercase(), &token[5..]);
    let form = page.form_with("token");
    let account = browser.send_form(&form.clone().with("token", &typed)).await;
    account.must_say("Your account");
    account.must_say("ada@example.com");

    let thief = server.browser();
    let again = thief.send_form(&form.clone().with("token", &token)).await;
    assert!((400..500).contains(&again.status), "{again:?}");
    let again = browser.submit(&form.with("token", &token)).await;
    assert_eq!(again.status, 400);
    again.must_say("That token has expired or was already used.");
}

#[tokio::test]
async fn the_token_is_bound_to_the_browser_that_asked() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let (ada, eve) = (server.browser(), server.browser());
    let form = ask(&ada, "ada@example.com").await.form_with("token");
    let token = smtp.mails(1).await[0].token();

    // Eve knows the token and the attempt, and has a form of her own.
    let hers = eve.open("/login").await;
    let csrf = hers.form_with("email").value("csrf").expect("a token").to_owned();
    let stolen = form.clone().with("csrf", &csrf).with("token", &token);
    let page = eve.submit(&stolen).await;
    assert_eq!((page.status, page.location()), (400, None), "{page:?}");
    assert_eq!(eve.cookie("grantor_session"), None);
    ada.send_form(&form.with("token", &token)).await.must_say("Your account");
}

#[tokio::test]
async fn five_wrong_tokens_end_the_attempt() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let browser = server.browser();
    let mut page = ask(&browser, "ada@example.com").await;
    let token = smtp.mails(1).await[0].token();
    let wrong = if token == "2222-2222" { "3333-3333" } else { "2222-2222" };
    for left in ["Four tries left", "Three tries left", "Two tries left", "One try left"] {
        page = browser.submit(&page.form_with("token").with("token", wrong)).await;
        assert_eq!(page.status, 400);
        page.must_say("That token is not right.");
        page.must_say(left);
    }
    page = browser.submit(&page.form_with("token").with("token", wrong)).await;
    page.must_say("It cannot be tried again.");
    let late = browser.submit(&page.form_with("token").with("token", &token)).await;
    assert_eq!((late.status, late.location()), (400, None), "the right one is too late");
    assert_eq!(browser.cookie("grantor_session"), None);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let smtp = Smtp::start();
    let setup = Server::setup().mailing(&smtp).set("sign_in.admin_token.lifetime", "3s");
    let server = setup.start().await;
    let browser = server.browser();
    let page = ask(&browser, "ada@example.com").await;
    let token = smtp.mails(1).await[0].token();
    sleep(Duration::from_millis(4100)).await;
    let page = browser.submit(&page.form_with("token").with("token", &token)).await;
    assert_eq!(page.status, 400);
    page.must_say("That token has expired or was already used.");
}

#[tokio::test]
async fn a_new_token_replaces_the_one_before() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let browser = server.browser();
    let first = ask(&browser, "ada@example.com").await;
    let old = smtp.mails(1).await[0].token();
    let second = browser.send_form(&first.form_with("resend")).await;
    second.must_say("A new token was sent.");
    let new = smtp.mails(2).await[1].token();
    assert_ne!(old, new);
    let page = browser.submit(&first.form_with("token").with("token", &old)).await;
    assert_eq!(page.status, 400, "the one before no longer works");
    browser
        .send_form(&second.form_with("token").with("token", &new))
        .await
        .must_say("Your account");
}

#[tokio::test]
async fn tokens_are_sent_at_most_each_minute_and_five_an_hour() {
    let smtp = Smtp::start();
    let setup = Server::setup().mailing(&smtp);
    let setup = setup.set("sign_in.admin_token.pause", "60s");
    let server = setup.set("sign_in.admin_token.per_hour", 5).start().await;
    let browser = server.browser();
    ask(&browser, "ada@example.com").await.must_say("Type your token");
    let page = ask(&browser, "ada@example.com").await;
    assert_eq!(page.status, 429);
    page.must_say("Too many tokens were asked for.");
    // Another browser, the same address.
    assert_eq!(ask(&server.browser(), "ADA@example.com").await.status, 429);
    assert_eq!(ask(&server.browser(), "bob@example.com").await.status, 200);
    smtp.mails(2).await;

    let setup = Server::setup().mailing(&smtp).set("sign_in.admin_token.per_hour", 5);
    let server = setup.start().await;
    for _ in 0..5 {
        assert_eq!(ask(&server.browser(), "eve@example.com").await.status, 200);
    }
    assert_eq!(ask(&server.browser(), "eve@example.com").await.status, 429);
}

#[tokio::test]
async fn nobody_learns_who_may_sign_in() {
    let smtp = Smtp::start();
    let setup = Server::setup().mailing(&smtp).set("sign_in.sign_up", false);
    // Pages tell whole minutes; this far from the next one they say the same.
    let setup = setup.set("sign_in.admin_token.lifetime", "630s");
    let server = setup.start().await;
    server.cli().ok(&["user", "add", "--email", "ada@example.com"]);
    let browser = server.browser();
    let known = ask(&browser, "ada@example.com").await;
    smtp.mails(1).await;

    for stranger in ["abc@example.com", "ada@elsewhere.example"] {
        let page = ask(&browser, stranger).await;
        assert_eq!(page.status, known.status);
        let plain = |page: &Page, email: &str| {
            let host = email.split_once('@').expect("an address").1;
            let attempt = page.form_with("token").value("attempt").expect("an attempt").to_owned();
            page.body.replace(email, "E").replace(host, "H").replace(&attempt, "A")
        };
        assert_eq!(plain(&page, stranger), plain(&known, "ada@example.com"));
        // A guess is counted for a stranger, too.
        let page = browser.submit(&page.form_with("token").with("token", "2222-2222")).await;
        page.must_say("Four tries left");
    }
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(smtp.all().len(), 1, "no mail went to a stranger");
}

#[tokio::test]
async fn asking_takes_as_long_for_strangers() {
    let smtp = Smtp::start();
    let setup = Server::setup().mailing(&smtp).set("sign_in.sign_up", false);
    let server = setup.start().await;
    server.cli().ok(&["user", "add", "--email", "ada@example.com"]);
    let browser = server.browser();
    let form = browser.open("/login").await.form_with("email");
    let (mut known, mut strange) = (Vec::new(), Vec::new());
    for round in 0..40 {
        for (email, times) in [
            ("ada@example.com".to_owned(), &mut known),
            (format!("s{round}@example.com"), &mut strange),
        ] {
            let began = Instant::now();
            browser.submit(&form.clone().with("email", &email)).await;
            times.push(began.elapsed());
        }
    }
    for times in [&mut known, &mut strange] {
        times.sort();
    }
    let (known, strange) = (known[20], strange[20]);
    let apart = known.abs_diff(strange);
    assert!(apart < known.max(strange) / 2, "medians {known:?} and {strange:?}");
}

#[tokio::test]
async fn what_is_no_address_is_said() {
    let server = Server::start().await;
    let browser = server.browser();
    for typed in ["", "ada", "ada@", "a b@example.com", "ada@example.com\r\nBcc: eve@example.com"] {
        let page = ask(&browser, typed).await;
        assert_eq!(page.status, 400, "{typed:?}");
        page.must_say("That is not an e-mail address.");
        assert!(page.body.contains("aria-invalid=\"true\""));
    }
}

#[tokio::test]
async fn a_static_token_counts_tries_as_well() {
    let server = Server::start().await;
    let browser = server.browser();
    let page = ask(&browser, "ada@example.com").await;
    page.must_say("Type the admin token you were given.");
    let wrong = browser.submit(&page.form_with("token").with("token", "admin")).await;
    assert_eq!(wrong.status, 400);
    wrong.must_say("Four tries left");
    // Of an address that may not sign in, the right one does not work.
    let page = ask(&browser, "ada@elsewhere.example").await;
    let token = crate::support::STATIC_TOKEN;
    let page = browser.submit(&page.form_with("token").with("token", token)).await;
    assert_eq!(page.status, 400, "{page:?}");
}

#[tokio::test]
async fn signing_in_gives_a_new_session_each_time() {
    let server = Server::start().await;
    let browser = server.browser();
    browser.set_cookie("grantor_session", "grt_se_planted");
    server.sign_in(&browser, "ada").await;
    let first = browser.cookie("grantor_session").expect("a session");
    assert!(first.starts_with("grt_se_") && first != "grt_se_planted");
    let page = browser.open("/login?method=admin_token").await;
    server.type_token(&browser, &page, "ada").await;
    let second = browser.cookie("grantor_session").expect("a session");
    assert_ne!(first, second);
    // The old one is over.
    let old = server.browser();
    old.set_cookie("grantor_session", &first);
    assert_eq!(old.get("/account").await.location().as_deref(), Some("/login"));
}

#[tokio::test]
async fn cookies_are_kept_from_scripts_and_other_sites() {
    let server = Server::start().await;
    let browser = server.browser();
    let page = ask(&browser, "ada@example.com").await;
    let token = crate::support::STATIC_TOKEN;
    let page = browser.submit(&page.form_with("token").with("token", token)).await;
    let cookie = page.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    assert!(cookie.contains("Path=/") && cookie.contains("Max-Age="), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn the_account_is_made_at_first_sign_in_with_a_verified_address() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let request = Request::of(&app);
    let page = browser.open(&request.url(&server)).await;
    let page = browser.send_form(&page.form_with("email").with("email", "Ada@Example.com")).await;
    let token = smtp.mails(1).await[0].token();
    let page = browser.send_form(&page.form_with("token").with("token", &token)).await;
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    let claims = tokens.id_token().1;
    assert_eq!(claims["amr"], serde_json::json!(["otp"]), "RFC 8176 §2");
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(
        (&userinfo["email"], &userinfo["email_verified"]),
        (&"ada@example.com".into(), &true.into())
    );
}
