//! `grantor provider try`: a person at a terminal and in a browser.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::connect::{CLIENT_ID as GOOGLE_ID, CLIENT_SECRET as GOOGLE_SECRET, Google};
use crate::support::seen::Seen;
use crate::support::server::{GRANTOR, free_port};
use crate::support::{Server, client};

const CLIENT: &str = "grantor-on-trial";
const SECRET: &str = "a-secret-of-the-trial";

/// A stand-in whose refresh tokens are good for one use, and a description of it in a file.
struct Rotating {
    server: Server,
    base: String,
    _stop: oneshot::Sender<()>,
}

impl Rotating {
    async fn start() -> Self {
        let server = Server::setup().set("outbound.allowed_hosts", vec!["127.0.0.1"]).prepare();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let client = standins::rotating::Client {
            id: CLIENT.to_owned(),
            secret: SECRET.to_owned(),
            ..standins::rotating::Client::default()
        };
        let config = standins::rotating::Config { client, ..standins::rotating::Config::default() };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            standins::rotating::serve(config, vec![listener], stopped).await.expect("it serves");
        });
        let description = format!(
            "label = \"Rotating\"\n\
             authorize.url = \"{base}/authorize\"\ntoken.url = \"{base}/token\"\n\
             refresh.rotation = \"yes\"\nresponse.expires_default = \"1h\"\n\
             identity = {{ from = \"call\", url = \"{base}/userinfo\", sub = [\"/sub\"] }}\n\
             revoke = {{ url = \"{base}/revoke\", parameter = \"token\" }}\n\
             client_credentials = {{}}\n"
        );
        fs::write(server.folder().join("rotating.toml"), description).expect("written");
        fs::write(server.folder().join("secret"), format!("{SECRET}\n")).expect("written");
        Self { server, base, _stop: stop }
    }

    fn tries(&self, options: &[&str]) -> Terminal {
        let (folder, secret) = (self.server.folder(), self.server.folder().join("secret"));
        let file = folder.join("rotating.toml");
        let file = file.to_str().expect("text");
        let fixed = ["provider", "try", file, "--client-id", CLIENT, "--client-secret-file"];
        let fixed = [&fixed[..], &[secret.to_str().expect("text")], options].concat();
        Terminal::start(&self.server, &fixed)
    }

    async fn grants(&self) -> Value {
        let url = format!("{}/_control/grants", self.base);
        let answer = client().get(url).send().await.expect("answered");
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
    }

    /// Ada allows it; where her browser is sent.
    async fn allow(&self, url: &str, more: &str) -> String {
        let answer = client().get(format!("{url}&as=ada{more}")).send().await.expect("answered");
        let location = answer.headers().get("location").expect("sent back");
        location.to_str().expect("text").to_owned()
    }
}

/// A command that talks with a person.
struct Terminal {
    child: Child,
    out: BufReader<ChildStdout>,
    said: String,
}

impl Terminal {
    fn start(server: &Server, arguments: &[&str]) -> Self {
        let mut command = Command::new(GRANTOR);
        command.args(arguments).arg("--config").arg(server.config());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, out, said: String::new() }
    }

    /// The next line that begins so.
    fn line(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.out.read_line(&mut line).expect("text");
            if read == 0 {
                let complaint = self.complaint();
                panic!("it ended without {start:?}: {} {complaint}", self.said);
            }
            self.said.push_str(&line);
            if line.starts_with(start) {
                return line.trim().to_owned();
            }
        }
    }

    fn paste(&mut self, text: &str) {
        let mut stdin = self.child.stdin.take().expect("piped");
        stdin.write_all(format!("{text}\n").as_bytes()).expect("read");
    }

    /// Its code, all that it said, and its complaint.
    fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.child.stdin.take());
        self.out.read_to_string(&mut self.said).expect("text");
        let complaint = self.complaint();
        (self.child.wait().expect("it ends").code(), self.said, complaint)
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
        text
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_is_gone_through_with_an_address_that_is_pasted() {
    let rotating = Rotating::start().await;
    let mut terminal = rotating.tries(&["--scope", "read", "--revoke"]);
    let url = terminal.line("http");
    assert!(url.starts_with(&rotating.base) && url.contains("code_challenge_method=S256"), "{url}");
    terminal.paste(&rotating.allow(&url, "").await);
    let (code, said, complaint) = terminal.end();
    assert_eq!(code, Some(0), "{said} {complaint}");
    for part in [
        "Tokens came:",
        "account         ",
        "A refresh answered:",
        "The grant was given back.",
        "It works. Nothing of it was stored.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(rotating.grants().await["grants"], json!([]), "given back");
    assert!(!said.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_told_by_their_fingerprints_and_never_shown() {
    let rotating = Rotating::start().await;
    let mut terminal = rotating.tries(&["--scope", "read"]);
    let url = terminal.line("http");
    terminal.paste(&rotating.allow(&url, "").await);
    let (code, said, complaint) = terminal.end();
    assert_eq!(code, Some(0), "{complaint}");
    let after = said.split("Tokens came:").nth(1).expect("tokens");
    let long = after.split_whitespace().find(|word| word.len() > 40);
    assert_eq!(long, None, "no whole token: {after}");
    let grants = rotating.grants().await.to_string();
    let refreshed = after.split("A refresh answered:").nth(1).expect("a refresh");
    let line = refreshed.lines().find(|line| line.contains("refresh token")).expect("a line");
    let fingerprint = line.split_whitespace().nth(2).expect("a fingerprint");
    assert_eq!(fingerprint.len(), 8, "{line}");
    assert!(grants.contains(fingerprint), "{fingerprint} is the one that works: {grants}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_comes_back_to_a_port_and_the_id_token_is_verified() {
    let setup = Server::setup().set("outbound.allowed_hosts", vec!["127.0.0.1"]);
    let (port, google) = (setup.port(), Google::start(&setup, Seen::default()).await);
    let server = setup.prepare();
    let (file, secret) = (server.folder().join("own.toml"), server.folder().join("secret"));
    fs::write(&file, google.description()).expect("written");
    fs::write(&secret, GOOGLE_SECRET).expect("written");
    let (port, callback) = (port.to_string(), format!("http://127.0.0.1:{port}/connect/callback"));
    let (file, secret) = (file.to_str().expect("text"), secret.to_str().expect("text"));
    let mut terminal = Terminal::start(
        &server,
        &[
            "provider",
            "try",
            file,
            "--client-id",
            GOOGLE_ID,
            "--client-secret-file",
            secret,
            "--port",
            &port,
            "--redirect-uri",
            &callback,
            "--consent",
            "--revoke",
            "--scope",
            "openid email",
        ],
    );
    let url = terminal.line("http");
    terminal.line("Waiting on port");
    let browser = google.browser();
    let back = google.allow(&browser, &url, "ada@example.com", &[]).await;
    // Somebody else's request to the port is not the browser.
    let other = client().get(format!("http://127.0.0.1:{port}/favicon.ico")).send().await;
    assert_eq!(other.expect("answered").status(), 404);
    let page = client().get(&back).send().await.expect("answered").text().await.expect("text");
    assert!(page.contains("You can close this window"), "{page}");
    let (code, said, complaint) = terminal.end();
    assert_eq!(code, Some(0), "{said} {complaint}");
    assert!(said.contains("address         ada@example.com"), "{said}");
    assert!(said.contains("https://www.googleapis.com/auth/userinfo.email"), "{said}");
    assert!(!said.contains(GOOGLE_SECRET) && !said.contains("Note:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_a_report() {
    let rotating = Rotating::start().await;
    let terminal = rotating.tries(&["--client-credentials", "--scope", "read", "--json"]);
    let (code, said, complaint) = terminal.end();
    assert_eq!(code, Some(0), "{complaint}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&report["provider"], &report["tokens"]["scope"]),
        (&"rotating".into(), &"read".into())
    );
    let token = &report["tokens"]["access_token"];
    assert_eq!(token["fingerprint"].as_str().map(str::len), Some(8), "{report}");
    assert!(report["tokens"]["expires_in"].is_u64() && report.get("account").is_none(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_said_with_what_to_do() {
    let rotating = Rotating::start().await;
    for (more, change, complains) in [
        ("&answer=deny", "", "the provider says \"access_denied\""),
        ("", "state", "this address is from another attempt"),
        ("", "code", "grant_dead"),
        ("", "?", "paste the whole of it"),
    ] {
        let mut terminal = rotating.tries(&["--scope", "read"]);
        let url = terminal.line("http");
        let back = rotating.allow(&url, more).await;
        terminal.paste(&match change {
            "" => back,
            "?" => back.split('?').next().unwrap_or_default().to_owned(),
            name => back.replace(&format!("{name}="), &format!("{name}=x")),
        });
        let (code, said, complaint) = terminal.end();
        assert_eq!((code, complaint.lines().count()), (Some(1), 1), "{said} {complaint}");
        assert!(complaint.contains(complains), "{complains}: {complaint}");
    }
    fs::write(rotating.server.folder().join("secret"), "another-secret").expect("written");
    let (code, _, complaint) = rotating.tries(&["--client-credentials"]).end();
    assert_eq!(code, Some(1));
    assert!(complaint.contains("client_broken"), "{complaint}");
    assert!(!complaint.contains("another-secret"), "{complaint}");
}

#[test]
fn what_is_still_to_be_said_is_said_before_anything_is_sent() {
    let server = Server::setup().prepare();
    let fails = |arguments: &[&str]| {
        let ran = server.cli().run(&[&["provider", "try"], arguments].concat());
        assert_ne!(ran.code, Some(0), "{ran:?}");
        ran.err
    };
    let zendesk = fails(&["zendesk", "--client-id", "a"]);
    assert!(zendesk.contains("variables.subdomain is not set: the first part of"), "{zendesk}");
    assert!(zendesk.contains("client_secret is not set"), "{zendesk}");
    let evil = fails(&["zendesk", "--client-id", "a", "--set", "subdomain=a/b"]);
    assert!(evil.contains("variables.subdomain is refused"), "{evil}");
    let unknown = fails(&["gogle", "--client-id", "a"]);
    assert!(unknown.contains("there is no provider \"gogle\""), "{unknown}");
    assert!(fails(&["google", "--client-id", "a", "--set", "tenant"]).contains("NAME=VALUE"));
    let itself = fails(&["google", "--client-id", "a", "--client-credentials"]);
    assert!(itself.contains("google gives no tokens to clients: leave out"), "{itself}");
    let foo = fails(&["google", "--client-id", "a", "--redirect-uri", "foo"]);
    assert!(foo.contains("write a whole URL, such as http://localhost:5059/callback"), "{foo}");
    let port = free_port().to_string();
    let nowhere = fails(&["nowhere.toml", "--client-id", "a", "--port", &port]);
    assert!(nowhere.contains("cannot read nowhere.toml"), "{nowhere}");
}

#[test]
fn a_taken_port_is_noticed_before_anybody_opens_a_browser() {
    let server = Server::setup().prepare();
    let secret = server.folder().join("secret");
    fs::write(&secret, SECRET).expect("written");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let secret = secret.to_str().expect("text");
    let options = ["--client-id", "a", "--client-secret-file", secret, "--port", &port];
    let ran = server.cli().run(&[&["provider", "try", "google"], &options[..]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("give another one with --port"), "{ran:?}");
    assert!(!ran.err.contains("listen.port"), "{ran:?}");
}
