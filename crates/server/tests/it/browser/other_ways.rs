//! By keyboard, without scripts, with a password, in several tabs, with a form as the answer.

use thirtyfour::Key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{newest_token, to_consent};
use crate::support::chrome::{Chrome, DESKTOP, Look, PHONE};
use crate::support::demo::Demo;

#[tokio::test]
async fn with_the_keyboard_only() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "keyboard", ..DESKTOP }).await;
    let enter = Key::Enter.value().to_string();
    chrome.open(&demo.sample).await;
    chrome.tab_to("Sign in").await;
    chrome.sees("E-mail address").await;
    // The one field has the focus.
    chrome.press(&format!("ada@example.com{enter}")).await;
    chrome.sees("Type your token").await;
    let token = newest_token(&demo).await;
    chrome.press(&format!("{token}{enter}")).await;
    chrome.sees("asks for access").await;
    chrome.tab_to("Allow").await;
    chrome.sees("What Fieldnotes holds for you").await;
    chrome.tab_to("Call the API").await;
    chrome.sees("This is protected data").await;
    chrome.tab_to("Refresh now").await;
    chrome.sees("Your tokens were refreshed.").await;
    chrome.tab_to("Sign out").await;
    chrome.sees("You are signed out").await;
    chrome.close().await;
}

#[tokio::test]
async fn without_scripts() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "no-scripts", scripts: false, ..DESKTOP }).await;
    chrome.open("data:text/html,<p>off</p><script>document.body.textContent='on'</script>").await;
    chrome.sees("off").await;
    to_consent(&chrome, &demo, "ada@example.com").await;
    chrome.click("Allow").await;
    chrome.sees("What Fieldnotes holds for you").await;
    chrome.click("Call the API").await;
    chrome.sees("This is protected data").await;
    chrome.click("Sign out").await;
    chrome.sees("You are signed out").await;

    let (listener, id) = form_client(&demo).await;
    chrome.open(&authorize(&demo, &id)).await;
    chrome.sees("E-mail address").await;
    chrome.fill("email", "bob@example.com").await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    chrome.fill("token", &newest_token(&demo).await).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
    chrome.click("Allow").await;
    chrome.sees("If nothing happens, use the button.").await;
    chrome.shot("form-post").await;
    let (posted, ()) = tokio::join!(one_post(&listener), chrome.click("Continue"));
    assert!(posted.contains("code=grt_ac_") && posted.contains("iss=http"), "{posted}");
    chrome.close().await;
}

#[tokio::test]
async fn with_a_form_that_posts_itself() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "form-post", ..DESKTOP }).await;
    let (listener, id) = form_client(&demo).await;
    chrome.open(&authorize(&demo, &id)).await;
    chrome.click("Use a password instead").await;
    chrome.fill("username", "demo_user").await;
    chrome.fill("password", &demo.password).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
    let (posted, ()) = tokio::join!(one_post(&listener), chrome.click("Allow"));
    assert!(posted.contains("code=grt_ac_") && posted.contains("state=xyz"), "{posted}");
    chrome.sees("received").await;
    chrome.close().await;
}

#[tokio::test]
async fn with_a_password() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "password", ..PHONE }).await;
    chrome.open(&demo.sample).await;
    chrome.click("Sign in").await;
    chrome.click("Use a password instead").await;
    chrome.sees("Name or e-mail address").await;
    chrome.shot("1-empty").await;
    chrome.fill("username", "demo_user").await;
    chrome.fill("password", "wrong").await;
    chrome.click("Sign in").await;
    chrome.sees("The name or the password is not right.").await;
    chrome.shot("2-wrong").await;
    chrome.fill("password", &demo.password).await;
    chrome.click("Sign in").await;
    chrome.sees("Fieldnotes asks for access").await;
    chrome.sees("Demo User").await;
    chrome.click("Deny").await;
    chrome.sees("Fieldnotes").await;
    chrome.shot("3-denied").await;
    assert!(chrome.url().await.starts_with(&demo.sample));
    chrome.close().await;
}

#[tokio::test]
async fn in_several_tabs() {
    let demo = Demo::start();
    let chrome = Chrome::start(Look { name: "tabs", ..DESKTOP }).await;
    let sign_in = format!("{}/signin", demo.sample);
    chrome.open(&sign_in).await;
    chrome.sees("E-mail address").await;
    let first = chrome.url().await;
    chrome.new_tab(&sign_in).await;
    chrome.sees("E-mail address").await;
    assert_ne!(chrome.url().await, first, "each tab has its own request");

    // The second tab goes the whole way; the first one finds everything done.
    chrome.fill("email", "ada@example.com").await;
    chrome.click("Send the token").await;
    chrome.sees("Type your token").await;
    chrome.fill("token", &newest_token(&demo).await).await;
    chrome.click("Sign in").await;
    chrome.sees("asks for access").await;
    chrome.click("Allow").await;
    chrome.sees("What Fieldnotes holds for you").await;
    chrome.tab(0).await;
    chrome.driver.refresh().await.expect("reloaded");
    chrome.sees("What Fieldnotes holds for you").await;
    chrome.click("Call the API").await;
    chrome.sees("This is protected data").await;
    chrome.close().await;
}

/// A client that takes its answers as a posted form.
async fn form_client(demo: &Demo) -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let uri = format!("http://127.0.0.1:{port}/cb");
    demo.add_client(&["forms", "--no-pkce", "--redirect-uri", &uri, "--scope", "read"]);
    // The running server sees it within a second.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    (listener, "forms".to_owned())
}

fn authorize(demo: &Demo, id: &str) -> String {
    let query = "response_type=code&response_mode=form_post&scope=read&state=xyz";
    format!("{}/authorize?{query}&client_id={id}", demo.issuer)
}

/// The body of the next POST; answers it.
async fn one_post(listener: &TcpListener) -> String {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = vec![0; 16_384];
        let mut length = 0;
        loop {
            let read = stream.read(&mut bytes[length..]).await.expect("readable");
            length += read;
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let whole = text.contains("iss=");
            if text.starts_with("POST /cb") && whole {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 8\r\nconnection: close\r\n\r\nreceived";
                stream.write_all(answer).await.expect("answered");
                return text;
            }
            if read == 0 || text.starts_with("GET ") {
                break;
            }
        }
    }
}
