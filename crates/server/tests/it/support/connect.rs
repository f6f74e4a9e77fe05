//! A Google of the test's own, and a server that connects accounts there.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::browser::{Browser, Page, client};
use super::seen::Seen;
use super::server::{Server, Setup, free_port};

/// What the server is at Google.
pub(crate) const CLIENT_ID: &str = "grantor.apps.googleusercontent.example";
/// Its secret there.
pub(crate) const CLIENT_SECRET: &str = "GOCSPX-a-secret-of-the-tests";
/// The calendars, which are among the scopes that are asked for.
pub(crate) const CALENDAR: &str = "https://www.googleapis.com/auth/calendar.readonly";
/// Drive, as well.
pub(crate) const DRIVE: &str = "https://www.googleapis.com/auth/drive.readonly";
/// Where bound sessions lead back to.
pub(crate) const RETURN_URL: &str = "https://app.example/connected";

/// The stand-in, in this process.
pub(crate) struct Google {
    /// Its origin and issuer.
    pub(crate) base: String,
    seen: Seen,
    _stop: oneshot::Sender<()>,
}

/// The stand-in, a server with the integration `google`, and a key for it.
pub(crate) struct Vault {
    /// The server.
    pub(crate) server: Server,
    /// The provider.
    pub(crate) google: Google,
    /// An API key that may make and complete connect sessions, and manage connections.
    pub(crate) key: String,
    _providers: TempDir,
}

impl Google {
    /// Starts one where `grantor` is registered, on a port of its own.
    pub(crate) async fn start(grantor: &Setup, seen: Seen) -> Self {
        let callback = format!("http://127.0.0.1:{}/connect/callback", grantor.port());
        let config = standins::google::Config {
            base_url: Some(format!("http://127.0.0.1:{}", free_port())),
            clients: vec![standins::google::Client::new(CLIENT_ID, CLIENT_SECRET, &callback)],
            ..standins::google::Config::default()
        };
        let base = config.base_url.clone().expect("set");
        let address = base.strip_prefix("http://").expect("plain").to_owned();
        let listener = tokio::net::TcpListener::bind(address).await.expect("a free port");
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            standins::google::serve(config, vec![listener], stopped).await.expect("it serves");
        });
        Self { base, seen, _stop: stop }
    }

    /// A provider file for it.
    pub(crate) fn description(&self) -> String {
        let base = &self.base;
        let host = base.strip_prefix("http://").expect("plain");
        format!(
            "extends = \"google\"\n\
             [authorize]\nurl = \"{base}/o/oauth2/v2/auth\"\nissuer = \"{base}\"\n\
             [token]\nurl = \"{base}/token\"\n\
             [id_token]\nissuers = [\"{base}\", \"{host}\"]\njwks_uri = \"{base}/oauth2/v3/certs\"\n\
             [revoke]\nurl = \"{base}/revoke\"\n\
             [proxy]\nbase = \"{base}\"\nhosts = []\n"
        )
    }

    /// A browser for its pages.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.base, self.seen.clone())
    }

    /// A request to its control endpoints.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/_control/{path}", self.base);
        let method = method.parse().expect("a method");
        let answer = client().request(method, &url).json(body).send().await.expect("answered");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Sets a fault of an endpoint, for one call.
    pub(crate) async fn fault(&self, endpoint: &str, fault: Value) {
        self.control("POST", "faults", &json!({"endpoint": endpoint, "fault": fault})).await;
    }

    /// How often an endpoint was called.
    pub(crate) async fn calls(&self, endpoint: &str) -> u64 {
        let counts = self.control("GET", "counts", &Value::Null).await;
        counts["endpoints"][endpoint]["calls"].as_u64().unwrap_or(0)
    }

    /// Signs in as `account` and allows all but `refused`; the redirect to the callback.
    pub(crate) async fn allow(
        &self,
        browser: &Browser,
        url: &str,
        account: &str,
        refused: &[&str],
    ) -> String {
        let page = self.to_consent(browser, url, account).await;
        if page.location().is_some() {
            return self.back(&page);
        }
        let mut form = page.form("/signin/oauth/consent").with("decision", "allow");
        form.fields.retain(|(name, value)| name != "scope" || !refused.contains(&value.as_str()));
        self.back(&browser.submit(&form).await)
    }

    /// Signs in as `account` and says no; the redirect to the callback.
    pub(crate) async fn deny(&self, browser: &Browser, url: &str, account: &str) -> String {
        let page = self.to_consent(browser, url, account).await;
        let form = page.form("/signin/oauth/consent").with("decision", "deny");
        self.back(&browser.submit(&form).await)
    }

    async fn to_consent(&self, browser: &Browser, url: &str, account: &str) -> Page {
        assert!(url.starts_with(&self.base), "not at the provider: {url}");
        let mut page = browser.open(url).await;
        if page.body.contains("action=\"/v3/signin/accountchooser\"") {
            let form = page.form("/v3/signin/accountchooser").with("account", account);
            page = browser.send_form(&form).await;
        }
        page
    }

    /// The redirect to the callback; its code is a secret.
    fn back(&self, page: &Page) -> String {
        let url = page.location().unwrap_or_else(|| panic!("no way back: {page:?}"));
        if let Some(code) = page.answer().get("code") {
            self.seen.add(code);
        }
        url
    }
}

impl Setup {
    /// With the integration `google` at the stand-in, and descriptions for others: `google_work`,
    /// which is the same but does not say that answers have an `iss`, and `stranger`, which is led
    /// there by somebody who has nothing to do with it, and `discovered`, which reads its metadata.
    #[must_use]
    pub(crate) fn google(self, google: &Google, folder: &Path) -> Self {
        fs::write(folder.join("google.toml"), google.description()).expect("written");
        let work = "label = \"Google at work\"\nextends = \"google\"\nauthorize.issuer = false\n";
        fs::write(folder.join("google_work.toml"), work).expect("written");
        let stranger = "label = \"Stranger\"\nextends = \"google_work\"\n\
                        id_token.issuers = [\"https://stranger.example\"]\n";
        fs::write(folder.join("stranger.toml"), stranger).expect("written");
        let base = &google.base;
        let discovered = format!("extends = \"oidc\"\nvariables.issuer.default = \"{base}\"\n");
        fs::write(folder.join("discovered.toml"), discovered).expect("written");
        self.set("vault.providers", folder.to_str().expect("text"))
            .set("vault.return_urls", vec![RETURN_URL])
            .set("vault.deadline", "5s")
            .set("outbound.allowed_hosts", vec!["127.0.0.1"])
            .set("integrations.google.client_id", CLIENT_ID)
            .set("integrations.google.client_secret", CLIENT_SECRET)
            .set("integrations.google.scopes", vec!["openid", "email", CALENDAR, DRIVE])
    }
}

impl Vault {
    /// With the settings for tests.
    pub(crate) async fn start() -> Self {
        Self::with(|setup| setup).await
    }

    /// With settings of the test's own.
    pub(crate) async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let setup = Server::setup();
        let seen = Seen::default();
        seen.add(CLIENT_SECRET);
        let google = Google::start(&setup, seen.clone()).await;
        let providers = tempfile::tempdir().expect("a folder");
        let server = change(setup.google(&google, providers.path())).start().await;
        server.seen.add(CLIENT_SECRET);
        let google = Google { seen: server.seen.clone(), ..google };
        let key = made_key(&server, &["--action", "connect", "--action", "manage"]);
        Self { server, google, key, _providers: providers }
    }

    /// A key with rights of the test's own.
    pub(crate) fn key_with(&self, options: &[&str]) -> String {
        made_key(&self.server, options)
    }

    /// Asks for a connect session.
    pub(crate) async fn ask(&self, body: &Value) -> Page {
        self.ask_with(&self.key, body).await
    }

    /// The same with another key.
    pub(crate) async fn ask_with(&self, key: &str, body: &Value) -> Page {
        self.post_with(key, "/connect/sessions", body).await
    }

    /// Posts JSON with a key.
    pub(crate) async fn post_with(&self, key: &str, path: &str, body: &Value) -> Page {
        let url = self.server.url(path);
        self.server.request(client().post(url).bearer_auth(key).json(body)).await
    }

    /// A link, as a path of the server, and the id of its session.
    pub(crate) async fn link(&self, body: &Value) -> (String, String) {
        let page = self.ask(body).await;
        assert_eq!(page.status, 201, "{page:?}");
        let json = page.json();
        let url = json["connect_url"].as_str().expect("a URL");
        let path = url.strip_prefix(&self.server.issuer).expect("at the server");
        (path.to_owned(), json["id"].as_str().expect("an id").to_owned())
    }

    /// How far a session is.
    pub(crate) async fn session(&self, id: &str) -> Value {
        let page = self.api("GET", &format!("/connect/sessions/{id}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.json()
    }

    /// Completes a bound session of user-42.
    pub(crate) async fn complete(&self, code: &str) -> Page {
        self.complete_for("user-42", code).await
    }

    /// Completes a bound session of a subject.
    pub(crate) async fn complete_for(&self, subject: &str, code: &str) -> Page {
        let url = self.server.url("/connect/complete");
        let body = json!({"connect_code": code, "subject": subject});
        self.server.request(client().post(url).bearer_auth(&self.key).json(&body)).await
    }

    /// A request of the management API.
    pub(crate) async fn api(&self, method: &str, path: &str) -> Page {
        let method = method.parse().expect("a method");
        let request = client().request(method, self.server.url(path));
        self.server.request(request.bearer_auth(&self.key)).await
    }

    /// Opens a link up to the provider; where the browser is sent.
    pub(crate) async fn leave(&self, browser: &Browser, link: &str) -> String {
        let mut page = browser.get(link).await;
        if page.status == 200 {
            page = browser.get(&format!("{link}/go")).await;
        }
        let url = page.location().unwrap_or_else(|| panic!("not sent anywhere: {page:?}"));
        assert!(url.starts_with(&self.google.base), "{url}");
        url
    }

    /// Opens a link, allows all but `refused` as `account`, and comes back.
    pub(crate) async fn walk(
        &self,
        browser: &Browser,
        link: &str,
        account: &str,
        refused: &[&str],
    ) -> Page {
        let (at_google, mut url) = (self.google.browser(), self.leave(browser, link).await);
        loop {
            let back = self.google.allow(&at_google, &url, account, refused).await;
            let page = browser.get(&back).await;
            match page.location().filter(|next| next.starts_with(&self.google.base)) {
                // Once more, for a refresh token.
                Some(again) => url = again,
                None => return page,
            }
        }
    }

    /// Connects an account for a subject, in mode `bound`; the connection as the API tells of it.
    pub(crate) async fn connect(&self, subject: &str, account: &str) -> Value {
        self.connect_through("google", subject, account).await
    }

    /// The same through another integration.
    pub(crate) async fn connect_through(
        &self,
        integration: &str,
        subject: &str,
        account: &str,
    ) -> Value {
        let (link, _) = self.link(&json!({"integration": integration, "subject": subject})).await;
        let page = self.walk(&self.server.browser(), &link, account, &[]).await;
        let done = self.complete_for(subject, &page.answer()["connect_code"]).await;
        assert_eq!(done.status, 200, "{done:?}");
        done.json()
    }

    /// The one connection of a subject, from the API.
    pub(crate) async fn connections_of(&self, subject: &str) -> Vec<Value> {
        let page = self.api("GET", &format!("/connections?subject={subject}")).await;
        page.json()["connections"].as_array().expect("a list").clone()
    }

    /// The actions in the audit log, in their order.
    pub(crate) fn audit(&self) -> Vec<String> {
        let actions = self.server.sql("SELECT action FROM audit_event ORDER BY sequence");
        actions.lines().map(ToOwned::to_owned).collect()
    }

    /// No token of the provider stands in the log or, in clear, in the data folder.
    pub(crate) fn assert_no_token_kept(&self) {
        let marks: [&[u8]; 2] = [b"ya29.a0A", b"1//0"];
        let has = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|own| own == mark);
        let data = self.server.data();
        for entry in fs::read_dir(&data).expect("the data folder") {
            let path = entry.expect("readable").path();
            let bytes = fs::read(&path).unwrap_or_default();
            assert!(!marks.iter().any(|mark| has(&bytes, mark)), "{}", path.display());
        }
        let log = self.server.log();
        assert!(!marks.iter().any(|mark| has(log.as_bytes(), mark)), "{log}");
    }
}

fn made_key(server: &Server, options: &[&str]) -> String {
    let mut arguments = vec!["apikey", "create", "--service", "reports"];
    if !options.contains(&"--integration") {
        arguments.push("--any-integration");
    }
    arguments.extend(options);
    let made = server.cli().json(&arguments);
    let key = made["key"].as_str().expect("a key").to_owned();
    server.seen.add(&key);
    key
}
