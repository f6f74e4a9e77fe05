//! Mail: what is sent, and what happens when it cannot be.

use std::time::{Duration, Instant};

use crate::support::{Browser, Page, Request, Server, Smtp};

async fn ask(server: &Server, browser: &Browser, email: &str) -> Page {
    let page = browser.open(&server.url("/login")).await;
    browser.send_form(&page.form_with("email").with("email", email)).await
}

#[tokio::test]
async fn it_says_which_application_when_and_from_where_in_text_and_html() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let app = server.app_with("notes", &[]);
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).url(&server)).await;
    browser.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let mails = smtp.mails(1).await;
    let mail = &mails[0];
    assert_eq!(mail.to, ["ada@example.com"]);
    assert_eq!(mail.header("to").as_deref(), Some("ada@example.com"));
    assert_eq!(mail.header("from").as_deref(), Some("Grantor <no-reply@id.example>"));
    assert!(mail.header("subject").is_some_and(|own| own.contains("notes")), "{}", mail.raw);
    assert!(mail.header("subject").is_some_and(|own| !own.contains(&mail.token())));
    assert!(
        mail.header("content-type").is_some_and(|own| own.starts_with("multipart/alternative"))
    );
    for part in ["text/plain", "text/html"] {
        assert!(mail.raw.contains(part), "{part}: {}", mail.raw);
    }
    for header in ["date", "message-id", "auto-submitted"] {
        assert!(mail.header(header).is_some(), "{header}: {}", mail.raw);
    }
    let body = mail.raw.replace("=\n", "");
    for text in ["notes", "127.0.0.1", "10 minutes", "works once", "UTC", &server.issuer] {
        assert!(body.contains(text), "{text}: {body}");
    }
}

#[tokio::test]
async fn hostile_names_and_addresses_stay_text() {
    let smtp = Smtp::start();
    let server = Server::setup().mailing(&smtp).start().await;
    let name = "Notes Bcc: eve@evil.example <a href=x>&\u{1f600} =?utf-8?q?x?= ".repeat(3);
    let arguments = [
        "client",
        "add",
        "hostile",
        "--name",
        &name,
        "--redirect-uri",
        "https://h.example/cb",
        "--scope",
        "read",
    ];
    server.cli().json(&arguments);
    let app = crate::support::App {
        id: "hostile".to_owned(),
        secret: None,
        redirect_uri: "https://h.example/cb".to_owned(),
    };
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).with("scope", "read").url(&server)).await;
    let form = page.form_with("email").with("email", "o'brien+x=y@example.com");
    browser.send_form(&form).await;
    let mails = smtp.mails(1).await;
    assert_eq!(mails[0].to, ["o'brien+x=y@example.com"], "nobody else");
    assert_eq!(mails[0].header("bcc"), None);
    assert_eq!(mails[0].header("cc"), None);
    assert!(!mails[0].raw.contains("<a href=x>"), "{}", mails[0].raw);
    mails[0].token();
}

#[tokio::test]
async fn a_server_that_is_down_does_not_hold_anybody_up() {
    let mut smtp = Smtp::down(&[]);
    let began = Instant::now();
    let server = Server::setup().mailing(&smtp).start().await;
    assert!(began.elapsed() < Duration::from_secs(5), "the start hangs");
    let browser = server.browser();
    let began = Instant::now();
    let page = ask(&server, &browser, "ada@example.com").await;
    assert!(began.elapsed() < Duration::from_secs(2), "the sign-in page hangs");
    page.must_say("Type your token");
    assert_eq!(server.get("/readyz").await.status, 200);
    tokio::time::sleep(Duration::from_millis(1500)).await;

    smtp.up();
    let token = smtp.mails(1).await[0].token();
    let account = browser.send_form(&page.form_with("token").with("token", &token)).await;
    account.must_say("Your account");
    assert_eq!(smtp.all().len(), 1, "sent once");
}

#[tokio::test]
async fn mail_survives_a_restart_of_grantor() {
    let mut smtp = Smtp::down(&[]);
    let mut server = Server::setup().mailing(&smtp).start().await;
    let browser = server.browser();
    let page = ask(&server, &browser, "ada@example.com").await;
    server.kill();
    smtp.up();
    server.start_again().await;
    let token = smtp.mails(1).await[0].token();
    browser
        .send_form(&page.form_with("token").with("token", &token))
        .await
        .must_say("Your account");
}

#[tokio::test]
async fn a_refusal_for_now_is_tried_again() {
    let smtp = Smtp::with(&["--refuse", "1"]);
    let server = Server::setup().mailing(&smtp).start().await;
    let browser = server.browser();
    let page = ask(&server, &browser, "ada@example.com").await;
    let token = smtp.mails(1).await[0].token();
    browser
        .send_form(&page.form_with("token").with("token", &token))
        .await
        .must_say("Your account");
}

#[tokio::test]
async fn starttls_tls_and_an_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let files =
        ["--certificate", &certificate, "--key", &key, "--account", "grantor:smtp-password"];

    for (security, options) in
        [("starttls", &files[..]), ("tls", &[&files[..], &["--tls"]].concat())]
    {
        let smtp = Smtp::with(options);
        let setup = || {
            let setup = Server::setup().mailing(&smtp).set("mail.smtp.security", security);
            setup.set("mail.smtp.host", "localhost").set("mail.smtp.username", "grantor")
        };
        let good = setup()
            .set("mail.smtp.password", "smtp-password")
            .set("mail.smtp.ca_file", certificate.as_str());
        let server = good.start().await;
        server.seen.add("smtp-password");
        ask(&server, &server.browser(), "ada@example.com").await;
        smtp.mails(1).await;

        // A certificate that nobody vouches for is not taken.
        let server = setup().set("mail.smtp.password", "smtp-password").start().await;
        ask(&server, &server.browser(), "ada@example.com").await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(smtp.all().len(), 1, "{security}: sent to a stranger");
        assert_eq!(server.sql("SELECT count(*) FROM outbox_mail"), "1", "it waits");
    }
}

#[tokio::test]
async fn without_a_mail_server_the_page_still_answers() {
    let setup = Server::setup().set("sign_in.admin_token.mode", "e-mailed");
    let server = setup.unset("sign_in.admin_token.token").start().await;
    let page = ask(&server, &server.browser(), "ada@example.com").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(server.log().contains("mail"), "the log says that no mail is sent: {}", server.log());
}
