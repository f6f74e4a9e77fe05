//! One server with every integration of the table, and the stand-ins that play the providers.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::description::{Place, led};
use super::table::Row;
use crate::support::connect::{CLIENT_ID, CLIENT_SECRET, Google, RETURN_URL};
use crate::support::seen::Seen;
use crate::support::{Page, Server, client};

/// What the server is called at each provider.
pub(super) const CLIENT: &str = "grantor-at-the-provider";
/// Its secret there.
pub(super) const SECRET: &str = "a-secret+of/the-tests=%&";

/// The server and the stand-ins.
pub(super) struct World {
    pub(super) server: Server,
    /// Where the catalogue is.
    pub(super) base: String,
    google: Google,
    key: String,
    _providers: TempDir,
    _stop: oneshot::Sender<()>,
}

impl World {
    /// With an integration for each row, and others: names, descriptions, settings.
    pub(super) async fn start(rows: &[Row], others: &[(&str, &str, toml::Table)]) -> Self {
        let setup = Server::setup();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let stop = serve(listener, &format!("http://127.0.0.1:{}", setup.port()));
        let google = Google::start(&setup, Seen::default()).await;
        let providers = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(providers.path().join(format!("{name}.toml")), text).expect("written");
        };
        let mut setup = setup
            .set("vault.providers", providers.path().to_str().expect("text"))
            .set("vault.return_urls", vec![RETURN_URL])
            .set("vault.deadline", "10s")
            .set("outbound.allowed_hosts", vec!["127.0.0.1"]);
        for row in rows {
            write(row.name, &led(row.provider, &place(row.stand_in, &base, &google.base)));
            setup = setup.set(&format!("integrations.{}", row.name), integration(row, &base));
        }
        for (name, text, own) in others {
            write(name, text);
            setup = setup.set(&format!("integrations.{name}"), own.clone());
        }
        let server = setup.start().await;
        for secret in [CLIENT_SECRET, SECRET] {
            server.seen.add(secret);
        }
        let actions = ["--action", "token", "--action", "connect", "--action", "manage"];
        let create = ["apikey", "create", "--service", "reports", "--any-integration"];
        let made = server.cli().json(&[&create[..], &actions[..]].concat());
        let key = made["key"].as_str().expect("a key").to_owned();
        server.seen.add(&key);
        Self { server, base, google, key, _providers: providers, _stop: stop }
    }

    /// Where a stand-in is.
    pub(super) fn place(&self, stand_in: &str) -> Place {
        place(stand_in, &self.base, &self.google.base)
    }

    /// `https://HOST/PATH` at a stand-in.
    pub(super) fn at(&self, stand_in: &str, host_and_path: &str) -> String {
        match self.place(stand_in) {
            Place::ByHost(base) => {
                format!("{base}/{}", host_and_path.trim_start_matches('/'))
            }
            Place::AtOnce(base) => {
                let path = host_and_path.find('/').map_or("", |at| &host_and_path[at..]);
                format!("{base}{path}")
            }
        }
    }

    /// A request to the control endpoints of a stand-in.
    pub(super) async fn control(
        &self,
        stand_in: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Value {
        let base = match self.place(stand_in) {
            Place::ByHost(base) | Place::AtOnce(base) => base,
        };
        let url = format!("{base}/_control/{path}");
        let method = method.parse().expect("a method");
        let answer = client().request(method, &url).json(body).send().await.expect("answered");
        let status = answer.status();
        let text = answer.text().await.expect("text");
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Posts JSON with the key.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Page {
        let request = client().post(self.server.url(path)).bearer_auth(&self.key).json(body);
        let page = self.server.request(request).await;
        if let Some(token) = page.body.split("\"access_token\":\"").nth(1) {
            self.server.seen.add(token.split('"').next().unwrap_or_default());
        }
        page
    }

    /// A request of the management API.
    pub(super) async fn api(&self, method: &str, path: &str) -> Page {
        let method = method.parse().expect("a method");
        let request = client().request(method, self.server.url(path));
        self.server.request(request.bearer_auth(&self.key)).await
    }

    /// Opens a new session in a new browser, allows everything at the provider, and comes back.
    pub(super) async fn walk(&self, stand_in: &str, session: &Value, person: &str) -> Page {
        let made = self.post("/connect/sessions", session).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let link = made["connect_url"].as_str().expect("a URL");
        let browser = self.server.browser();
        let left = browser.get(link).await;
        let url = left.location().unwrap_or_else(|| panic!("not sent anywhere: {left:?}"));
        browser.get(&self.allow(stand_in, &url, person).await).await
    }

    async fn allow(&self, stand_in: &str, url: &str, person: &str) -> String {
        let Place::ByHost(base) = self.place(stand_in) else {
            let account = if person == "ada" { "ada@example.com" } else { "grace@example.org" };
            return self.google.allow(&self.google.browser(), url, account, &[]).await;
        };
        assert!(url.starts_with(&base), "not at the provider: {url}");
        let page = self.server.request(client().get(format!("{url}&as={person}"))).await;
        page.location().unwrap_or_else(|| panic!("{url}: the provider says {page:?}"))
    }

    /// Connects an account, in mode `bound`; the connection.
    pub(super) async fn connect(&self, stand_in: &str, session: &Value, person: &str) -> Value {
        let page = self.walk(stand_in, session, person).await;
        assert_eq!(page.status, 303, "{page:?}");
        let back = page.answer();
        let code = back.get("connect_code").unwrap_or_else(|| panic!("no code: {back:?}"));
        let done = self
            .post(
                "/connect/complete",
                &json!({"connect_code": code, "subject": session["subject"]}),
            )
            .await;
        assert_eq!(done.status, 200, "{done:?}");
        done.json()
    }
}

fn place(stand_in: &str, base: &str, google: &str) -> Place {
    match stand_in {
        "google" => Place::AtOnce(google.to_owned()),
        name => Place::ByHost(format!("{base}/{name}")),
    }
}

fn serve(listener: TcpListener, grantor: &str) -> oneshot::Sender<()> {
    let client = standins::catalogue::Client {
        id: CLIENT.to_owned(),
        secret: SECRET.to_owned(),
        redirect_uris: vec![format!("{grantor}/connect/callback")],
    };
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        standins::catalogue::serve(client, vec![listener], stopped).await.expect("it serves");
    });
    stop
}

fn integration(row: &Row, base: &str) -> toml::Table {
    let (id, secret) = match row.stand_in {
        "google" => (CLIENT_ID, CLIENT_SECRET),
        _ => (CLIENT, SECRET),
    };
    let mut own = toml::Table::new();
    own.insert("client_id".into(), id.into());
    own.insert("client_secret".into(), secret.into());
    if !row.scopes.is_empty() {
        own.insert("scopes".into(), row.scopes.to_vec().into());
    }
    let variables = row.variables.iter();
    let variables = variables.map(|(name, value)| {
        ((*name).to_owned(), toml::Value::from(value.replace("{base}", base)))
    });
    own.insert("variables".into(), variables.collect::<toml::Table>().into());
    own
}
