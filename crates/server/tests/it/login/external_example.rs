//! The sign-in page of `examples/external-sign-in`, run as it is.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::support::external::API_SECRET;
use crate::support::{Browser, Page, Request, Server, Tokens, free_port};

/// The running example.
struct Example {
    origin: String,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Example {
    fn start(server: &Server, port: u16) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("python3");
        command.arg(script.join("../../examples/external-sign-in/app.py"));
        command.env("GRANTOR_URL", &server.issuer).env("SECRET", API_SECRET);
        command.env("PORT", port.to_string()).env_remove("SMTP_HOST").stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 is installed");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let mut example = Self { origin: format!("http://127.0.0.1:{port}"), child, out };
        assert!(example.line().contains("sign-in page on"));
        example
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).expect("a line"), 0, "it ended");
        line
    }

    /// The token that it would mail.
    fn token(&mut self) -> String {
        self.line().rsplit(' ').next().expect("a word").trim().to_owned()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // Nothing to do about a process that is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Sends the page's form to itself; `person` is the browser there.
async fn send(person: &Browser, example: &Example, page: &Page, name: &str, value: &str) -> Page {
    let form = page.form("").with(name, value);
    person.post(&format!("{}/", example.origin), &form.fields).await
}

#[tokio::test]
async fn the_example_signs_people_in() {
    let port = free_port();
    let server = Server::setup().external(&format!("http://127.0.0.1:{port}/")).start().await;
    let mut example = Example::start(&server, port);
    let app = server.app("notes");
    // The same person at two sites, each with cookies of its own.
    let (browser, there) = (server.browser(), Browser::new(&example.origin, server.seen.clone()));
    let request = Request::of(&app);
    let sent = browser.open(&request.url(&server)).await.location().expect("a redirect");
    let page = there.get(&sent).await;
    page.must_say("Sign in to continue to notes");
    let page = send(&there, &example, &page, "email", "ada@example.com").await;
    let token = example.token();
    let page = send(&there, &example, &page, "token", "wrong").await;
    page.must_say("That token is not right.");
    let page = send(&there, &example, &page, "token", &token).await;
    let back = page.location().expect("a redirect");
    let page = browser.open(&back).await;
    page.must_say("notes asks for access");
    let page = browser.submit(&page.form("/consent").with("decision", "allow")).await;
    let tokens = Tokens::of(&server.redeem(&app, &request, &page.answer()["code"]).await);
    let claims = tokens.id_token().1;
    assert_eq!((&claims["amr"], &claims["acr"]), (&serde_json::json!(["otp"]), &"external".into()));
    let userinfo = server.bearer("/userinfo", &tokens.access).await.json();
    assert_eq!(userinfo["email"], "ada@example.com");

    // What was used is over, there as well.
    there.get(&sent).await.must_say("This link no longer works");
}

#[tokio::test]
async fn the_example_lets_people_go_back() {
    let port = free_port();
    let server = Server::setup().external(&format!("http://127.0.0.1:{port}/")).start().await;
    let example = Example::start(&server, port);
    let (browser, there) = (server.browser(), Browser::new(&example.origin, server.seen.clone()));
    let sent = browser.open("/login").await.location().expect("a redirect");
    let page = there.get(&sent).await;
    page.must_say("Sign in to continue to your account");
    let page = send(&there, &example, &page, "stop", "1").await;
    let page = browser.open(&page.location().expect("a redirect")).await;
    page.must_say("You went back.");
    there.get(&format!("{}/?login_challenge=x", example.origin)).await.must_say("Start again.");
}
