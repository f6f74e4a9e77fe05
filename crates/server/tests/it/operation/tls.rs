//! TLS from PEM files.

use std::fs;

use reqwest::{Certificate, Client};

use crate::support::{Browser, Request, STATIC_TOKEN, Server};

/// A certificate for `localhost`, as files in the folder of the server.
fn certificate(server: &Server) -> Vec<u8> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let pem = made.cert.pem();
    fs::write(server.folder().join("cert.pem"), &pem).expect("written");
    fs::write(server.folder().join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    pem.into_bytes()
}

fn trusting(pem: &[u8]) -> Client {
    let certificate = Certificate::from_pem(pem).expect("PEM");
    let client = Client::builder().tls_certs_only([certificate]).no_proxy();
    client.redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// A server over TLS that is ready, and a client that trusts it.
async fn start() -> (Server, Client) {
    let setup = Server::setup();
    let port = setup.port();
    let mut server = setup
        .set("issuer", format!("https://localhost:{port}"))
        .set("listen.tls.certificate", "cert.pem")
        .set("listen.tls.key", "key.pem")
        .prepare();
    // The files are beside the configuration.
    let folder = server.folder().display().to_string();
    let text = fs::read_to_string(server.config()).expect("readable");
    let text = text.replace("\"cert.pem\"", &format!("\"{folder}/cert.pem\""));
    let text = text.replace("\"key.pem\"", &format!("\"{folder}/key.pem\""));
    fs::write(server.config(), text).expect("written");
    let client = trusting(&certificate(&server));
    server.spawn();
    for _ in 0..400 {
        if client.get(server.url("/readyz")).send().await.is_ok() {
            return (server, client);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("not ready:\n{}", server.log());
}

#[tokio::test]
async fn the_whole_flow_over_https_with_host_cookies() {
    let (server, client) = start().await;
    let app = server.app("notes");
    let request = Request::of(&app);
    let browser = Browser::over(client.clone(), &server.issuer, server.seen.clone());
    let page = browser.open(&request.url(&server)).await;
    let page = browser.send_form(&page.form_with("email").with("email", "ada@example.com")).await;
    let page = browser.submit(&page.form_with("token").with("token", STATIC_TOKEN)).await;
    let cookie = page.header("set-cookie").expect("a cookie").to_owned();
    assert!(
        cookie.starts_with("__Host-grantor_session=") && cookie.contains("; Secure"),
        "{cookie}"
    );
    let page = browser.follow(page).await;
    let kept = page.header("strict-transport-security");
    assert!(kept.is_some_and(|own| own.starts_with("max-age=")), "RFC 6797 §7.1: {kept:?}");
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    assert_eq!(page.answer()["iss"], server.issuer);
    assert!(page.answer().contains_key("code"));
}

#[tokio::test]
async fn a_missing_or_wrong_file_is_one_clear_line() {
    let setup = Server::setup();
    let port = setup.port();
    let mut server = setup
        .set("issuer", format!("https://localhost:{port}"))
        .set("listen.tls.certificate", "/nowhere/cert.pem")
        .set("listen.tls.key", "/nowhere/key.pem")
        .prepare();
    server.spawn();
    assert_eq!(server.wait(), Some(1));
    let log = server.log();
    assert!(log.contains("/nowhere/cert.pem"), "{log}");
    assert_eq!(log.trim_end().lines().count(), 1, "{log}");
}
