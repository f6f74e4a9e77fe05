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

/// An integration beside the table: its name, its description, its settings.
pub(super) type Other = (String, String, toml::Table);

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
    /// With an integration for each row, and others: made from where the catalogue is, each a name,
    /// a description and settings.
    pub(super) async fn start(rows: &[Row], others: &dyn Fn(&str) -> Vec<Other>) -> Self {
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
        for (name, text, own) in others(&base) {
            write(&name, &text);
            setup = setup.set(&format!("integrations.{name}"), own);
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
    pub(super) async fn walk(&self, place: &Place, session: &Value, person: &str) -> Page {
        self.walk_with(place, session, person, |back| back).await
    }

    /// The same, with the address of the callback changed on the way.
    pub(super) async fn walk_with(
        &self,
        place: &Place,
        session: &Value,
        person: &str,
        change: impl Fn(String) -> String,
    ) -> Page {
        let made = self.post("/connect/sessions", session).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let link = made["connect_url"].as_str().expect("a URL");
        let browser = self.server.browser();
        let left = browser.get(link).await;
        let url = left.location().unwrap_or_else(|| panic!("not sent anywhere: {left:?}"));
        browser.get(&change(self.allow(place, &url, person).await)).await
    }

    async fn allow(&self, place: &Place, url: &str, person: &str) -> String {
        let Place::ByHost(base) = place else {
            let account = if person == "ada" { "ada@example.com" } else { "grace@example.org" };
            return self.google.allow(&self.google.browser(), url, account, &[]).await;
        };
        assert!(url.starts_with(base), "not at the provider: {url}");
        let page = self.server.request(client().get(format!("{url}&as={person}"))).await;
        page.location().unwrap_or_else(|| panic!("{url}: the provider says {page:?}"))
    }

    /// Connects an account, in mode `bound`; the connection.
    pub(super) async fn connect(&self, place: &Place, session: &Value, person: &str) -> Value {
        let page = self.walk(place, session, person).await;
        assert_eq!(page.status, 303, "{page:?}");
        let back = page.answer();
        let code = back.get("connect_code").unwrap_or_else(|| panic!("no code: {back:?}"));
        // Nobody but the subject may complete it; a session for a connection has its subject.
        let subject = session["subject"].as_str().unwrap_or(person);
        let body = json!({"connect_code": code, "subject": subject});
        let done = self.post("/connect/complete", &body).await;
        assert_eq!(done.status, 200, "{done:?}");
        done.json()
    }
}

/// Where a stand-in of the catalogue is, or the one for Google.
pub(super) fn place(stand_in: &str, base: &str, google: &str) -> Place {
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
    let mut own = client_of(id, secret, row.variables, base);
    if !row.scopes.is_empty() {
        own.insert("scopes".into(), row.scopes.to_vec().into());
    }
    own
}

/// The settings of an integration; `{base}` in a variable is where the catalogue is.
pub(super) fn client_of(
    id: &str,
    secret: &str,
    variables: &[(&str, &str)],
    base: &str,
) -> toml::Table {
    let value = |text: &str| toml::Value::from(text.replace("{base}", base));
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), value(text)));
    toml::Table::from_iter([
        ("client_id".to_owned(), id.into()),
        ("client_secret".to_owned(), secret.into()),
        ("variables".to_owned(), variables.collect::<toml::Table>().into()),
    ])
}
