//! Debian's Apache with mod_auth_openidc: a page that only who signs in may see.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::open_server;
use crate::support::smtp::programs;
use crate::support::{App, Browser, Page, Server, free_port};

const PROGRAM: &str = "/usr/sbin/apache2";

/// A throw-away Apache that knows Grantor.
struct Apache {
    origin: String,
    folder: TempDir,
    child: Child,
}

impl Apache {
    async fn start(server: &Server, app: &App, port: u16, response: (&str, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["pages/private/bob", "cache"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        for (name, text) in
            [("", "For everybody"), ("private", "For who signs in"), ("private/bob", "For Bob")]
        {
            fs::write(folder.path().join("pages").join(name).join("index.html"), text)
                .expect("a page");
        }
        // Its worker is nobody if this is root.
        for (name, mode) in [("", 0o755), ("cache", 0o777)] {
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(mode))
                .expect("set");
        }
        let mut apache = Self {
            origin: format!("http://127.0.0.1:{port}"),
            child: spawn(server, app, port, folder.path(), response),
            folder,
        };
        apache.wait_until_ready(port).await;
        apache
    }

    async fn wait_until_ready(&mut self, port: u16) {
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < until, "{ended:?}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Apache:\n{}", self.log());
        }
        // Nothing to do about a process that is gone already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// In one process, so that nothing stays when it is killed.
fn spawn(
    server: &Server,
    app: &App,
    port: u16,
    folder: &Path,
    (response_type, mode): (&str, &str),
) -> Child {
    let mut command = Command::new(PROGRAM);
    command.arg("-X").arg("-f").arg(programs().join("apache/apache.conf"));
    let secret = app.secret.as_deref().expect("a secret");
    let settings = [
        ("FOLDER", folder.display().to_string()),
        ("PORT", port.to_string()),
        ("ISSUER", server.issuer.clone()),
        ("CLIENT", app.id.clone()),
        ("SECRET", secret.to_owned()),
        ("RESPONSE_TYPE", response_type.to_owned()),
        ("RESPONSE_MODE", mode.to_owned()),
    ];
    for (name, value) in settings {
        command.env(name, value);
    }
    command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| {
        panic!("{PROGRAM}: {error}; scripts/test installs libapache2-mod-auth-openidc")
    })
}

/// An application for an Apache on a port.
fn metadata(port: u16) -> Value {
    json!({
        "redirect_uris": [format!("http://127.0.0.1:{port}/private/callback")],
        "post_logout_redirect_uris": [format!("http://127.0.0.1:{port}/")],
        "scope": "openid email read",
    })
}

/// Opens a page of Apache, is sent to Grantor, signs in, and comes back to the page.
async fn open(server: &Server, browser: &Browser, who: &str, url: &str) -> Page {
    let sent = browser.get(url).await;
    let location = sent.location().unwrap_or_else(|| panic!("no redirect: {sent:?}"));
    assert!(location.starts_with(&server.url("/authorize?")), "{location}");
    let answer = server.walk(browser, who, &location).await;
    let back = match answer.location() {
        Some(location) => browser.get(&location).await,
        // The page of a form post, which sends itself.
        None => browser.submit(&answer.form_with("code")).await,
    };
    assert_eq!(back.location().as_deref(), Some(url), "{back:?}");
    browser.get(url).await
}

#[tokio::test]
async fn mod_auth_openidc_protects_a_page() {
    let (server, port) = (open_server().await, free_port());
    let app = server.register(&metadata(port)).await;
    let apache = Apache::start(&server, &app, port, ("code", "query")).await;
    let browser = server.browser();
    assert_eq!(browser.get(&apache.url("/")).await.body, "For everybody");

    let private = apache.url("/private/");
    let page = open(&server, &browser, "ada", &private).await;
    assert_eq!((page.status, page.body.as_str()), (200, "For who signs in"), "{page:?}");
    assert_eq!(page.header("seen-claim"), Some("ada@example.com"));
    assert_eq!(page.header("seen-user"), Some("ada@example.com"));
    // Still signed in; but what is for Bob is not for her.
    assert_eq!(browser.get(&private).await.status, 200);
    assert_eq!(browser.get(&apache.url("/private/bob/")).await.status, 401);

    // Somebody else, who is not signed in, is sent to Grantor.
    let other = server.browser();
    let page = open(&server, &other, "bob", &apache.url("/private/bob/")).await;
    assert_eq!((page.status, page.body.as_str()), (200, "For Bob"), "{page:?}");
}

#[tokio::test]
async fn mod_auth_openidc_signs_in_by_a_form_and_out_here_and_there() {
    let (server, port) = (open_server().await, free_port());
    let mut metadata = metadata(port);
    metadata["response_types"] = json!(["code id_token"]);
    metadata["grant_types"] = json!(["authorization_code", "implicit"]);
    let app = server.register(&metadata).await;
    let apache = Apache::start(&server, &app, port, ("code id_token", "form_post")).await;
    let browser = server.browser();
    let private = apache.url("/private/");
    assert_eq!(open(&server, &browser, "ada", &private).await.status, 200);

    let after = apache.url("/");
    let leave = apache.url(&format!("/private/callback?logout={after}"));
    let sent = browser.get(&leave).await.location().expect("to Grantor");
    assert!(sent.starts_with(&server.url("/logout?")), "{sent}");
    // Its ID token is proof enough: nobody is asked.
    assert_eq!(browser.get(&sent).await.location(), Some(after));
    assert_eq!(browser.cookie("grantor_session"), None);
    assert_eq!(browser.get(&private).await.status, 302);
}
