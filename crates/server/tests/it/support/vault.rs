//! A server that refreshes at a stand-in: connections put into its store as if they had been made,
//! a key that gets their tokens, and a second process on the same data.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use grantor_core::id::{ConnectionId, Id};
use grantor_core::model::{Account, Connection, ConnectionStatus, Scope};
use grantor_core::ports::testing::SeededEntropy;
use grantor_core::store::{Granted, Held, Recorded};
use grantor_core::time::{Seconds, Timestamp};
use grantor_core::vault::seal::{self, Tokens};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::browser::{Page, client};
use super::connections::KeyFile;
use super::random;
use super::seen::Seen;
use super::server::{GRANTOR, Server, Setup, free_port};

/// What the server is at the stand-ins, and its secret there.
pub(crate) const CLIENT_ID: &str = "grantor-at-the-stand-in";
pub(crate) const CLIENT_SECRET: &str = "GOCSPX-secret-of-these-tests";
/// The one URL that connect links may lead back to.
const RETURN_URL: &str = "https://app.example/connected";
/// Scopes of Google's.
pub(crate) const CALENDAR: &str = "https://www.googleapis.com/auth/calendar.readonly";
pub(crate) const DRIVE: &str = "https://www.googleapis.com/auth/drive.readonly";
pub(crate) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";

/// The stand-in, a server with an integration to it, and a key for that.
pub(crate) struct Vault {
    /// The server.
    pub(crate) server: Server,
    /// Where the stand-in is.
    pub(crate) base: String,
    /// The integration: `google`, or `rotating`.
    pub(crate) integration: &'static str,
    /// A key that gets tokens and makes links.
    pub(crate) key: String,
    /// What seals.
    file: KeyFile,
    _providers: TempDir,
    stop: Option<oneshot::Sender<()>>,
}

/// Tokens as a stand-in gave them.
struct Issued {
    access: String,
    refresh: Option<String>,
    sub: String,
    scope: String,
}

impl Vault {
    /// At a Google, with settings of the test's own.
    pub(crate) async fn google(change: impl FnOnce(Setup) -> Setup) -> Self {
        Self::google_for("http://127.0.0.1", change).await
    }

    /// The same, where accounts can be connected by the server with this issuer.
    pub(crate) async fn google_for(issuer: &str, change: impl FnOnce(Setup) -> Setup) -> Self {
        let base = format!("http://127.0.0.1:{}", free_port());
        let callback = &format!("{issuer}/connect/callback");
        let config = standins::google::Config {
            base_url: Some(base.clone()),
            clients: vec![standins::google::Client::new(CLIENT_ID, CLIENT_SECRET, callback)],
            ..standins::google::Config::default()
        };
        let description = format!(
            "extends = \"google\"\n\
             [authorize]\nurl = \"{base}/o/oauth2/v2/auth\"\nissuer = \"{base}\"\n\
             [token]\nurl = \"{base}/token\"\n\
             [id_token]\nissuers = [\"{base}\"]\njwks_uri = \"{base}/oauth2/v3/certs\"\n\
             [revoke]\nurl = \"{base}/revoke\"\n\
             [proxy]\nbase = \"{base}\"\nhosts = []\n"
        );
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = listener(&base).await;
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            standins::google::serve(config, vec![listener], stopped).await.expect("it serves");
        });
        Self::at(base, "google", &description, stop, change).await
    }

    /// At a provider with refresh tokens for one use; `more` is added to its description.
    pub(crate) async fn rotating(
        config: standins::rotating::Config,
        more: &str,
        change: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let base = format!("http://127.0.0.1:{}", free_port());
        let description = format!(
            "label = \"Rotating\"\ndocumentation = [\"{base}\"]\n\
             [authorize]\nurl = \"{base}/authorize\"\n\
             [token]\nurl = \"{base}/token\"\nauth = \"basic\"\n\
             [client_credentials]\n\
             [identity]\nfrom = \"call\"\nurl = \"{base}/userinfo\"\nsub = [\"/sub\"]\n\
             {more}\n"
        );
        let client = standins::rotating::Client {
            id: CLIENT_ID.to_owned(),
            secret: CLIENT_SECRET.to_owned(),
            ..standins::rotating::Client::default()
        };
        let config = standins::rotating::Config { client, ..config };
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = listener(&base).await;
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            standins::rotating::serve(config, vec![listener], stopped).await.expect("it serves");
        });
        Self::at(base, "rotating", &description, stop, change).await
    }

    async fn at(
        base: String,
        integration: &'static str,
        description: &str,
        stop: oneshot::Sender<()>,
        change: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let providers = tempfile::tempdir().expect("a folder");
        fs::write(providers.path().join(format!("{integration}.toml")), description)
            .expect("written");
        let of = |name: &str| format!("integrations.{integration}.{name}");
        let setup = Server::setup()
            .set("vault.providers", providers.path().to_str().expect("text"))
            .set("vault.return_urls", vec![RETURN_URL])
            .set("vault.deadline", "5s")
            .set("vault.patience", "5s")
            .set("outbound.allowed_hosts", vec!["127.0.0.1"])
            .set("listen.metrics", format!("127.0.0.1:{}", free_port()))
            .set(&of("client_id"), CLIENT_ID)
            .set(&of("client_secret"), CLIENT_SECRET)
            .set(&of("scopes"), vec!["openid"]);
        let server = change(setup).start().await;
        server.seen.add(CLIENT_SECRET);
        let file = KeyFile::of(&server);
        let key = make_key(&server, &["--integration", integration]);
        Self { server, base, integration, key, file, _providers: providers, stop: Some(stop) }
    }

    /// Another key, with options of `grantor apikey create`.
    pub(crate) fn key_with(&self, options: &[&str]) -> String {
        make_key(&self.server, options)
    }

    /// A connection of Ada's, with scopes for calendar and drive, whose token lives for an hour.
    pub(crate) async fn connect(&self, subject: &str) -> ConnectionId {
        self.connect_as(subject, "ada", |_| ()).await
    }

    /// A connection of somebody's, changed before it is stored.
    pub(crate) async fn connect_as(
        &self,
        subject: &str,
        person: &str,
        change: impl FnOnce(&mut Held),
    ) -> ConnectionId {
        self.connect_through(self.integration, subject, person, change).await
    }

    /// The same through another integration with the stand-in.
    pub(crate) async fn connect_through(
        &self,
        integration: &str,
        subject: &str,
        person: &str,
        change: impl FnOnce(&mut Held),
    ) -> ConnectionId {
        let issued = match self.integration {
            "google" => self.issue_google(person).await,
            _ => self.issue_rotating(person).await,
        };
        let tokens = Tokens {
            access_token: Zeroizing::new(issued.access.clone()),
            token_type: "Bearer".to_owned(),
            refresh_token: issued.refresh.clone().map(Zeroizing::new),
            previous_refresh_token: None,
            id_token: None,
        };
        let connection = connection(integration, subject, &issued);
        let ring = self.file.ring(&[]);
        let seed = random().bytes().fold(7_u32, |sum, b| sum.wrapping_mul(31) ^ u32::from(b));
        let entropy = SeededEntropy::new(seed);
        let sealed = seal::seal_with(&ring, &entropy, &connection, &tokens, None);
        let mut held = Held { connection, credential: sealed.expect("sealed") };
        change(&mut held);
        let id = held.connection.id;
        let store = self.server.open_store().await;
        let now = held.connection.created_at;
        let stored = store.store_grant(held, None, None, Recorded::default(), now).await;
        assert_eq!(stored.expect("stored"), Granted::Done);
        id
    }

    async fn issue_google(&self, person: &str) -> Issued {
        let domain = if person == "grace" { "example.org" } else { "example.com" };
        let wanted = json!({
            "client_id": CLIENT_ID, "account": format!("{person}@{domain}"),
            "scopes": ["openid", "email", CALENDAR, DRIVE],
        });
        let answer = self.control("POST", "issue", wanted).await;
        self.noted(&answer, person)
    }

    async fn issue_rotating(&self, person: &str) -> Issued {
        let query = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", RETURN_URL),
            ("state", "x"),
            ("scope", "read write"),
            ("as", person),
        ];
        let url = format!("{}/authorize", self.base);
        let sent = client().get(&url).query(&query).send().await.expect("answered");
        let page = Page::read(sent, &url, &self.server.seen).await;
        let back = page.answer();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", back["code"].as_str()),
            ("redirect_uri", RETURN_URL),
        ];
        let request = client().post(format!("{}/token", self.base)).form(&form);
        let request = request.basic_auth(CLIENT_ID, Some(CLIENT_SECRET));
        let text = request.send().await.expect("answered").text().await.expect("text");
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| {
            let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
            json!(pairs.collect::<BTreeMap<String, String>>())
        });
        let answer = if answer["data"].is_object() { answer["data"].clone() } else { answer };
        self.noted(&answer, person)
    }

    fn noted(&self, answer: &Value, person: &str) -> Issued {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let issued = Issued {
            access: text("access_token").unwrap_or_else(|| panic!("no token: {answer}")),
            refresh: text("refresh_token"),
            sub: format!("sub-{person}"),
            scope: text("scope").unwrap_or_else(|| "read write".to_owned()),
        };
        self.server.seen.add(&issued.access);
        issued.refresh.iter().for_each(|own| self.server.seen.add(own));
        issued
    }

    /// `POST /oauth/token` with a JSON body; `null` for none.
    pub(crate) async fn token(&self, body: Value) -> Page {
        self.ask(&self.server.probe(), "/oauth/token", &self.key, body).await
    }

    /// `POST /oauth/refresh` with a JSON body.
    pub(crate) async fn refresh(&self, body: Value) -> Page {
        self.ask(&self.server.probe(), "/oauth/refresh", &self.key, body).await
    }

    /// The same at a process and with a key of the test's own.
    pub(crate) async fn ask(&self, origin: &str, path: &str, key: &str, body: Value) -> Page {
        let mut request = client().post(format!("{origin}{path}")).bearer_auth(key);
        if !body.is_null() {
            request = request.json(&body);
        }
        let page = self.server.request(request.timeout(Duration::from_secs(120))).await;
        self.note(&page);
        page
    }

    /// Remembers the token of an answer as a secret.
    pub(crate) fn note(&self, page: &Page) {
        if let Some(token) = page.json()["access_token"].as_str() {
            self.server.seen.add(token);
        }
    }

    /// Ends the stand-in.
    pub(crate) async fn stop_stand_in(&mut self) {
        drop(self.stop.take());
        self.until("the stand-in does not end", async || {
            client().get(format!("{}/_control/clock", self.base)).send().await.is_err()
        })
        .await;
    }

    /// A request to the control endpoints of the stand-in.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_control/{path}", self.base);
        let method = method.parse().expect("a method");
        let answer = client().request(method, &url).json(&body).send().await.expect("answered");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// What happens to refreshes, once.
    pub(crate) async fn fault(&self, fault: Value) {
        self.fault_for(json!(1), fault).await;
    }

    /// What happens to so many refreshes, or to all (`"until_cleared"`).
    pub(crate) async fn fault_for(&self, times: Value, fault: Value) {
        let mut wanted = json!({
            "endpoint": "token", "grant_type": "refresh_token", "fault": fault,
        });
        match times.as_u64() {
            Some(times) => wanted["times"] = times.into(),
            None => wanted["until_cleared"] = true.into(),
        }
        self.control("POST", "faults", wanted).await;
    }

    /// How many refreshes the stand-in has seen.
    pub(crate) async fn refreshes(&self) -> u64 {
        let counts = self.control("GET", "counts", Value::Null).await;
        counts["grant_types"]["refresh_token"]["calls"].as_u64().unwrap_or(0)
    }

    /// Makes the access token of a connection as old as if it had so many seconds left, of an hour.
    pub(crate) fn age(&self, connection: ConnectionId, left: i64) {
        self.change(
            connection,
            &format!("issued_at = unixepoch() + {left} - 3600, expires_at = unixepoch() + {left}"),
        );
    }

    /// Lets what failed be tried again at once.
    pub(crate) fn rest(&self, connection: ConnectionId) {
        self.change(
            connection,
            "trouble = json_set(trouble, '$.next_at', unixepoch() - 1), due_at = NULL",
        );
    }

    /// Changes columns of a connection.
    pub(crate) fn change(&self, connection: ConnectionId, set: &str) {
        let id = hex(connection);
        self.server.sql(&format!(
            "PRAGMA busy_timeout = 5000; UPDATE connection SET {set} WHERE id = x'{id}'"
        ));
    }

    /// A column of a connection.
    pub(crate) fn column(&self, connection: ConnectionId, name: &str) -> String {
        let id = hex(connection);
        self.server.sql(&format!("SELECT {name} FROM connection WHERE id = x'{id}'"))
    }

    /// Waits until what `seen` says is true.
    pub(crate) async fn until(&self, what: &str, mut seen: impl AsyncFnMut() -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while !seen().await {
            assert!(Instant::now() < until, "{what}:\n{}", self.server.log());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// A number of the metrics; 0 when it is not there.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        self.server.metric(name).await
    }

    /// A second process on the same data.
    pub(crate) async fn twin(&self) -> Twin {
        let port = free_port();
        let text = fs::read_to_string(self.server.config()).expect("settings");
        let mut settings: toml::Table = toml::from_str(&text).expect("TOML");
        let listen = settings["listen"].as_table_mut().expect("a table");
        listen.insert("port".to_owned(), i64::from(port).into());
        listen.remove("metrics");
        let folder = self.server.folder();
        let (config, log) = (folder.join(format!("twin-{port}.toml")), format!("twin-{port}.txt"));
        fs::write(&config, toml::to_string(&settings).expect("TOML")).expect("written");
        let file = File::create(folder.join(&log)).expect("a log");
        let mut command = Command::new(GRANTOR);
        command.arg("serve").arg("--config").arg(config).arg("--data").arg(self.server.data());
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a log")).stderr(file);
        let child = command.spawn().expect("the binary starts");
        let twin = Twin {
            origin: format!("http://127.0.0.1:{port}"),
            child,
            log: folder.join(log),
            seen: self.server.seen.clone(),
        };
        self.until("the second process is not ready", async || {
            let ready = client().get(format!("{}/readyz", twin.origin)).send().await;
            ready.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        twin
    }
}

/// A second process on the data of a server. Killed when it is dropped; its log must be free of
/// secrets then.
pub(crate) struct Twin {
    /// Where it listens.
    pub(crate) origin: String,
    child: Child,
    log: PathBuf,
    seen: Seen,
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        if !std::thread::panicking() {
            let log = fs::read(&self.log).expect("a log");
            assert_eq!(self.seen.found_in(&log), Vec::<String>::new());
        }
    }
}

/// A refusal with its status and code, in the form of all refusals.
pub(crate) fn assert_refused(page: &Page, status: u16, error: &str) {
    assert_eq!(page.status, status, "{page:?}");
    let json = page.json();
    assert_eq!(json["error"], error, "{page:?}");
    assert_eq!(json["error_description"], json["message"], "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"), "{page:?}");
    let after = json["retry_after"].as_u64().map(|own| own.to_string());
    assert!(after.is_none() || page.header("retry-after") == after.as_deref(), "{page:?}");
}

/// The SHA-256 of a token, as a caller sends it.
pub(crate) fn hash(token: &Value) -> String {
    let program = Command::new("sh")
        .args(["-c", "printf %s \"$1\" | sha256sum | cut -d' ' -f1", "sh"])
        .arg(token.as_str().expect("a token"))
        .output();
    String::from_utf8(program.expect("it runs").stdout).expect("text").trim().to_owned()
}

/// `con_…` of a connection.
pub(crate) fn shown(connection: ConnectionId) -> String {
    connection.shown()
}

fn hex(connection: ConnectionId) -> String {
    connection.to_string().replace('-', "")
}

fn make_key(server: &Server, options: &[&str]) -> String {
    let create = ["apikey", "create", "--service", "reports"];
    let made = server.cli().json(&[&create, options].concat());
    made["key"].as_str().expect("a key").to_owned()
}

async fn listener(base: &str) -> tokio::net::TcpListener {
    let address = base.strip_prefix("http://").expect("plain");
    tokio::net::TcpListener::bind(address).await.expect("a free port")
}

/// The time of day.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "what is put into a store has the time of day")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_epoch(i64::try_from(since.expect("after 1970").as_secs()).expect("fits"))
}

fn connection(integration: &str, subject: &str, issued: &Issued) -> Connection {
    let now = now();
    let scope = Scope::parse(&issued.scope).expect("scopes");
    let mut unique = [0; 10];
    unique.copy_from_slice(&random().as_bytes()[..10]);
    let millis = u64::try_from(now.epoch()).expect("after 1970") * 1_000;
    Connection {
        id: ConnectionId(Id::from_parts(millis, unique)),
        integration: integration.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        subject: subject.to_owned(),
        account: Account {
            sub: issued.sub.clone(),
            email: Some(format!("{}@example.com", issued.sub)),
            ..Account::default()
        },
        scope: scope.clone(),
        requested: scope,
        status: ConnectionStatus::Active,
        generation: 1,
        version: 1,
        issued_at: now,
        expires_at: Some(now.plus(Seconds::hours(1))),
        refreshable: issued.refresh.is_some(),
        refresh_expires_at: None,
        refresh_used_at: now,
        rotates: None,
        variables: BTreeMap::new(),
        trouble: None,
        due_at: None,
        created_at: now,
        connected_at: now,
        last_used_at: None,
    }
}
