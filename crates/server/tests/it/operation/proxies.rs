//! Who sent a request, when a proxy stands before the server.

use crate::support::{Request, Server, Smtp, client};

/// The address that the account page shows for the session of a sign-in with this header.
async fn address_of(server: &Server, header: &str, value: &str) -> String {
    let browser = server.browser();
    let page = browser.open("/login").await;
    let email = page.form_with("email").with("email", "ada@example.com");
    let cookies =
        format!("grantor_browser={}", browser.cookie("grantor_browser").expect("a cookie"));
    let post = |form: crate::support::Form| {
        let request = client().post(server.url("/login")).form(&form.fields);
        server.request(request.header(header, value).header("cookie", &cookies))
    };
    let location = post(email).await.location().expect("a redirect");
    let page = browser.open(&location).await;
    let token = page.form_with("token").with("token", crate::support::STATIC_TOKEN);
    assert_eq!(post(token).await.status, 303);
    server.sql("SELECT address FROM session ORDER BY id DESC LIMIT 1")
}

#[tokio::test]
async fn headers_of_strangers_are_ignored() {
    let server = Server::start().await;
    assert_eq!(address_of(&server, "x-forwarded-for", "203.0.113.7").await, "127.0.0.1");
    assert_eq!(address_of(&server, "forwarded", "for=203.0.113.7").await, "127.0.0.1");
}

#[tokio::test]
async fn headers_of_a_listed_proxy_are_believed() {
    let setup = Server::setup()
        .set("sign_in.admin_token.allow_static_token", true)
        .set("listen.trusted_proxies", vec!["127.0.0.0/8", "10.0.0.1"]);
    let server = setup.start().await;
    for (header, value, address) in [
        ("x-forwarded-for", "203.0.113.7", "203.0.113.7"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        ("forwarded", "for=\"[2001:db8::7]:1234\";proto=https", "2001:db8::7"),
        ("x-forwarded-for", "nonsense", "127.0.0.1"),
    ] {
        assert_eq!(address_of(&server, header, value).await, address, "{header}: {value}");
    }
}

#[tokio::test]
async fn the_mail_names_the_address() {
    let smtp = Smtp::start();
    let setup = Server::setup().mailing(&smtp).set("listen.trusted_proxies", vec!["127.0.0.1"]);
    let server = setup.start().await;
    let app = server.app("notes");
    let browser = server.browser();
    let page = browser.open(&Request::of(&app).url(&server)).await;
    let form = page.form_with("email").with("email", "ada@example.com");
    let cookie =
        format!("grantor_browser={}", browser.cookie("grantor_browser").expect("a cookie"));
    let request = client().post(server.url("/login")).form(&form.fields).header("cookie", cookie);
    server.request(request.header("x-forwarded-for", "203.0.113.7")).await;
    let mails = smtp.mails(1).await;
    assert!(mails[0].raw.contains("203.0.113.7"), "{}", mails[0].raw);
}
