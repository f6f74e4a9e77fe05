//! Two nodes on one store, nginx in front of them, and a provider behind them.

use std::time::{Duration, Instant};

use grantor_core::id::ConnectionId;
use reqwest::{Client, Proxy};

use super::load::{Expected, Load};
use super::nginx::Nginx;
use crate::support::database::Database;
use crate::support::server::{Server, Setup};
use crate::support::vault::Vault;
use crate::support::{App, Browser, Page, client};

/// How long after the store is back requests are answered as before. The machine may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// How long a request may take, whatever the store does: to wait for a connection, for a statement
/// that began just in time, and for its rollback, with the settings of these tests; and a little.
pub(crate) const QUICKLY: Duration = Duration::from_secs(8);

/// Node A is the server of the vault.
pub(crate) struct Cluster {
    /// With node A.
    pub(crate) vault: Vault,
    /// Node B.
    pub(crate) b: Server,
    /// The issuer: where nginx listens.
    pub(crate) front: String,
    /// An application, confidential, with refresh tokens that rotate.
    pub(crate) app: App,
    /// A machine with a secret.
    pub(crate) machine: App,
    /// A connection at the provider, for which the vault has a token.
    pub(crate) connection: ConnectionId,
    _nginx: Nginx,
    /// HTTP clients that ask one node for what belongs to the issuer.
    over: [Client; 2],
}

impl Cluster {
    /// Two nodes at a database, each of which reaches it at a URL of its own.
    pub(crate) async fn start(
        database: Database,
        stores: [&str; 2],
        change: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let front = Nginx::origin();
        let setup = |setup: Setup| {
            change(
                setup
                    .on(database)
                    .set("store", stores[0])
                    .set("issuer", front.as_str())
                    .set("listen.trusted_proxies", vec!["127.0.0.1"])
                    .set("sign_in.admin_token.allow_static_token", true)
                    .set("listen.drain", "3s")
                    // Codes must outlive the failure, or "expired" would hide a loss.
                    .set("lifetimes.code", "5m")
                    .set("log.level", "info"),
            )
        };
        let mut vault = Vault::google_for(&front, setup).await;
        let mut b = vault.server.another(stores[1]);
        b.start_again().await;
        let app = vault.server.app_with("notes", &["--refresh", "rotate"]);
        let machine = vault.server.machine("machine", &[]);
        let connection = vault.connect("user-1").await;
        let nginx = Nginx::start(front.clone(), [vault.server.port, b.port]).await;
        let over = [vault.server.probe(), b.probe()].map(|node| through(&node));
        // What a test asks a node, it asks that node and not nginx.
        vault.server.issuer = vault.server.probe();
        b.issuer = b.probe();
        Self { vault, b, front, app, machine, connection, _nginx: nginx, over }
    }

    /// Node A.
    pub(crate) fn a(&self) -> &Server {
        &self.vault.server
    }

    /// Both.
    pub(crate) fn nodes(&self) -> [&Server; 2] {
        [self.a(), &self.b]
    }

    /// A browser that nginx does not stand in the way of: it knows the address of the issuer, and
    /// gets to one node.
    pub(crate) fn browser_at(&self, node: usize) -> Browser {
        Browser::over(self.over[node].clone(), &self.front, self.a().seen.clone())
    }

    /// The same person, from now on at one node.
    pub(crate) fn moved(&self, browser: &Browser, node: usize) -> Browser {
        browser.also_over(self.over[node].clone())
    }

    /// Work of applications, machines and services that goes on until it is stopped.
    pub(crate) fn load(&self, expected: Expected) -> Load {
        Load::start(self, expected)
    }

    /// Waits until a node is ready, or is not.
    pub(crate) async fn until_ready(&self, node: &Server, ready: bool, within: Duration) {
        let since = Instant::now();
        loop {
            let page = ready_page(node).await;
            if (page.status == 200) == ready {
                return;
            }
            let told = if ready { "ready again" } else { "said not to be ready" };
            assert!(since.elapsed() < within, "not {told} within {within:?}: {page:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nginx sends requests to a node that was away, under load: before that, it has no
    /// other to turn to.
    pub(crate) async fn until_used(&self, node: &Server) {
        let since = Instant::now();
        // Whoever asks for the metrics is not counted.
        while node.metric("tokens_issued_total").await == 0 {
            assert!(since.elapsed() < SOON, "nginx does not send anything to the node");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A node without its store says so: to whoever routes to it, and to clients.
    pub(crate) async fn assert_away(&self, node: &Server) {
        self.until_ready(node, false, QUICKLY).await;
        let grant = [("grant_type", "client_credentials")];
        for page in [ready_page(node).await, node.token(&self.machine, &grant).await] {
            assert_eq!(page.status, 503, "{page:?}");
            assert_eq!(page.header("retry-after"), Some("1"), "{page:?}");
            assert_eq!(page.json()["error"], "temporarily_unavailable", "{page:?}");
        }
        let since = Instant::now();
        let page = node.get("/healthz").await;
        assert_eq!(page.status, 200, "the process runs: {page:?}");
        assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    }
}

/// `/readyz`, which never takes long.
async fn ready_page(node: &Server) -> Page {
    let since = Instant::now();
    let page = node.get("/readyz").await;
    assert!(since.elapsed() < QUICKLY, "{:?}: {page:?}", since.elapsed());
    page
}

/// A client that sends everything to a node, whatever address it is for: it takes the node for a
/// proxy.
fn through(node: &str) -> Client {
    let proxy = Proxy::http(node).expect("an address");
    let client = Client::builder().proxy(proxy).redirect(reqwest::redirect::Policy::none());
    client.pool_max_idle_per_host(0).timeout(Duration::from_secs(30)).build().expect("a client")
}

/// A request of a program to wherever `origin` is.
pub(crate) fn post(origin: &str, path: &str) -> reqwest::RequestBuilder {
    client().post(format!("{origin}{path}"))
}
